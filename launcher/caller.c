#include "caller.h"
#include "supervise.h"
#include "sys.h"
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#define FCHMODAT2 452 /* Linux 6.6 */

static unsigned char left[CALLER_FDS], held[CALLER_FDS];

/* One poll(2) tells which are open; it takes no more than RLIMIT_NOFILE. */
void caller_note(void) {
  struct pollfd polls[CALLER_FDS];
  struct __kernel_timespec now = {0, 0};
  int count = CALLER_FDS - 3;
  for (int i = 0; i < count; i++) polls[i] = (struct pollfd){i + 3, 0, 0};
  while (count > 0 && sys(__NR_ppoll, polls, count, &now, 0, 0) == -EINVAL) count /= 2;
  for (int i = 0; i < count; i++) left[i + 3] = !(polls[i].revents & POLLNVAL);
}

void caller_share(void) {
  for (int fd = 3; fd < CALLER_FDS; fd++)
    if (left[fd]) sys_fcntl(fd, F_SETFD, 0);
}

void caller_let_go(const struct plan *plan) {
  if (!find_step(plan, OP_KEEP_FDS)) return;
  for (int fd = 3; fd < CALLER_FDS; fd++) {
    if (left[fd] && !held[fd]) sys_close(fd);
    left[fd] = 0;
  }
}

int step_say(struct run *run, const struct plan_step *step) {
  write_all(STDERR, run->plan->data + step->a[0], step->a[1]); /* who does not listen is not told */
  return 0;
}

int step_hold_fd(struct run *run, const struct plan_step *step) {
  int fd = (int)step->a[0];
  if (must(run, sys_fcntl(fd, F_GETFD, 0), "fcntl", "a descriptor to hold") < 0) return -1;
  if (fd < CALLER_FDS) held[fd] = 1;
  return 0;
}

int step_keep_fds(struct run *run, const struct plan_step *step) {
  for (uint32_t i = 0; i + 4 <= step->a[1]; i += 4) {
    uint32_t fd = plan_u32(run->plan, step->a[0] + i);
    if (fd < CALLER_FDS) left[fd] = 0;
  }
  for (int fd = 3; fd < CALLER_FDS; fd++)
    if (left[fd] && must(run, sys_fcntl(fd, F_SETFD, 0), "fcntl F_SETFD", "a descriptor to keep") < 0) return -1;
  return 0;
}

/* A byte or an end: whoever holds the other side has done its part. */
int step_wait_fd(struct run *run, const struct plan_step *step) {
  char byte;
  long n;
  do n = sys_read((int)step->a[0], &byte, 1);
  while (n == -EINTR);
  return must(run, n, "read", "a descriptor to wait for") < 0 ? -1 : 0;
}

/* --- files and mounts ------------------------------------------------------------------------------------------- */

static int copy_all(struct run *run, int from, int to, const char *path) {
  static char data[65536];
  for (;;) {
    long n = sys_read(from, data, sizeof data);
    if (n == -EINTR) continue;
    if (n <= 0) return must(run, n, "read", path) < 0 ? -1 : 0;
    if (must(run, write_all(to, data, (size_t)n), "write", path) < 0) return -1;
  }
}

/* 128 random bits, marked as a version 4 UUID as systemd's are: machine-id(5). */
static int write_machine_id(struct run *run, int to, const char *path) {
  unsigned char bytes[16];
  char text[33];
  if (must(run, sys(__NR_getrandom, bytes, sizeof bytes, 0), "getrandom", path) < 0) return -1;
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  for (int i = 0; i < 32; i++) text[i] = "0123456789abcdef"[(bytes[i / 2] >> (i % 2 ? 0 : 4)) & 15];
  text[32] = '\n';
  return must(run, write_all(to, text, sizeof text), "write", path);
}

static int fill(struct run *run, uint32_t from, int to, const char *path) {
  return from == DATA_MACHINE_ID ? write_machine_id(run, to, path) : copy_all(run, (int)from, to, path);
}

/* As creat(2), but no link leads out of the root. */
static int create_file(struct run *run, const char *path, int mode) {
  const char *name;
  int parent = open_parent(run, path, &name);
  if (parent < 0) return parent;
  int fd = sys_openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode); /* the parent is kept for the next */
  return fd == -EEXIST ? open_target(run, path, O_WRONLY | O_TRUNC) : fd;
}

int step_file_fd(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int fd = must(run, create_file(run, path, (int)step->a[1]), "create", path);
  if (fd < 0) return -1;
  int result = copy_all(run, (int)step->a[2], fd, path);
  sys_close(fd);
  return result;
}

/* fchmodat2 changes what an O_PATH descriptor stands for; before it the file itself has to be opened. */
int step_chmod(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int fd = must(run, open_target(run, path, 0), "open", path);
  if (fd < 0) return -1;
  int result = (int)sys(FCHMODAT2, fd, "", step->a[1], AT_EMPTY_PATH);
  sys_close(fd);
  if (result != -ENOSYS) return must(run, result, "chmod", path);
  fd = must(run, open_target(run, path, O_RDONLY | O_NONBLOCK | O_NOCTTY), "open", path);
  if (fd < 0) return -1;
  result = must(run, sys(__NR_fchmod, fd, step->a[1]), "chmod", path);
  sys_close(fd);
  return result;
}

