#include "watch.h"
#include "descriptors.h"
#include "socket.h"
#include "status.h"
#include "supervise.h"
#include "sys.h"
#include <linux/filter.h>
#include <linux/ioctl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#if defined(__x86_64__)
#define NATIVE_ARCH 0xc000003eu /* AUDIT_ARCH_X86_64 */
#else
#define NATIVE_ARCH 0xc00000b7u /* AUDIT_ARCH_AARCH64 */
#endif
#define NOTIF_SET_FLAGS _IOW('!', 4, uint64_t) /* newer than Debian 12's headers */
#define MAX_CALLS 256u
#define MAX_BYTES 512u

static struct watch_call calls[MAX_CALLS];
static uint32_t call_count;
static struct path_report looked;
static char report[6 * (2 * PATH_ROOM + 128)];
static size_t report_size;

/* The payload's descriptors stay out: the report is the watcher's to write. */
int step_watch(struct run *run, const struct plan_step *step) {
  if (step->a[2] % sizeof(struct watch_call) || step->a[2] / sizeof(struct watch_call) > MAX_CALLS) return run_failed(run, "watch", EINVAL, "calls");
  if (step->a[4] % sizeof(struct sock_filter)) return run_failed(run, "watch", EINVAL, "filter");
  return must(run, sys_fcntl((int)step->a[0], F_SETFD, 1 /* FD_CLOEXEC */), "fcntl F_SETFD", "the report's descriptor");
}

int watch_hand_over(int sync, int listener) {
  struct record record = {RECORD_LISTENER, 0};
  struct iovec part = {&record, sizeof record};
  union descriptor_room room = {.part = {offsetof(union descriptor_room, part.fd) + sizeof listener, SOL_SOCKET, SCM_RIGHTS, listener}};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = room.part.length};
  long sent;
  do sent = sys(__NR_sendmsg, sync, &message, MSG_NOSIGNAL);
  while (sent == -EINTR);
  return sent < 0 ? (int)sent : 0;
}

/* --- the report -------------------------------------------------------------------------------------------------- */

static void append(const void *data, size_t size) {
  if (size > sizeof report - report_size) return;
  memcpy(report + report_size, data, size);
  report_size += size;
}

static void append_part(int argument, int kind, const void *body, size_t size, const void *more, size_t more_size) {
  struct watch_part part = {(uint16_t)argument, (uint16_t)kind, (uint32_t)(size + more_size)};
  if (sizeof part + size + more_size > sizeof report - report_size) return;
  append(&part, sizeof part);
  append(body, size);
  append(more, more_size);
}

static void append_path(int tid, int argument, int dirfd, uint64_t address) {
  if (!look_from_inside(tid, dirfd, address, &looked)) return;
  size_t asked = strlen(looked.asked) + 1, found = strlen(looked.found) + 1;
  if (asked + found > sizeof looked.asked) found = 1, *looked.found = 0;
  memmove(looked.asked + asked, looked.found, found);
  append_part(argument, WATCH_PATH, &looked.facts, sizeof looked.facts, looked.asked, asked + found);
}

static void append_bytes(int tid, int argument, int kind, uint64_t address, uint64_t size) {
  char bytes[MAX_BYTES];
  long got = address ? read_memory(tid, address, bytes, size < sizeof bytes ? (size_t)size : sizeof bytes) : 0;
  if (got > 0) append_part(argument, kind, bytes, (size_t)got, "", 0);
}

static void append_descriptor(int tid, int argument, int fd) {
  if (fd >= 0 && name_descriptor(tid, fd, looked.found, sizeof looked.found))
    append_part(argument, WATCH_FD, looked.found, strlen(looked.found) + 1, "", 0);
}

/* The first buffer of the first message (sendmmsg(2)): a resolver's question. */
static void append_message(int tid, int argument, uint64_t address) {
  struct msghdr message;
  struct iovec first;
  if (!address || read_memory(tid, address, &message, sizeof message) != sizeof message) return;
  if (read_memory(tid, (uint64_t)(unsigned long)message.msg_iov, &first, sizeof first) != sizeof first) return;
  append_bytes(tid, argument, WATCH_BYTES, (uint64_t)(unsigned long)first.iov_base, first.iov_len);
}

/* A unix socket's name is a path, unless it begins with NUL (unix(7)). */
static void append_address(int tid, int argument, uint64_t address, uint64_t size) {
  struct { uint16_t family; char first; } begin = {0};
  if (!address || read_memory(tid, address, &begin, 3) != 3) return;
  append_bytes(tid, argument, WATCH_ADDRESS, address, size < 128 ? size : 128);
  if (begin.family == AF_UNIX && begin.first && size > 2) append_path(tid, argument, AT_FDCWD, address + 2);
}

static void append_argument(int tid, int argument, const struct watch_call *call, const uint64_t *args) {
  uint64_t value = args[argument], next = argument < 5 ? args[argument + 1] : 0;
  int at = argument && call->kinds[argument - 1] == WATCH_AT;
  switch (call->kinds[argument]) {
    case WATCH_PATH: append_path(tid, argument, at ? (int)args[argument - 1] : AT_FDCWD, value); break;
    case WATCH_ADDRESS: append_address(tid, argument, value, next); break;
    case WATCH_BYTES: append_bytes(tid, argument, WATCH_BYTES, value, next); break;
    case WATCH_MESSAGE: append_message(tid, argument, value); break;
    case WATCH_FD: append_descriptor(tid, argument, (int)value); break;
  }
}

