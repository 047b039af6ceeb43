/*
 * The supervisor: waits for everything at once (signals, the first process's records, its end, the timeout, the
 * terminal), and is over when the first process is reaped. Its death is the sandbox's: the sync socket closes.
 */
#include "supervise.h"
#include "caller.h"
#include "container.h"
#include "machine.h"
#include "notify.h"
#include "signals.h"
#include "socket.h"
#include "status.h"
#include "sys.h"
#include "tty.h"
#include "watch.h"
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>

#define KEEPER_MS 5000
#define STARTED_US 50000

static int parent_pid;

void supervise_note_parent(void) { parent_pid = (int)sys(__NR_getppid); }

static uint32_t flags_of(const struct supervisor *s) { return s->run->plan->header->run_flags; }

const struct plan_step *find_step(const struct plan *plan, uint16_t op) {
  uint32_t count = 0;
  for (int phase = 0; phase < PHASE_COUNT; phase++) count += plan->header->steps[phase];
  for (uint32_t i = 0; i < count; i++)
    if (plan->steps[i].op == op) return &plan->steps[i];
  return 0;
}

/* --- to the payload ---------------------------------------------------------------------------------------------- */

static void set_timer(struct supervisor *s, uint64_t ms);

/* An init that is not pid 1 of a namespace that dies with it: what it stands over would outlive it. */
static int has_keeper(const struct supervisor *s) {
  return flags_of(s) & RUN_INIT && !(s->run->plan->header->clone_flags & CLONE_NEWPID) && s->run->sync >= 0;
}

/* A keeper ends its tree and itself. One that does not (stopped by what it stands over) is ended without. */
static void ask_keeper(struct supervisor *s) {
  struct record_signal told = {SIGKILL, 1};
  s->kill_asked = 1;
  sys(__NR_pidfd_send_signal, s->run->pidfd, SIGCONT, 0, 0);
  record_send(s->run->sync, RECORD_SIGNAL, &told, sizeof told);
  set_timer(s, KEEPER_MS);
}

void supervise_kill(struct supervisor *s) {
  if (s->reaped) return;
  if (has_keeper(s) && !s->kill_asked) ask_keeper(s);
  else if (!has_keeper(s) || s->keeper_late) sys(__NR_pidfd_send_signal, s->run->pidfd, SIGKILL, 0, 0);
}

/* What the supervisor itself can't do ends the sandbox. */
static void give_up(struct supervisor *s, const char *operation, int error) {
  run_failed(s->run, operation, error, "");
  supervise_kill(s);
}

/* Init knows the payload; without one the first process is it. Its pid is ours until it is reaped. */
void supervise_signal(struct supervisor *s, int signal, int group) {
  if (s->reaped) return;
  if (signal == SIGKILL) return supervise_kill(s);
  struct record_signal told = {signal, (uint32_t)group};
  if (flags_of(s) & RUN_INIT) record_send(s->run->sync, RECORD_SIGNAL, &told, sizeof told);
  else if (!group || sys_kill(-s->run->child, signal) < 0) sys(__NR_pidfd_send_signal, s->run->pidfd, signal, 0, 0);
}

static void set_timer(struct supervisor *s, uint64_t ms) {
  struct __kernel_itimerspec at = {.it_value = {(long long)(ms / 1000), (long long)(ms % 1000) * 1000000}};
  if (s->timer_fd < 0) s->timer_fd = (int)sys(__NR_timerfd_create, CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK);
  sys(__NR_timerfd_settime, s->timer_fd, 0, &at, 0);
}

/* As timeout(1): a signal that asks, and SIGKILL where that was not enough. */
static void on_timer(struct supervisor *s) {
  const struct plan_header *header = s->run->plan->header;
  uint64_t expirations;
  if (sys_read(s->timer_fd, &expirations, sizeof expirations) != sizeof expirations) return;
  if (s->kill_asked) {
    s->keeper_late = 1;
    return supervise_kill(s);
  }
  int asks = !s->timed_out && s->started && s->grace_ms && header->stop_signal != SIGKILL;
  s->grace_over |= !asks;
  s->timed_out = 1;
  if (!asks) return supervise_kill(s);
  supervise_signal(s, header->stop_signal ? (int)header->stop_signal : SIGTERM, SIGNAL_AND_END);
  supervise_signal(s, SIGCONT, 1);
  set_timer(s, s->grace_ms);
}

