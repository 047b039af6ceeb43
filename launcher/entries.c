/* What stands in the new root besides mounts: folders, files, links, device nodes; and sysctls. */
#include "run.h"
#include "sys.h"

#define LEAVE 0xffffffffu

static int own(struct run *run, int parent, const char *name, const char *path, uint32_t uid, uint32_t gid) {
  if (uid == LEAVE && gid == LEAVE) return 0;
  return must(run, sys(__NR_fchownat, parent, name, uid, gid, AT_SYMLINK_NOFOLLOW), "chown", path);
}

int step_dir(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *name;
  if (text_equal(path, "/")) return must(run, sys(__NR_fchmodat, run->new_root < 0 ? AT_FDCWD : run->new_root, run->new_root < 0 ? "/" : ".", step->a[1]), "chmod", path);
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  int result = sys_mkdirat(parent, name, (int)step->a[1]);
  /* what is there already may be a link or a mount of somebody else's: it is left as it is */
  if (result == -EEXIST) {
    int there = must(run, open_target(run, path, O_PATH | O_DIRECTORY), "open", path);
    if (there >= 0) sys_close(there);
    result = there < 0 ? -1 : 0;
  } else {
    result = must(run, result, "mkdir", path);
    /* mkdir obeys the umask, sticky and group bits must not be lost to it */
    if (result >= 0) result = must(run, sys(__NR_fchmodat, parent, name, step->a[1]), "chmod", path);
    if (result >= 0) result = own(run, parent, name, path, step->a[2], step->a[3]);
  }
  return result;
}

int step_file(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *name;
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  int fd = must(run, sys_openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, (int)step->a[1]), "create", path);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, run->plan->data + step->a[2], step->a[3]), "write", path);
  if (result >= 0) result = must(run, sys(__NR_fchmod, fd, step->a[1]), "chmod", path);
  sys_close(fd);
  return result;
}

static int leads_to(int folder, const char *name, const char *target) {
  char there[PATH_ROOM];
  long size = sys(__NR_readlinkat, folder, name, there, sizeof there - 1);
  there[size > 0 ? size : 0] = 0;
  return size > 0 && text_equal(there, target);
}

int step_symlink(struct run *run, const struct plan_step *step) {
  const char *target = run_text(run, step, step->a[0]), *path = run_text(run, step, step->a[1]), *name;
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  int made = (int)sys(__NR_symlinkat, target, parent, name);
  int result = made == -EEXIST && leads_to(parent, name, target) ? 0 : must(run, made, "symlink", path);
  return result;
}

int step_node(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *name;
  uint32_t major = step->a[2], minor = step->a[3];
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  /* the kernel's encoding for user space: 12 bits of major in the middle, the minor around them */
  uint32_t device = (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
  int result = must(run, sys(__NR_mknodat, parent, name, step->a[1], device), "mknod", path);
  if (result >= 0) result = must(run, sys(__NR_fchmodat, parent, name, step->a[1] & 07777), "chmod", path);
  if (result >= 0) result = own(run, parent, name, path, step->a[4], step->a[5]);
  return result;
}

int step_sysctl(struct run *run, const struct plan_step *step) {
  const char *name = run_text(run, step, step->a[0]), *value = run_text(run, step, step->a[1]);
  char path[512] = "/proc/sys/";
  int slashed = 0; /* "net/ipv4/conf/eth0.1/x": with slashes, dots belong to the names */
  for (const char *p = name; *p; p++) slashed |= *p == '/';
  size_t start = strlen(path);
  text_append(path, sizeof path, name);
  for (char *p = path + start; *p && !slashed; p++)
    if (*p == '.') *p = '/';
  int fd = must(run, open_target(run, path, O_WRONLY), "open", path);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, value, strlen(value)), "write", path);
  sys_close(fd);
  return result;
}