/*
 * A file system of its own for one file. Before Linux 6.15 only what is mounted somewhere can be cloned, so it is
 * mounted on a folder of the old root for a moment.
 */
static int make_data_tree(struct run *run, const struct plan_step *step, const char *path) {
  int fs = must(run, sys(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC), "fsopen", "tmpfs");
  if (fs < 0) return -1;
  int made = must(run, sys(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0), "fsconfig create", "tmpfs");
  int tree = made < 0 ? -1 : must(run, sys(__NR_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV), "fsmount", "tmpfs");
  sys_close(fs);
  if (tree < 0) return -1;
  int place = must(run, open_source(run, "/tmp", 0), "open", "/tmp"), file = -1, clone = -1;
  int there = place < 0 ? -1 : must(run, sys(__NR_move_mount, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "move_mount", path);
  if (there >= 0) file = must(run, sys_openat(tree, "data", O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0600), "create", path);
  if (file >= 0 && fill(run, step->a[2], file, path) >= 0 && must(run, sys(__NR_fchmod, file, step->a[1]), "chmod", path) >= 0)
    clone = must(run, sys(__NR_open_tree, file, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH), "open_tree", path);
  if (file >= 0) sys_close(file);
  if (there >= 0) {
    sys(__NR_fchdir, tree);
    sys(__NR_umount2, ".", 2 /* MNT_DETACH */);
    sys(__NR_fchdir, run->new_root);
  }
  if (place >= 0) sys_close(place);
  sys_close(tree);
  return clone;
}

static int attach_tree(struct run *run, int tree, const char *path, int as_file) {
  const char *making = as_file ? "create" : "mkdir";
  int target = must(run, make_target(run, path, as_file), making, path);
  if (target < 0) return sys_close(tree), -1;
  int folder = is_folder(target), result = folder == !as_file ? 0 : must(run, folder ? -EISDIR : -ENOTDIR, making, path);
  if (result >= 0) result = must(run, sys(__NR_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "move_mount", path);
  sys_close(target);
  sys_close(tree);
  return result < 0 ? -1 : 0;
}

static int set_attributes(struct run *run, int tree, uint64_t set, uint64_t propagation, const char *path) {
  struct mount_attr attr = {.attr_set = set, .propagation = propagation};
  return must(run, sys(__NR_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr), "mount_setattr", path);
}

int step_data_mount(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  if (run->old_root < 0) return run_failed(run, "the new root", EINVAL, path);
  int tree = make_data_tree(run, step, path);
  if (tree < 0) return -1;
  if (set_attributes(run, tree, step->a[3], 0, path) < 0) return sys_close(tree), -1;
  return attach_tree(run, tree, path, 1);
}

static int same_file(int one, int other) {
  struct statx a, b;
  if (sys(__NR_statx, one, "", AT_EMPTY_PATH, STATX_INO, &a) < 0 || sys(__NR_statx, other, "", AT_EMPTY_PATH, STATX_INO, &b) < 0) return 0;
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

/* The descriptor's mount is of another mount namespace, and cannot be cloned here: what its name leads to can, if it is the same. */
static int open_by_name(struct run *run, int fd) {
  char link[48] = "proc/self/fd/", name[PATH_ROOM];
  text_append_number(link, sizeof link, (uint64_t)fd);
  long size = sys(__NR_readlinkat, run->old_root, link, name, sizeof name - 1);
  if (must(run, size, "readlink", link) < 0) return -1;
  name[size] = 0;
  int found = must(run, open_source(run, name, 0), "open", name);
  if (found < 0 || same_file(found, fd)) return found;
  sys_close(found);
  return run_failed(run, "open", ESTALE, name);
}

int step_bind_fd(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]);
  if (run->old_root < 0) return run_failed(run, "the new root", EINVAL, path);
  int source = open_by_name(run, (int)step->a[0]);
  if (source < 0) return -1;
  int folder = must(run, is_folder(source), "statx", path);
  int tree = folder < 0 ? -1 : must(run, sys(__NR_open_tree, source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE), "open_tree", path);
  sys_close(source);
  if (tree < 0) return -1;
  if (set_attributes(run, tree, step->a[2], step->a[3], path) < 0) return sys_close(tree), -1;
  return attach_tree(run, tree, path, !folder);
}

/* --- the first process and the payload -------------------------------------------------------------------------- */

/* A program as seccomp_export_bpf(3) writes it. */
int step_seccomp_fd(struct run *run, const struct plan_step *step) {
  static struct sock_filter filter[BPF_MAXINSNS + 1];
  long size = must(run, read_up_to((int)step->a[0], filter, sizeof filter), "read", "a seccomp filter");
  if (size < 0) return -1;
  if (!size || size % (long)sizeof filter[0] || size > BPF_MAXINSNS * (long)sizeof filter[0]) return run_failed(run, "length", EINVAL, "a seccomp filter");
  struct sock_fprog program = {(unsigned short)(size / (long)sizeof filter[0]), filter};
  return must(run, sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp", "");
}

/* A record lock belongs to the process that took it: the descriptor stays open in init, and ends with it. */
int step_lock_file(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  struct { short type, whence; int padding; long start, length; int pid; } lock = {.type = 0 /* F_RDLCK */};
  int fd = must(run, sys_openat(AT_FDCWD, path, O_RDONLY, 0), "open", path);
  if (fd < 0) return -1;
  return must(run, sys(__NR_fcntl, fd, 6 /* F_SETLK */, &lock), "fcntl", path) < 0 ? -1 : 0;
}

static int write_proc(struct run *run, int proc, const char *path, const char *data, size_t size) {
  if (!size) return 0;
  int fd = must(run, sys_openat(proc, path, O_WRONLY, 0), "open", path);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, data, size), "write", path);
  sys_close(fd);
  return result;
}