/* --- from the first process -------------------------------------------------------------------------------------- */

static void on_started(struct supervisor *s) {
  if (s->started || s->run->failed) return;
  s->started = 1;
  if (s->run->parked && !s->armed) s->began_us = clock_us();
  /* whose client waits for the end alone; to wake it up now would cost the payload a processor */
  int told = s->run->status_fd >= 0 && !s->run->parked ? record_send(s->run->status_fd, RECORD_STARTED, "", 0) : 0;
  if (told < 0 && s->run->control >= 0) supervise_kill(s); /* nobody is left who would know of it */
  if (s->front && s->front->started) s->front->started(s->front);
}

static void on_stopped(struct supervisor *s, int signal) {
  if (s->run->status_fd >= 0) record_send(s->run->status_fd, RECORD_STOPPED, &signal, sizeof signal);
  if (s->front && s->front->stopped) s->front->stopped(s->front, s, signal);
}

static void tell_created(struct supervisor *s) {
  if (!s->told_created) status_created(s->run);
  s->told_created = 1;
}

/* The first process made a child in its place (OP_FORK, by CLONE_PARENT: it is ours) and leaves. */
static void on_forked(struct supervisor *s, int pid) {
  struct run *run = s->run;
  int pidfd = (int)sys(__NR_pidfd_open, pid, 0);
  if (pidfd < 0) return sys_kill(pid, SIGKILL), give_up(s, "pidfd_open", pidfd);
  while (sys(__NR_wait4, run->child, 0, 0, 0) == -EINTR) {}
  sys_close(run->pidfd);
  run->child = pid;
  run->pidfd = pidfd;
  if (run_write_process(run) < 0) supervise_kill(s);
  info_created(run);
  tell_created(s);
}

/* A descriptor in that place is in use: then the sandbox is one that only root can join. */
static void hold_namespace(const struct message *message) {
  int place = NAMESPACE_FD + (message->body.number & 7);
  if (message->fd >= 0 && sys_fcntl(place, F_GETFD, 0) < 0) sys_dup3(message->fd, place, O_CLOEXEC);
}

static void complete_exited(struct supervisor *s) {
  if (s->told_exited) return;
  s->exited.status = s->status;
  s->exited.timed_out = (uint32_t)s->timed_out;
  s->exited.wall_us = clock_us() - s->began_us;
  s->exited.oom_killed = was_oom_killed(s->run);
}

static void tell_exited(struct supervisor *s) {
  if (!s->told_exited && !s->run->failed) status_exited(s->run, &s->exited);
  s->told_exited = 1;
}

static void on_exited(struct supervisor *s, const struct record_exited *exited) {
  s->status = exited->status;
  s->status_known = 1;
  if (!s->run->parked || s->run->failed) return;
  s->exited = *exited;
  complete_exited(s);
  tell_exited(s); /* init has ended all others and leaves: what is left to do is nobody's to wait for */
}

static void on_record(struct supervisor *s, struct message *message) {
  struct run *run = s->run;
  switch (message->record.type) {
    case RECORD_PTY:
      run->pty = message->fd;
      message->fd = -1;
      if (s->front && s->front->terminal) s->front->terminal(s->front, run->pty, run->pty_mask);
      break;
    case RECORD_FORKED: on_forked(s, message->body.number); break;
    case RECORD_STARTED: on_started(s); break;
    case RECORD_NAMESPACE: hold_namespace(message); break;
    case RECORD_LISTENER: /* without somebody who answers the payload would hang */
      if (watch_start(run, message->fd) < 0) give_up(s, "watch", -ENOMEM);
      message->fd = -1;
      break;
    case RECORD_NOTIFY:
      run->notify = message->fd;
      message->fd = -1;
      break;
    case RECORD_STOPPED: on_stopped(s, message->body.number); break;
    case RECORD_EXITED: on_exited(s, &message->body.exited); break;
    case RECORD_FAILED:
      if (run->failed) break;
      run->failure = message->body.failed;
      run->failed = 1;
  }
  if (message->fd >= 0) sys_close(message->fd);
}

