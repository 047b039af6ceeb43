/* Programs of the host: those that the plan runs to their end, and companions that stay as long as the sandbox. */
#include "run.h"
#include "sys.h"
#include <linux/capability.h>
#include <linux/poll.h>
#include <linux/prctl.h>

#define COMPANION_GRACE_S 5

/* linux/in.h and linux/in6.h want a C library's headers. */
#define AF_INET4 2
#define AF_INET6 10
struct sockaddr_in4 { uint16_t family, port; uint32_t address; char zero[8]; };
struct sockaddr_in6 { uint16_t family, port; uint32_t flow; uint8_t address[16]; uint32_t scope; };
static uint16_t net_order(uint16_t value) { return __builtin_bswap16(value); }
static uint32_t net_order_long(uint32_t value) { return __builtin_bswap32(value); }

static _Noreturn void become_program(struct run *run, const struct plan_step *step, int input, int output) {
  uint32_t list = step->a[0], count = plan_list_count(run->plan, list);
  char *argv[128];
  static char texts[128][PATH_ROOM / 8];
  for (uint32_t i = 0; i < count; i++) {
    argv[i] = (char *)run_text(run, step, plan_u32(run->plan, list + 4 + 4 * i));
    if (step->flags & STEP_ID && strlen(argv[i]) < sizeof texts[0]) text_copy(texts[i], sizeof texts[0], argv[i]), argv[i] = texts[i];
  }
  argv[count] = 0;
  uint64_t none = 0;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, sizeof none);
  sys_dup3(input, 0, 0);
  sys_dup3(output, 1, 0);
  sys_dup3(output, 2, 0);
  sys_exit(sys(__NR_execve, argv[0], argv, launcher_env) == -ENOENT ? 127 : 126);
}

/* What the program said last, on one line: the reason that a person needs. */
static void last_words(int output, char *words, size_t room) {
  long size = sys(__NR_lseek, output, 0, 2 /* SEEK_END */);
  long from = size > (long)room - 1 ? size - (long)room + 1 : 0;
  sys(__NR_lseek, output, from, SEEK_SET);
  long n = read_up_to(output, words, room - 1);
  words[n < 0 ? 0 : n] = 0;
  for (char *p = words + strlen(words); p > words && p[-1] == '\n';) *--p = 0;
  for (char *p = words; *p; p++)
    if (*p == '\n') *p = ' ';
}

/* A program's standard input, with "%i", "%p" and "%%" replaced where the step says so (an OCI hook's state). */
static int write_input(struct run *run, const struct plan_step *step, int fd) {
  const char *from = run->plan->data + step->a[1], *end = from + step->a[2];
  int result = 0;
  while (from < end && result >= 0) {
    const char *stop = from;
    while (stop < end && !(*stop == '%' && step->flags & STEP_ID && end - stop > 1)) stop++;
    result = write_all(fd, from, (size_t)(stop - from));
    if (stop == end || result < 0) break;
    char pid[24] = "";
    text_append_number(pid, sizeof pid, (uint64_t)run->child);
    const char *put = stop[1] == 'i' ? run->id : stop[1] == 'p' ? pid : "%";
    result = write_all(fd, put, strlen(put));
    from = stop + (stop[1] == 'i' || stop[1] == 'p' || stop[1] == '%' ? 2 : 1);
  }
  return result;
}

/* Memory files and not pipes: a program that goes on in the background (pasta) never blocks on them. */
static int open_files(struct run *run, const struct plan_step *step, int *input, int *output) {
  const char *program = plan_list_string(run->plan, step->a[0], 0);
  *input = must(run, sys(__NR_memfd_create, "input", 1 /* MFD_CLOEXEC */), "memfd_create", program);
  if (*input < 0) return -1;
  *output = must(run, sys(__NR_memfd_create, "output", 1), "memfd_create", program);
  if (*output < 0 || must(run, write_input(run, step, *input), "write", program) < 0) return -1;
  sys(__NR_lseek, *input, 0, SEEK_SET);
  return 0;
}

