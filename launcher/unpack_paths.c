/* Paths of a layer, looked up within it: see unpack_paths.h. */
#include "unpack_paths.h"
#include "sys.h"
#include "tar.h"
#include <linux/openat2.h>

int layer_fd, parent_fd = -1, marks_trusted;
char parent_path[TAR_PATH_MAX];

void check(long result, const char *what) {
  if (result < 0) tar_fail(what, (int)-result);
}

int open_inside(const char *where, uint64_t open_flags) {
  struct open_how how = {.flags = open_flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
  int fd;
  do fd = (int)sys(__NR_openat2, layer_fd, where, &how, sizeof how);
  while (fd == -EAGAIN || fd == -EINTR);
  return fd;
}

/* Without a "/" at either end, empty or "." names; "" is the root. A name ".." is refused, wherever it leads. */
void clean_path(char *to, const char *from) {
  char *end = to;
  while (*from) {
    const char *name = from;
    while (*from && *from != '/') from++;
    size_t size = (size_t)(from - name);
    while (*from == '/') from++;
    if (!size || (size == 1 && *name == '.')) continue;
    if (size == 2 && name[0] == '.' && name[1] == '.') tar_fail("a path leads out of the layer", 0);
    if (end > to) *end++ = '/';
    memcpy(end, name, size);
    end += size;
  }
  *end = 0;
}

static void forget_folder(void) {
  if (parent_fd >= 0) sys_close(parent_fd);
  parent_fd = -1;
}

int stat_at(int folder, const char *name, struct statx *stat) {
  return (int)sys(__NR_statx, folder, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, stat);
}

int is_whiteout(const struct statx *stat) {
  return (stat->stx_mode & S_IFMT) == S_IFCHR && !stat->stx_rdev_major && !stat->stx_rdev_minor;
}

/* Opens a folder for what overlays keep in its attributes. */
void make_opaque(int folder, const char *name) {
  int fd = sys_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  check(fd, "a folder cannot be opened");
  check(sys(__NR_fsetxattr, fd, "user.overlay.opaque", "y", 1, 0), "the file system keeps no attributes, which a folder that replaces another needs");
  if (marks_trusted) check(sys(__NR_fsetxattr, fd, "trusted.overlay.opaque", "y", 1, 0), "a folder cannot be marked as replacing another");
  sys_close(fd);
}

/* Makes a folder where there is none; one that takes a whiteout's place hides what is below it. */
void make_folder(int folder, const char *name, int mode) {
  struct statx there;
  long result = sys_mkdirat(folder, name, mode);
  if (result != -EEXIST) return check(result, "a folder cannot be made");
  check(stat_at(folder, name, &there), "a folder cannot be made");
  if ((there.stx_mode & S_IFMT) == S_IFDIR) return;
  check(sys_unlinkat(folder, name, 0), "what a folder replaces cannot be removed");
  check(sys_mkdirat(folder, name, mode), "a folder cannot be made");
  if (is_whiteout(&there)) make_opaque(folder, name);
}

static int make_parent(char *where, int error) {
  char *name = where + strlen(where);
  while (name > where && name[-1] != '/') name--;
  if (name > where) name[-1] = 0;
  int above = open_inside(name > where ? where : ".", O_PATH | O_DIRECTORY);
  if (name > where) name[-1] = '/';
  check(above, "a folder cannot be opened");
  struct statx there;
  if (!stat_at(above, name, &there) && is_whiteout(&there)) make_folder(above, name, 0755);
  else if (error == -ENOTDIR) tar_fail("something lies in what is no folder", 0);
  else check(sys_mkdirat(above, name, 0755), "a folder cannot be made");
  sys_close(above);
  return open_inside(where, O_PATH | O_DIRECTORY);
}

/* Folders that the archive does not name are root's. One by one: a link on the way is followed within the layer. */
static int make_parents(char *where) {
  int fd = -ENOENT;
  for (char *p = where;; p++) {
    if (*p && *p != '/') continue;
    char kept = *p;
    *p = 0;
    fd = open_inside(where, O_PATH | O_DIRECTORY);
    if (fd == -ENOENT || fd == -ENOTDIR) fd = make_parent(where, fd);
    check(fd, "a folder cannot be opened");
    *p = kept;
    if (!kept) return fd;
    sys_close(fd);
  }
}

/* The folder of a clean path, and the name in it. */
const char *open_parent_of(char *where) {
  char *name = where + strlen(where);
  while (name > where && name[-1] != '/') name--;
  if (name == where) {
    if (parent_fd >= 0 && !*parent_path) return name;
    forget_folder();
    *parent_path = 0;
    parent_fd = sys_openat(layer_fd, ".", O_PATH | O_DIRECTORY, 0);
    check(parent_fd, "the layer's folder cannot be opened");
    return name;
  }
  name[-1] = 0;
  if (parent_fd < 0 || !text_equal(parent_path, where)) {
    forget_folder();
    parent_fd = open_inside(where, O_PATH | O_DIRECTORY);
    if (parent_fd == -ENOENT || parent_fd == -ENOTDIR) parent_fd = -1, parent_fd = make_parents(where);
    check(parent_fd, "a folder cannot be opened");
    text_copy(parent_path, sizeof parent_path, where);
  }
  name[-1] = '/';
  return name;
}

/* Makes room for what is no folder: a later entry replaces an earlier one, but for a folder that has something in it. */
void make_room(const char *name) {
  struct statx there;
  if (stat_at(parent_fd, name, &there) < 0) return;
  int is_folder = (there.stx_mode & S_IFMT) == S_IFDIR;
  long result = sys_unlinkat(parent_fd, name, is_folder ? AT_REMOVEDIR : 0);
  if (result == -ENOTEMPTY) tar_fail("two entries fight: one replaces a folder that another has filled", 0);
  check(result, "what an entry replaces cannot be removed");
}