/* Without init the payload's exec closes the socket: it runs. With init only death does. */
static void on_sync_end(struct supervisor *s) {
  sys_close(s->run->sync);
  s->run->sync = -1;
  if (!(flags_of(s) & RUN_INIT)) on_started(s);
}

static void read_sync(struct supervisor *s) {
  struct message message;
  while (s->run->sync >= 0) {
    int got = record_receive(s->run->sync, &message, 0);
    if (got == -EAGAIN) return;
    if (got == -ECONNRESET) continue; /* it ended without reading GO: once, and what it said comes behind (unix(7)) */
    if (got < 0) give_up(s, "recvmsg", got);
    if (got <= 0) return on_sync_end(s);
    on_record(s, &message);
  }
}

static void on_reaped(struct supervisor *s, int32_t status, const struct rusage *usage) {
  s->reaped = 1;
  if (!s->status_known) s->status = status;
  if (!s->status_known && find_step(s->run->plan, OP_MACHINE)) s->run->ended = machine_judge(&s->status);
  s->run->status = s->status;
  s->exited.user_us = microseconds(&usage->ru_utime);
  s->exited.system_us = microseconds(&usage->ru_stime);
  s->exited.max_rss_kb = (uint64_t)usage->ru_maxrss;
}

/* Its records first: who forked in its place, what failed, the payload's own status. */
static void reap(struct supervisor *s) {
  struct rusage usage;
  int32_t status;
  int pid, child = s->run->child;
  read_sync(s);
  while (!s->reaped && (pid = (int)sys(__NR_wait4, s->run->child, &status, WNOHANG | WUNTRACED, &usage)) != 0) {
    if (pid == -EINTR) continue;
    if (pid < 0) status = SIGKILL, memset(&usage, 0, sizeof usage);
    if (pid < 0) give_up(s, "wait4", pid);
    if (pid > 0 && (status & 0xff) == 0x7f) {
      if (!(flags_of(s) & RUN_INIT)) on_stopped(s, status >> 8 & 0xff);
      continue;
    }
    read_sync(s); /* what it said between the two looks */
    if (child == s->run->child) on_reaped(s, status, &usage);
    child = s->run->child;
  }
}

/* --- signals ----------------------------------------------------------------------------------------------------- */