/* As wait(2) tells it; one that cannot be waited for has failed. */
static int await_end(int pid) {
  int status = 0, ended;
  do ended = (int)sys(__NR_wait4, pid, &status, 0, 0);
  while (ended == -EINTR);
  return ended < 0 ? 125 << 8 : status;
}

/* What it was, what it said last, and what its exit status tells. */
static int program_failed(struct run *run, const char *program, int output, int status, int timed_out) {
  char words[200] = "", argument[256] = "";
  last_words(output, words, sizeof words);
  text_append(argument, sizeof argument, program);
  text_append(argument, sizeof argument, *words ? ": " : "");
  text_append(argument, sizeof argument, words);
  int exited = (status & 0x7f) == 0 ? status >> 8 & 0xff : 0;
  return run_failed(run, "run", timed_out ? ETIMEDOUT : exited == 127 ? ENOENT : exited == 126 ? EACCES : ECHILD, argument);
}

static int enter_namespace(int pid, const char *name, int type) {
  char path[64] = "/proc/";
  text_append_number(path, sizeof path, (uint64_t)pid);
  text_append(path, sizeof path, "/ns/");
  text_append(path, sizeof path, name);
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return fd;
  int result = (int)sys(__NR_setns, fd, type);
  sys_close(fd);
  return result;
}

/* Where this process has the rights of the sandbox's user namespace, or of the host's where it has none of its own. */
static int enter_network(int pid) {
  int joined = enter_namespace(pid, "user", 0x10000000 /* CLONE_NEWUSER */);
  if (joined < 0 && joined != -EINVAL) return joined; /* EINVAL: it is this one's own */
  return enter_namespace(pid, "net", 0x40000000 /* CLONE_NEWNET */);
}

/* Ambient, since the id that it has there need not be root's (capabilities(7)). */
static int keep_network_rights(void) {
  struct __user_cap_header_struct self = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[2];
  int result = (int)sys(__NR_capget, &self, sets);
  if (result < 0) return result;
  sets[0].inheritable |= 1u << CAP_NET_ADMIN;
  result = (int)sys(__NR_capset, &self, sets);
  return result < 0 ? result : (int)sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
}

static _Noreturn void run_inside(struct run *run, const struct plan_step *step, int input, int output) {
  int result = enter_network(run->child);
  if (result >= 0) result = keep_network_rights();
  if (result >= 0) become_program(run, step, input, output);
  char line[64] = "cannot enter the sandbox's network: errno ";
  text_append_number(line, sizeof line, (uint64_t)-result);
  write_all(output, line, strlen(line));
  sys_exit(125);
}

int step_run_inside(struct run *run, const struct plan_step *step) { return step_run(run, step); }

int step_run(struct run *run, const struct plan_step *step) {
  if (plan_list_count(run->plan, step->a[0]) - 1 > 126) return run_failed(run, "run", EINVAL, "between 1 and 127 words");
  const char *program = plan_list_string(run->plan, step->a[0], 0);
  int input, output;
  if (open_files(run, step, &input, &output) < 0) return -1;
  int pid = must(run, sys_fork(), "fork", program);
  if (pid < 0) return -1;
  if (!pid) {
    sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
    if (step->op == OP_RUN_INSIDE) run_inside(run, step, input, output);
    become_program(run, step, input, output);
  }
  int pidfd = must(run, sys(__NR_pidfd_open, pid, 0), "pidfd_open", program), status = 0, timed_out = 0;
  struct pollfd end = {pidfd, POLLIN, 0};
  struct __kernel_timespec limit = {step->a[3] / 1000, step->a[3] % 1000 * 1000000};
  if (pidfd >= 0) timed_out = sys(__NR_ppoll, &end, 1, step->a[3] ? &limit : 0, 0, 0) == 0;
  if (pidfd < 0 || timed_out) sys_kill(pid, 9);
  status = await_end(pid);
  sys_close(pidfd);
  int result = pidfd < 0 ? -1 : status ? program_failed(run, program, output, status, timed_out) : 0;
  sys_close(input);
  sys_close(output);
  return result;
}

