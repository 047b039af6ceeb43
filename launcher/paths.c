/*
 * Looking up paths. A root may be hostile: every path in it is resolved by the kernel as if that root were "/", with
 * no way out through "..", links or /proc's magic links (openat2(2), Linux 5.6), and what was found is used by its
 * descriptor, so that nothing can be swapped in between.
 */
#include "run.h"
#include "sys.h"
#include <linux/openat2.h>

static int open_beneath(int root, const char *path, int flags, int nofollow) {
  struct open_how how = {
      .flags = (unsigned)(flags | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0)),
      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
  };
  int fd;
  do fd = (int)sys(__NR_openat2, root, path, &how, sizeof how);
  while (fd == -EAGAIN || fd == -EINTR); /* a rename somewhere made the kernel unsure about ".." */
  return fd;
}

int open_target(struct run *run, const char *path, int flags) {
  if (run->new_root < 0) return sys_openat(AT_FDCWD, path, flags ? flags : O_PATH, 0);
  return open_beneath(run->new_root, path, flags ? flags : O_PATH, 0);
}

int open_source(struct run *run, const char *path, int nofollow) {
  if (run->old_root < 0) return sys_openat(AT_FDCWD, path, O_PATH | (nofollow ? O_NOFOLLOW : 0), 0);
  return open_beneath(run->old_root, path, O_PATH, nofollow);
}

int is_folder(int fd) {
  struct statx st;
  int result = (int)sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
  return result < 0 ? result : (st.stx_mode & S_IFMT) == S_IFDIR;
}

/* The part of a path before its last name, without the slashes between; and that name. */
static int split(const char *path, char *folder, const char **name) {
  size_t end = strlen(path);
  if (end >= PATH_ROOM) return -ENAMETOOLONG;
  while (end > 1 && path[end - 1] == '/') end--;
  if (path[end]) return -EINVAL; /* the compiler gives paths without a slash at the end */
  size_t start = end;
  while (start && path[start - 1] != '/') start--;
  *name = path + start;
  while (start > 1 && path[start - 1] == '/') start--;
  memcpy(folder, path, start);
  folder[start] = 0;
  if (!start) text_copy(folder, PATH_ROOM, ".");
  if (!**name || text_equal(*name, ".") || text_equal(*name, "..")) return -EINVAL;
  return 0;
}

static int open_folder(struct run *run, char *path, int depth) {
  int fd = open_target(run, path, O_PATH | O_DIRECTORY);
  if (fd != -ENOENT || !depth) return fd;
  char parent[PATH_ROOM];
  const char *name;
  int result = split(path, parent, &name);
  if (result < 0) return result;
  int parent_fd = open_folder(run, parent, depth - 1);
  if (parent_fd < 0) return parent_fd;
  result = sys_mkdirat(parent_fd, name, 0755);
  sys_close(parent_fd);
  return result < 0 && result != -EEXIST ? result : open_target(run, path, O_PATH | O_DIRECTORY);
}

/* The folder that was looked up last: entries of one folder follow each other in a plan. */
static struct { int fd; char folder[PATH_ROOM]; } last = {.fd = -1};

int open_parent(struct run *run, const char *path, const char **name) {
  char folder[PATH_ROOM];
  int result = split(path, folder, name);
  if (result < 0) return result;
  if (last.fd >= 0 && text_equal(last.folder, folder)) return last.fd;
  forget_parent("");
  last.fd = open_folder(run, folder, 64);
  text_copy(last.folder, sizeof last.folder, folder);
  return last.fd;
}

void forget_parent(const char *target) {
  if (last.fd < 0 || !text_starts(last.folder, target)) return;
  sys_close(last.fd);
  last.fd = -1;
}

int make_target(struct run *run, const char *path, int as_file) {
  const char *name;
  int parent = text_equal(path, "/") ? -EEXIST : open_parent(run, path, &name);
  if (parent < 0) return parent == -EEXIST ? open_target(run, path, 0) : parent;
  if (!as_file) {
    int made = sys_mkdirat(parent, name, 0755);
    if (made == -EEXIST) return open_target(run, path, 0);
    return made < 0 ? made : sys_openat(parent, name, O_PATH | O_NOFOLLOW, 0);
  }
  /* the new file itself serves as the place to mount on */
  int made = sys_openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644);
  return made == -EEXIST ? open_target(run, path, 0) : made;
}