static const struct watch_call *find_call(const struct seccomp_data *data) {
  for (uint32_t i = 0; i < call_count && data->arch == NATIVE_ARCH; i++)
    if (calls[i].nr == (uint32_t)data->nr) return &calls[i];
  return 0;
}

static void read_name(int tid, char *name, size_t room) {
  char path[64] = "/proc/";
  text_append_number(path, sizeof path, (uint64_t)tid);
  text_append(path, sizeof path, "/comm");
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  long size = fd < 0 ? 0 : read_up_to(fd, name, room);
  if (fd >= 0) sys_close(fd);
  for (long i = 0; i < (long)room; i++)
    if (i >= size || name[i] == '\n') name[i] = 0;
}

/* The last of NSpid (proc_pid_status(5)), while the thread waits here: who reads the report may come when it is gone. */
static uint32_t read_inner_pid(int tid) {
  char path[64] = "/proc/", status[8192];
  text_append_number(path, sizeof path, (uint64_t)tid);
  text_append(path, sizeof path, "/status");
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  long size = fd < 0 ? 0 : read_up_to(fd, status, sizeof status - 1);
  if (fd >= 0) sys_close(fd);
  status[size > 0 ? size : 0] = 0;
  for (const char *line = status; *line;) {
    int wanted = text_starts(line, "NSpid:");
    uint32_t last = 0, number = 0;
    for (; *line && *line != '\n'; line++) {
      number = *line >= '0' && *line <= '9' ? number * 10 + (uint32_t)(*line - '0') : 0;
      if (number) last = number;
    }
    if (wanted) return last;
    if (*line) line++;
  }
  return 0;
}

static void describe(const struct seccomp_notif *told, uint32_t answer) {
  const struct watch_call *call = find_call(&told->data);
  struct watch_event event = {.pid = told->pid, .nr = (uint32_t)told->data.nr, .arch = told->data.arch, .answer = answer, .inner = read_inner_pid((int)told->pid)};
  memcpy(event.args, told->data.args, sizeof event.args);
  read_name((int)told->pid, event.name, sizeof event.name);
  report_size = 0;
  append(&event, sizeof event);
  for (int i = 0; call && i < 6; i++) append_argument((int)told->pid, i, call, (const uint64_t *)told->data.args);
  event.size = (uint32_t)report_size;
  memcpy(report, &event.size, sizeof event.size);
}

/* --- the child --------------------------------------------------------------------------------------------------- */

static int32_t decide(uint32_t answer, uint32_t flags) {
  uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
  if (flags & WATCH_ONLY || action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG) return 0;
  return action == SECCOMP_RET_ERRNO ? (int32_t)(answer & SECCOMP_RET_DATA) : EPERM;
}

/* A call whose process is gone has nobody to answer. */
static void serve(struct run *run, const struct plan_step *step, int listener, int output) {
  struct seccomp_notif told = {0};
  if (sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &told) < 0) return;
  const char *filter = run->plan->data + step->a[3];
  uint32_t answer = step->a[4] ? filter_answer(filter, step->a[4] / sizeof(struct sock_filter), &told.data) : SECCOMP_RET_ALLOW;
  describe(&told, answer);
  /* what was read is of this call and not of one whose process has taken the number meanwhile */
  if (sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &told.id) < 0) return;
  write_all(output, report, report_size); /* nobody reads any more: the payload goes on all the same */
  int32_t error = decide(answer, step->a[5]);
  struct seccomp_notif_resp say = {.id = told.id, .error = -error, .flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE};
  if (answer == (SECCOMP_RET_ERRNO | 0) && !(step->a[5] & WATCH_ONLY)) say.flags = 0; /* errno 0: not done, and called a success */
  sys_ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &say);
}

/* Groups of root's own would open to a look what the payload, which has none of them, cannot open. */
static void drop_groups(void) {
  if (!sys(__NR_geteuid)) sys(__NR_setgroups, 0, 0);
}

static _Noreturn void watch_main(struct run *run, const struct plan_step *step, int listener) {
  int output = (int)step->a[0];
  int *const kept[] = {&listener, &output};
  sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
  if (keep_only(kept, array_size(kept), 0) < 0) sys_exit(125);
  drop_groups();
  sys_ioctl(listener, NOTIF_SET_FLAGS, (void *)1 /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6 */); /* only quicker */
  call_count = step->a[2] / sizeof *calls;
  memcpy(calls, run->plan->data + step->a[1], call_count * sizeof *calls);
  for (;;) {
    struct pollfd poll = {listener, POLLIN, 0};
    if (sys(__NR_ppoll, &poll, 1, 0, 0, 0) < 0) continue;
    if (poll.revents & POLLIN) serve(run, step, listener, output);
    else sys_exit(0); /* the last process that has the filter is gone */
  }
}

int watch_start(struct run *run, int listener) {
  const struct plan_step *step = find_step(run->plan, OP_WATCH);
  if (!step || listener < 0) return -EPROTO;
  int pid = sys_fork();
  if (!pid) watch_main(run, step, listener);
  sys_close(listener);
  sys_close((int)step->a[0]); /* the reader sees the end when the child ends */
  return pid < 0 ? pid : 0;
}