static int is_asking_to_end(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

/* Stops as any command does; a SIGCONT that woke it up is passed on by hand, so that it comes once. */
static void stop_with_payload(struct supervisor *s) {
  supervise_signal(s, SIGSTOP, 1);
  sys_kill(sys_getpid(), SIGTSTP);
  signals_let_through(SIGTSTP);
  signals_discard(SIGCONT);
  supervise_signal(s, SIGCONT, 1);
}

/* That the payload runs is told a moment behind its exec: who saw it run and asks it to end must not be taken for early. */
static int has_started(struct supervisor *s) {
  uint64_t limit = clock_us() + STARTED_US, now;
  for (read_sync(s); !s->started && !s->reaped && s->run->sync >= 0 && (now = clock_us()) < limit; read_sync(s)) {
    struct pollfd poll = {s->run->sync, POLLIN, 0};
    struct __kernel_timespec left = {0, (long long)(limit - now) * 1000};
    sys(__NR_ppoll, &poll, 1, &left, 0, 0);
  }
  return s->started;
}

/* A payload that does not run yet can't be asked. */
static void cancel(struct supervisor *s, int signal) {
  s->cancelled = signal;
  supervise_kill(s);
}

static void pass_on(struct supervisor *s, int signal, int typed) {
  /* sharing the caller's terminal, the payload has got what was typed from the kernel itself */
  if (typed && flags_of(s) & RUN_PLAIN_TTY) {
    if (signal == SIGTSTP) sys_kill(sys_getpid(), SIGTSTP), signals_let_through(SIGTSTP);
    return;
  }
  if (signal == SIGTSTP && s->run->pty < 0) return stop_with_payload(s);
  supervise_signal(s, signal, typed || signal == SIGCONT);
  if (signal == SIGCONT && s->front && s->front->resumed) s->front->resumed(s->front);
}

/* As systemd-nspawn does: an init is asked once, whatever else is pid 1 would not hear. */
static void stop_machine(struct supervisor *s, int signal) {
  int ask = machine_stop_signal(s->run->plan), asks = ask && !s->asked && (signal == SIGTERM || signal == SIGINT);
  if (asks) machine_say_stopping(s->run->plan);
  s->asked = 1;
  if (asks) supervise_signal(s, ask, 0);
  else supervise_kill(s);
}

static void on_signal(struct supervisor *s, const struct signalfd_siginfo *info) {
  int signal = (int)info->ssi_signo;
  switch (signal) {
    case SIGCHLD: return reap(s);
    case SIGPIPE: case SIGTTIN: case SIGTTOU: return;
    case SIGWINCH:
      if (s->front && s->front->window) s->front->window(s->front, 0);
      return;
  }
  if (is_asking_to_end(signal) && s->reaped) s->hurried = 1;
  else if (is_asking_to_end(signal) && !s->started && !has_started(s)) cancel(s, signal);
  else if (is_asking_to_end(signal) && machine_is(s->run->plan)) stop_machine(s, signal);
  else pass_on(s, signal, info->ssi_code == SIGNAL_FROM_TERMINAL);
}

static void read_signals(struct supervisor *s) {
  struct signalfd_siginfo info;
  while (signals_read(s->signal_fd, &info)) on_signal(s, &info);
}

/* What was parked runs from now on. */
static void on_armed(struct supervisor *s, const struct record_arm *arm) {
  s->armed = 1, s->began_us = clock_us();
  s->grace_ms = arm->grace_ms;
  if (arm->timeout_ms) set_timer(s, arm->timeout_ms);
}

/* Whoever holds the other end of the control socket (a zygote, a terminal's client) lives as long as it is open. */
static void read_control(struct supervisor *s) {
  struct message message;
  int got;
  while ((got = record_receive(s->run->control, &message, 0)) > 0) {
    if (message.fd >= 0) sys_close(message.fd);
    const struct record_signal *told = &message.body.signal;
    if (message.record.type == RECORD_SIGNAL && is_asking_to_end(told->signal) && !s->started && !has_started(s)) cancel(s, told->signal);
    else if (message.record.type == RECORD_SIGNAL) supervise_signal(s, told->signal, (int)told->group);
    else if (message.record.type == RECORD_ARM && s->run->parked) on_armed(s, &message.body.arm);
    else if (message.record.type == RECORD_WINDOW && s->front && s->front->window) s->front->window(s->front, &message.body.window);
  }
  if (got == -EAGAIN) return;
  s->run->control = -1;
  supervise_kill(s);
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

/* Descriptors that are -1 are passed over by poll(2). */
static void wait_once(struct supervisor *s) {
  struct pollfd polls[SUPERVISE_POLLS] = {{s->signal_fd, POLLIN, 0}, {s->run->sync, POLLIN, 0}, {s->timer_fd, POLLIN, 0},
                                          {s->run->control, POLLIN, 0}, {s->parent_fd, POLLIN, 0}, {s->run->notify, POLLIN, 0}};
  const int own = 6;
  int timeout_ms = -1, count = 0;
  if (s->front && s->front->fill) count = s->front->fill(s->front, polls + own, SUPERVISE_POLLS - own, &timeout_ms);
  struct __kernel_timespec timeout = {timeout_ms / 1000, (long long)(timeout_ms % 1000) * 1000000};
  if (sys(__NR_ppoll, polls, own + count, timeout_ms < 0 ? 0 : &timeout, 0, 0) < 0) return;
  if (polls[1].revents) read_sync(s);
  if (polls[0].revents) read_signals(s);
  if (polls[2].revents) on_timer(s);
  if (polls[3].revents) read_control(s);
  if (polls[4].revents) cancel(s, SIGTERM);
  if (polls[5].revents) notify_read(s->run);
  if (s->front && s->front->serve) s->front->serve(s->front, s, polls + own, count);
}

static void watch_parent(struct supervisor *s) {
  if (!(flags_of(s) & RUN_DIE_WITH_PARENT) || (s->front && s->front->detached)) return;
  int parent = (int)sys(__NR_getppid);
  if (!parent_pid) parent_pid = parent;
  s->parent_fd = (int)sys(__NR_pidfd_open, parent, 0);
  if (s->parent_fd < 0) sys_prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0); /* a parent beyond this pid namespace */
  if (parent != parent_pid || (int)sys(__NR_getppid) != parent) supervise_kill(s);
}

/* A writer into the payload's input, a reader of its output: they must see it close them, so nothing is held here. */
static void let_go_of_stdio(const struct run *run) {
  int nothing = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
  for (int i = 0; i < 3; i++) {
    int kept = run->plan->header->run_flags & RUN_PLAIN_TTY || run->pty_mask >> i & 1;
    if (nothing >= 0 && !kept && i < 2) sys_dup3(nothing, i, 0);
    if (!kept && run->stdio[i] > 2) sys_close(run->stdio[i]);
  }
  if (nothing >= 0) sys_close(nothing);
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

int orphans_are_ours(const struct run *run) {
  return !(run->plan->header->clone_flags & CLONE_NEWPID) && !(run->plan->header->run_flags & RUN_PLAIN_TTY);
}

static int code_of(const struct supervisor *s) {
  if (s->timed_out) return s->grace_over ? 137 : 124;
  if (s->cancelled) return 128 + s->cancelled;
  return exit_code(s->status);
}

static void finish(struct supervisor *s) {
  struct run *run = s->run;
  if (orphans_are_ours(run)) kill_children();
  complete_exited(s);
  if (!run->failed) state_write_exit(run, &s->exited);
  container_exited(run, &s->exited, code_of(s));
  run_cleanup(run);
  if (s->front && s->front->ended) s->front->ended(s->front, code_of(s));
  tell_exited(s);
  if (!run->failed) info_exited(run, code_of(s));
}

static void close_descriptors(struct supervisor *s) {
  int *fds[] = {&s->signal_fd, &s->timer_fd, &s->parent_fd, &s->run->sync, &s->run->pidfd, &s->run->pty, &s->run->notify};
  for (size_t i = 0; i < array_size(fds); i++)
    if (*fds[i] >= 0) sys_close(*fds[i]), *fds[i] = -1;
}

int supervise_with(struct run *run, struct front *front) {
  const struct plan_step *pty = find_step(run->plan, OP_PTY);
  struct supervisor s = {.run = run, .front = front, .timer_fd = -1, .parent_fd = -1, .began_us = clock_us(), .grace_ms = run->plan->header->grace_ms};
  s.signal_fd = must(run, signals_hold(), "rt_sigprocmask", "") < 0 ? -1 : signals_open();
  if (s.signal_fd < 0) give_up(&s, "signalfd4", s.signal_fd);
  if (!find_step(run->plan, OP_FORK)) tell_created(&s);
  if (pty) run->pty_mask = pty->a[0] & 7;
  let_go_of_stdio(run);
  watch_parent(&s);
  if (run->arm >= 0) sys_close(run->arm), run->arm = -1; /* the payload's alone */
  if (run->plan->header->timeout_ms && !run->parked) set_timer(&s, run->plan->header->timeout_ms);
  if (run->pty >= 0 && front && front->terminal) front->terminal(front, run->pty, run->pty_mask);
  while (!s.reaped) s.signal_fd < 0 ? (void)reap(&s) : wait_once(&s);
  while (front && front->pending && front->pending(front) && !s.hurried) wait_once(&s);
  finish(&s);
  close_descriptors(&s);
  return code_of(&s);
}

int supervise(struct run *run) {
  static struct tty tty;
  return supervise_with(run, find_step(run->plan, OP_PTY) ? tty_front(&tty, run) : 0);
}