int step_nest_users(struct run *run, const struct plan_step *step) {
  int proc = run->slots[step->a[0]];
  if (step->a[1] && write_proc(run, proc, "sys/user/max_user_namespaces", "1", 1) < 0) return -1;
  if (must(run, sys(__NR_unshare, CLONE_NEWUSER), "unshare", "user namespace") < 0) return -1;
  if (write_proc(run, proc, "self/uid_map", run->plan->data + step->a[2], step->a[3]) < 0) return -1;
  return write_proc(run, proc, "self/gid_map", run->plan->data + step->a[4], step->a[5]);
}

int step_no_users(struct run *run, const struct plan_step *step unused) {
  return sys(__NR_unshare, CLONE_NEWUSER) < 0 ? 0 : run_failed(run, "unshare", EEXIST, "a user namespace could be made");
}

static char **extend(struct run *run, char **env, uint32_t count, uint32_t added) {
  char **longer = (char **)sys(__NR_mmap, 0, (count + added + 1ul) * sizeof *longer, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  if ((unsigned long)longer > -4096ul) return run_failed(run, "mmap", ENOMEM, "environment"), (char **)0;
  for (uint32_t i = 0; i < count; i++) longer[i] = env[i];
  return longer;
}

static uint32_t length(char **list) {
  uint32_t count = 0;
  while (list[count]) count++;
  return count;
}

static int has_name(const char *entry, const char *name, size_t size) { return text_starts(entry, name) && (entry[size] == '=' || !entry[size]); }

static uint32_t remove_name(char **env, const char *name) {
  uint32_t kept = 0;
  size_t size = 0;
  while (name[size] && name[size] != '=') size++;
  char key[256];
  if (size >= sizeof key) return length(env);
  memcpy(key, name, size);
  key[size] = 0;
  for (char **from = env; *from; from++)
    if (!has_name(*from, key, size)) env[kept++] = *from;
  env[kept] = 0;
  return kept;
}

int step_environment(struct run *run, const struct plan_step *step) {
  uint32_t added = step->a[1] ? plan_list_count(run->plan, step->a[1]) : 0, removed = step->a[2] ? plan_list_count(run->plan, step->a[2]) : 0;
  uint32_t count = step->a[0] ? length(launcher_env) : 0;
  run->env = extend(run, launcher_env, count, added + 1); /* and one for PWD */
  if (!run->env) return -1;
  for (uint32_t i = 0; i < removed; i++) count = remove_name(run->env, plan_list_string(run->plan, step->a[2], i));
  for (uint32_t i = 0; i < added; i++) {
    char *entry = (char *)plan_list_string(run->plan, step->a[1], i);
    count = remove_name(run->env, entry);
    run->env[count++] = entry;
    run->env[count] = 0;
  }
  return 0;
}

/* The first that can be entered; what PWD says goes by how it was called, not by what it is. */
int step_cwd_first(struct run *run, const struct plan_step *step) {
  static char pwd[PATH_ROOM + 4] = "PWD=";
  uint32_t count = plan_list_count(run->plan, step->a[0]);
  int result = -ENOENT;
  const char *path = "/";
  for (uint32_t i = 0; i < count && result < 0; i++) {
    path = plan_list_string(run->plan, step->a[0], i);
    int folder = open_target(run, path, O_PATH | O_DIRECTORY);
    result = folder < 0 ? folder : (int)sys(__NR_fchdir, folder);
    if (folder >= 0) sys_close(folder);
  }
  if (must(run, result, "chdir", path) < 0) return -1;
  text_append(pwd, sizeof pwd, path);
  if (!run->env) return 0;
  uint32_t kept = remove_name(run->env, "PWD");
  run->env[kept] = pwd;
  run->env[kept + 1] = 0;
  return 0;
}