/* --- companions ------------------------------------------------------------------------------------------------ */

#define LEASH 3
#define FIRST_SOCKET 4

/* A socket on the loopback address, listening where its type can. */
static int open_socket(const struct plan_socket *wanted, int place) {
  struct sockaddr_in4 v4 = {AF_INET4, net_order(wanted->port), net_order_long(0x7f000001), {0}};
  struct sockaddr_in6 v6 = {AF_INET6, net_order(wanted->port), 0, {[15] = 1}, 0};
  int fd = (int)sys(__NR_socket, wanted->family, wanted->type | O_CLOEXEC, 0), one = 1;
  if (fd < 0) return fd;
  /* the loopback link may not be up yet, and has no address until then */
  if (wanted->family == AF_INET4) sys(__NR_setsockopt, fd, 0 /* IPPROTO_IP */, 15 /* IP_FREEBIND */, &one, sizeof one);
  int result = wanted->family == AF_INET4 ? (int)sys(__NR_bind, fd, &v4, sizeof v4) : 0;
  if (wanted->family == AF_INET6) {
    sys(__NR_setsockopt, fd, 41 /* IPPROTO_IPV6 */, 26 /* IPV6_V6ONLY */, &one, sizeof one);
    result = (int)sys(__NR_bind, fd, &v6, sizeof v6);
  }
  if (result >= 0 && wanted->type == 1 /* SOCK_STREAM */) result = (int)sys(__NR_listen, fd, 128);
  if (result >= 0 && fd == place) return (int)sys_fcntl(fd, F_SETFD, 0);
  if (result >= 0) result = sys_dup3(fd, place, 0);
  sys_close(fd);
  return result;
}

static int open_sockets_inside(int pid, const struct plan_socket *sockets, uint32_t count) {
  int joined = enter_network(pid);
  int nothing = joined < 0 ? -1 : sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
  if (joined < 0 || nothing < 0) return joined < 0 ? joined : nothing;
  for (uint32_t i = 0; i < count; i++) {
    int place = FIRST_SOCKET + (int)i, opened = open_socket(&sockets[i], place);
    if (opened < 0 && !sockets[i].optional) return opened;
    if (opened < 0) sys_dup3(nothing, place, 0);
  }
  return 0;
}

/* A child that shares the descriptors goes there, so that this process itself stays where the host's network is. */
static int open_sockets(struct run *run, const struct plan_step *step) {
  uint32_t count = step->a[5] / sizeof(struct plan_socket);
  if (!count) return 0;
  int pid = (int)sys(__NR_clone, 0x400 /* CLONE_FILES */ | 17 /* SIGCHLD */, 0, 0, 0, 0), status = 0;
  if (pid < 0) return pid;
  if (!pid) sys_exit(-open_sockets_inside(run->child, (const void *)(run->plan->data + step->a[4]), count));
  status = await_end(pid);
  return status & 0x7f ? -ECHILD : -(status >> 8 & 0xff);
}

