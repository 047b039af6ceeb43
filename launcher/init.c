/*
 * The sandbox's first process: makes the payload's session, forks it, reaps what is left to it, passes signals on,
 * tells the supervisor what became of the payload, and leaves when it ends, which ends everything in the pid namespace.
 */
#include "descriptors.h"
#include "run.h"
#include "signals.h"
#include "socket.h"
#include "status.h"
#include "supervise.h"
#include "sys.h"
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/time.h>
#include <linux/wait.h>

#define TIOCSCTTY 0x540e
#define TIOCSPGRP 0x5410

struct init {
  struct run *run;
  int signal_fd;
  int exec_fd;   /* closes when the payload has been executed */
  int payload;   /* pid, or 0 */
  struct record_exited exited; /* what was reaped has used */
  int ends_tree; /* nothing that the payload left behind may go on */
  int is_over;   /* the payload has ended, and others have not: RUN_OUTLAST */
  int32_t status; /* of the last one, or of the payload */
};

static _Noreturn void give_up(struct run *run) {
  record_send(run->sync, RECORD_FAILED, &run->failure, sizeof run->failure);
  sys_exit(125);
}

/* With the session leader here, the payload's group has a parent in its session: it may be stopped (setpgid(2)). */
static int make_session(struct run *run) {
  if (run->pty_side < 0) return 0;
  if (must(run, sys(__NR_setsid), "setsid", "") < 0) return -1;
  if (must(run, sys_ioctl(run->pty_side, TIOCSCTTY, 0), "ioctl TIOCSCTTY", "") < 0) return -1;
  run->session_made = 1;
  return 0;
}

/* Signals are held back, so a background group may make itself the foreground one. */
static int lead_foreground(struct run *run) {
  int self = sys_getpid();
  if (must(run, sys(__NR_setpgid, 0, 0), "setpgid", "") < 0) return -1;
  return must(run, sys_ioctl(run->pty_side, TIOCSPGRP, &self), "ioctl TIOCSPGRP", "");
}

/* Waits until init is restricted: no payload runs beside an init that could not be. */
static void wait_for_init(struct run *run, int go_fd) {
  char word;
  long got = run->plan->header->steps[PHASE_INIT] ? read_up_to(go_fd, &word, 1) : 1;
  if (got < 0) run_failed(run, "read", (int)got, "init's word"), give_up(run);
  if (got == 0) sys_exit(125); /* init has told why */
}

