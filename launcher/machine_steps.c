/* The steps that only machines have. */
#include "run.h"
#include "socket.h"
#include "status.h"
#include "sys.h"

#define SOCK_DGRAM_ 2
#define SO_PASSCRED_ 16

/* For machine.c alone: it is found by its operation. */
int step_machine(struct run *run, const struct plan_step *step unused) {
  (void)run;
  return 0;
}

int step_setsid(struct run *run, const struct plan_step *step unused) { return must(run, sys(__NR_setsid), "setsid", ""); }

int step_lock_host(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  if (run->lock_count == (int)array_size(run->locks)) return run_failed(run, "flock", E2BIG, path);
  int fd = must(run, sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0), "open", path);
  if (fd < 0) return -1;
  int locked = (int)sys(__NR_flock, fd, (step->a[1] ? 2 /* LOCK_EX */ : 1 /* LOCK_SH */) | 4 /* LOCK_NB */);
  if (must(run, locked == -EAGAIN ? -EBUSY : locked, "flock", path) < 0) return sys_close(fd), -1;
  run->locks[run->lock_count++] = fd;
  return 0;
}

/* What a delegated cgroup's manager writes (cgroup-v2.rst, "Delegation"); `tasks` is version 1's. */
int step_cgroup_own(struct run *run, const struct plan_step *step) {
  static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "memory.oom.group", "tasks", "cgroup.clone_children"};
  int folder = run->slots[step->a[0]];
  if (must(run, sys(__NR_fchown, folder, step->a[1], step->a[2]), "chown", "the cgroup") < 0) return -1;
  for (size_t i = 0; i < array_size(files); i++) {
    int result = (int)sys(__NR_fchownat, folder, files[i], step->a[1], step->a[2], AT_SYMLINK_NOFOLLOW);
    if (result != -ENOENT && must(run, result, "chown", files[i]) < 0) return -1;
  }
  return 0;
}

static int write_new(struct run *run, const char *path, const void *data, size_t size, int mode) {
  const char *name;
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  int fd = must(run, sys_openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode), "create", path);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, data, size), "write", path);
  if (result >= 0) result = must(run, sys(__NR_fchmod, fd, mode), "chmod", path);
  sys_close(fd);
  return result < 0 ? -1 : 0;
}

/* RFC 9562, version 4, as the kernel writes /proc/sys/kernel/random/boot_id. */
int step_uuid_file(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  unsigned char bytes[16];
  char text[38], *to = text;
  if (must(run, sys(__NR_getrandom, bytes, sizeof bytes, 0), "getrandom", "") < 0) return -1;
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = "0123456789abcdef"[bytes[i] >> 4];
    *to++ = "0123456789abcdef"[bytes[i] & 15];
  }
  *to++ = '\n';
  return write_new(run, path, text, (size_t)(to - text), (int)step->a[1]);
}

/* Beside it first, then renamed over it: whoever looks sees the old one or the new one, and no link is followed. */
int step_replace(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *data = run->plan->data + step->a[1], *name;
  char fresh[300] = ".brig-", target[PATH_ROOM];
  uint32_t size = step->a[2], kind = step->a[3];
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  if (kind == REPLACE_REMOVE) {
    int gone = sys_unlinkat(parent, name, 0);
    return gone == -ENOENT || must(run, gone, "unlink", path) >= 0 ? 0 : -1;
  }
  if (kind == REPLACE_UNLESS_LINK && sys(__NR_readlinkat, parent, name, target, sizeof target) >= 0) return 0;
  text_append(fresh, sizeof fresh, run->id);
  sys_unlinkat(parent, fresh, 0);
  int made = 0;
  if (kind == REPLACE_LINK) {
    if (size >= sizeof target) return run_failed(run, "symlink", ENAMETOOLONG, path);
    memcpy(target, data, size);
    target[size] = 0;
    made = must(run, sys(__NR_symlinkat, target, parent, fresh), "symlink", path);
  } else {
    int fd = made = must(run, sys_openat(parent, fresh, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644), "create", path);
    if (fd >= 0) made = must(run, write_all(fd, data, size), "write", path);
    if (made >= 0) made = must(run, sys(__NR_fchmod, fd, 0644), "chmod", path);
    if (fd >= 0) sys_close(fd);
  }
  if (made >= 0) made = must(run, sys(__NR_renameat2, parent, fresh, parent, name, 0), "rename", path);
  if (made < 0) sys_unlinkat(parent, fresh, 0);
  return made < 0 ? -1 : 0;
}

static int hand_over(int socket, int fd) {
  struct record record = {RECORD_NOTIFY, 0};
  struct iovec part = {&record, sizeof record};
  union descriptor_room room = {.part = {offsetof(union descriptor_room, part.fd) + sizeof fd, SOL_SOCKET, SCM_RIGHTS, fd}};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = room.part.length};
  return (int)sys(__NR_sendmsg, socket, &message, MSG_NOSIGNAL);
}

/* Bound by its folder's descriptor, since no link of the root may lead elsewhere. */
int step_notify(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *name;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int parent = must(run, open_parent(run, path, &name), "open", path);
  if (parent < 0) return -1;
  int fd = must(run, sys(__NR_socket, AF_UNIX, SOCK_DGRAM_ | O_CLOEXEC | O_NONBLOCK, 0), "socket", path);
  int kept = must(run, sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0), "open", ".");
  int there = fd < 0 || kept < 0 ? -1 : must(run, sys(__NR_fchdir, parent), "fchdir", path);
  text_copy(address.sun_path, sizeof address.sun_path, name);
  if (there >= 0) there = must(run, sys(__NR_bind, fd, &address, sizeof address), "bind", path);
  if (there >= 0) there = must(run, sys(__NR_fchmodat, parent, name, 0777), "chmod", path);
  if (kept >= 0) sys(__NR_fchdir, kept), sys_close(kept);
  if (there >= 0) there = must(run, hand_over(run->sync, fd), "sendmsg", "the notify socket");
  if (fd >= 0) sys_close(fd);
  return there < 0 ? -1 : 0;
}