/* What it is before it is the program: apart from the terminal, with no descriptor of anybody's, and no way to rights. */
static int set_apart(int leash) {
  int result = (int)sys(__NR_setsid);
  if (result >= 0) result = (int)sys(__NR_chdir, "/");
  if (result >= 0) result = (int)sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (result >= 0) result = (int)sys(__NR_close_range, LEASH, 63, 0);
  if (result >= 0) result = (int)sys(__NR_close_range, 64, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  return result < 0 ? result : sys_dup3(leash, LEASH, 0);
}

static _Noreturn void fail_companion(int output, const char *what, int error) {
  char line[64] = "";
  text_append(line, sizeof line, what);
  text_append(line, sizeof line, ": errno ");
  text_append_number(line, sizeof line, (uint64_t)-error);
  write_all(output, line, strlen(line));
  sys_exit(125);
}

static _Noreturn void become_companion(struct run *run, const struct plan_step *step, int input, int output, int leash) {
  int high[3] = {input, output, leash};
  for (int i = 0; i < 3; i++) high[i] = (int)sys_fcntl(high[i], F_DUPFD_CLOEXEC, 64);
  int apart = set_apart(high[2]);
  if (apart < 0) fail_companion(high[1], "cannot be set apart", apart);
  int opened = open_sockets(run, step);
  if (opened < 0) fail_companion(high[1], "cannot listen inside of the sandbox", opened);
  become_program(run, step, high[0], high[1]);
}

/* Whether it said that it is ready: a byte on the leash. */
static int await_ready(int leash, uint32_t timeout_ms, int *timed_out) {
  char byte;
  struct pollfd said = {leash, POLLIN, 0};
  struct __kernel_timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
  *timed_out = sys(__NR_ppoll, &said, 1, timeout_ms ? &limit : 0, 0, 0) == 0;
  return !*timed_out && sys_read(leash, &byte, 1) == 1;
}

int step_companion(struct run *run, const struct plan_step *step) {
  const char *program = plan_list_string(run->plan, step->a[0], 0);
  if (plan_list_count(run->plan, step->a[0]) - 1 > 126) return run_failed(run, "run", EINVAL, "between 1 and 127 words");
  if (run->companion_count == (int)array_size(run->companions)) return run_failed(run, "companion", E2BIG, program);
  if (step->a[5] % sizeof(struct plan_socket) || step->a[5] / sizeof(struct plan_socket) > 16) return run_failed(run, "companion", EINVAL, "sockets");
  int input, output, pair[2], status = 0, timed_out = 0;
  if (open_files(run, step, &input, &output) < 0) return -1;
  if (must(run, sys(__NR_socketpair, 1 /* AF_UNIX */, 1 /* SOCK_STREAM */ | O_CLOEXEC, 0, pair), "socketpair", "") < 0) return -1;
  int pid = must(run, sys_fork(), "fork", program);
  if (!pid) become_companion(run, step, input, output, pair[1]);
  sys_close(pair[1]);
  int ready = pid > 0 && await_ready(pair[0], step->a[3], &timed_out), result = ready ? 0 : -1;
  if (ready) {
    run->companions[run->companion_count].pid = pid;
    run->companions[run->companion_count].signal = (int)step->a[6];
    run->companions[run->companion_count++].leash = pair[0];
  } else sys_close(pair[0]);
  if (!ready && pid > 0) {
    sys_kill(pid, 9); /* one that is ending has its status already */
    status = await_end(pid);
    result = program_failed(run, program, output, status, timed_out);
  }
  sys_close(input);
  sys_close(output);
  return result;
}

/* It undoes what it did when the leash is let go of; one that does not end is ended. */
static void end_companion(int pid, int leash, int signal) {
  sys_close(leash);
  if (signal) sys_kill(pid, signal);
  int pidfd = (int)sys(__NR_pidfd_open, pid, 0);
  struct pollfd end = {pidfd, POLLIN, 0};
  struct __kernel_timespec limit = {COMPANION_GRACE_S, 0};
  if (pidfd < 0 || sys(__NR_ppoll, &end, 1, &limit, 0, 0) == 0) sys_kill(pid, 9);
  while (sys(__NR_wait4, pid, 0, 0, 0) == -EINTR) {}
  if (pidfd >= 0) sys_close(pidfd);
}

void end_companions(struct run *run) {
  while (run->companion_count > 0) {
    run->companion_count--;
    end_companion(run->companions[run->companion_count].pid, run->companions[run->companion_count].leash, run->companions[run->companion_count].signal);
  }
}