static _Noreturn void become_payload(struct run *run, int go_fd, int was_shown) {
  if (was_shown && must(run, sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl PR_SET_DUMPABLE", "the payload") < 0) give_up(run);
  wait_for_init(run, go_fd);
  if (run->session_made && lead_foreground(run) < 0) give_up(run);
  payload_main(run);
}

/* What restricts init was done before the two part: the payload need not wait for it. */
static int is_restricted(const struct run *run) { return !run->plan->header->steps[PHASE_INIT]; }

static void fork_payload(struct init *init, int was_shown) {
  struct run *run = init->run;
  int pair[2];
  if (must(run, socket_pair(pair), "socketpair", "") < 0) give_up(run);
  init->payload = must(run, is_restricted(run) ? sys_vfork() : sys_fork(), "clone", "the payload");
  if (init->payload < 0) give_up(run);
  if (!init->payload) {
    sys_close(pair[0]);
    become_payload(run, pair[1], was_shown);
  }
  sys_close(pair[1]);
  init->exec_fd = pair[0];
}

/*
 * Holds nothing of the host's root, of the payload's pipes, or of what the steps opened. The terminal's side is kept:
 * its master would see an end when the payload closes it for a moment.
 */
static void let_go(struct init *init) {
  int *const kept[] = {&init->run->sync, &init->signal_fd, &init->exec_fd, &init->run->pty_side};
  if (must(init->run, keep_only(kept, array_size(kept), 0), "dup3", "init's descriptors") < 0) give_up(init->run);
  init->run->new_root = init->run->old_root = -1; /* what INIT steps look up is below this process's own root */
}

static void offer_namespace(int socket, int index, int fd) {
  struct { struct record record; int32_t index; } told = {{RECORD_NAMESPACE, sizeof index}, index};
  struct iovec part = {&told, sizeof told};
  union descriptor_room room = {.part = {offsetof(union descriptor_room, part.fd) + sizeof fd, SOL_SOCKET, SCM_RIGHTS, fd}};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = room.part.length};
  sys(__NR_sendmsg, socket, &message, MSG_NOSIGNAL);
}

/* For whoever joins later; without a /proc of its own there is nothing to give. */
static void offer_namespaces(const struct run *run) {
  static const char *const names[] = NAMESPACE_NAMES;
  if (!(run->plan->header->run_flags & (RUN_NO_PAYLOAD | RUN_DETACH))) return;
  int folder = sys_openat(AT_FDCWD, "/proc/self/ns", O_PATH | O_DIRECTORY, 0); /* whoever changed ids may not read it */
  for (int i = 0; folder >= 0 && i < (int)array_size(names); i++) {
    int fd = sys_openat(folder, names[i], O_RDONLY, 0);
    if (fd < 0) continue;
    offer_namespace(run->sync, i, fd);
    sys_close(fd);
  }
  if (folder >= 0) sys_close(folder);
}

/*
 * Its /proc/1/fd, memory and executable are the host's: closed to the payload though it may have the same identity, and
 * before there is one, which could be faster. True when it was not closed until now.
 */
static int hide_init(struct run *run) {
  int shown = sys_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
  if (must(run, sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE", "init") < 0) give_up(run);
  return shown;
}

static void restrict_init(struct init *init) {
  if (run_phase(init->run, PHASE_INIT) < 0) give_up(init->run);
  if (init->payload && init->run->plan->header->steps[PHASE_INIT]) write_all(init->exec_fd, "", 1);
}

static void tell(const struct init *init, uint32_t type, const void *body, size_t size) {
  record_send(init->run->sync, type, body, size);
}

static int reap_one(struct init *init, int32_t *status, int options) {
  struct rusage usage;
  int pid = (int)sys(__NR_wait4, -1, status, options, &usage);
  if (pid <= 0 || (*status & 0xff) == 0x7f) return pid;
  init->exited.user_us += microseconds(&usage.ru_utime);
  init->exited.system_us += microseconds(&usage.ru_stime);
  if (init->exited.max_rss_kb < (uint64_t)usage.ru_maxrss) init->exited.max_rss_kb = (uint64_t)usage.ru_maxrss;
  return pid;
}

/* Of a parked run's end is heard while its namespaces are still to be removed: nothing in them may be alive then. */
static void end_others(struct init *init) {
  int32_t status;
  int pid;
  sys_kill(-1, SIGKILL);
  do pid = reap_one(init, &status, __WALL);
  while (pid > 0 || pid == -EINTR);
}

/* Without a pid namespace of its own a background process may outlive the command that left it, unless that was ended. */
static _Noreturn void leave(struct init *init, int32_t status) {
  if (init->ends_tree && sys_getpid() != 1) kill_tree();
  if (init->run->parked && sys_getpid() == 1) end_others(init);
  init->exited.status = status;
  tell(init, RECORD_EXITED, &init->exited, sizeof init->exited);
  sys_exit(exit_code(status));
}

/* One that has ended. The sandbox ends with the payload, or with the last one of all; who stops the payload means all. */
static void on_end(struct init *init, int pid, int32_t status) {
  uint32_t flags = init->run->plan->header->run_flags;
  int first = pid == init->payload, stopped = (status & 0x7f) == SIGTERM || (status & 0x7f) == SIGKILL;
  if (first && (!(flags & RUN_OUTLAST) || init->ends_tree || stopped)) leave(init, status);
  if (first) init->is_over = 1, init->payload = 0;
  if (first || (init->is_over && !(flags & RUN_FIRST_STATUS))) init->status = status;
}

static void reap(struct init *init) {
  int32_t status;
  int pid;
  while ((pid = reap_one(init, &status, WNOHANG | WUNTRACED)) > 0) {
    if ((status & 0xff) != 0x7f) on_end(init, pid, status);
    if ((status & 0xff) != 0x7f || pid != init->payload) continue;
    int32_t signal = status >> 8 & 0xff;
    tell(init, RECORD_STOPPED, &signal, sizeof signal);
  }
  if (pid == -ECHILD && init->is_over) leave(init, init->status);
  if (pid < 0 && pid != -ECHILD && pid != -EINTR) run_failed(init->run, "wait4", pid, ""), give_up(init->run);
}

static void signal_payload(struct init *init, int signal, int group) {
  init->ends_tree |= signal == SIGKILL || group == SIGNAL_AND_END;
  if (signal == SIGKILL && sys_getpid() != 1) leave(init, SIGKILL);
  if (!init->payload) {
    if (signal == SIGTERM || signal == SIGKILL) leave(init, signal == SIGKILL ? SIGKILL : 0);
    return;
  }
  if (!group || sys_kill(-init->payload, signal) < 0) sys_kill(init->payload, signal);
}

static void read_signals(struct init *init) {
  struct signalfd_siginfo info;
  while (signals_read(init->signal_fd, &info)) {
    int signal = (int)info.ssi_signo;
    if (signal == SIGCHLD) reap(init);
    /* what is typed, and what a terminal does by itself, the payload's group has got */
    else if (info.ssi_code != SIGNAL_FROM_TERMINAL && signal != SIGTTIN && signal != SIGTTOU) signal_payload(init, signal, 0);
  }
}

/* The supervisor's end closes with it: then nobody is left who could be told, and nothing may go on. */
static void read_supervisor(struct init *init) {
  struct message message;
  int got;
  while ((got = record_receive(init->run->sync, &message, 0)) > 0)
    if (message.record.type == RECORD_SIGNAL) signal_payload(init, message.body.signal.signal, (int)message.body.signal.group);
  if (got == -EAGAIN) return;
  if (sys_getpid() != 1) kill_tree();
  sys_exit(137);
}

static void on_executed(struct init *init) {
  sys_close(init->exec_fd);
  init->exec_fd = -1;
  tell(init, RECORD_STARTED, 0, 0);
}

static void wait_once(struct init *init) {
  struct pollfd polls[] = {{init->signal_fd, POLLIN, 0}, {init->run->sync, POLLIN, 0}, {init->exec_fd, POLLIN, 0}};
  if (sys(__NR_ppoll, polls, array_size(polls), 0, 0, 0) < 0) return;
  /* first: a payload that was executed and is over already has started before it ended */
  if (polls[2].revents) on_executed(init);
  if (polls[0].revents) read_signals(init);
  if (polls[1].revents) read_supervisor(init);
}

_Noreturn void init_main(struct run *run) {
  struct init init = {.run = run, .exec_fd = -1};
  hide_words();
  if (must(run, signals_hold(), "rt_sigprocmask", "") < 0) give_up(run);
  init.signal_fd = must(run, signals_open(), "signalfd4", "");
  if (init.signal_fd < 0 || make_session(run) < 0) give_up(run);
  if (sys_getpid() != 1) sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int idle = run->plan->header->run_flags & RUN_NO_PAYLOAD;
  offer_namespaces(run); /* its own /proc is closed to itself too when it is hidden */
  int was_shown = hide_init(run);
  if (!idle) fork_payload(&init, was_shown && !is_restricted(run)); /* behind vfork both have one memory, and are hidden alike */
  let_go(&init);
  restrict_init(&init);
  if (idle) tell(&init, RECORD_STARTED, 0, 0);
  for (;;) wait_once(&init);
}
