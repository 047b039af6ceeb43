/*
 * The monitor of a detached sandbox is its supervisor, in a session of its own, with the payload's output in its hands:
 * it writes the log and shows it to whoever attaches. Whoever started it hears records until the payload runs.
 */
#include "monitor.h"
#include "container.h"
#include "machine.h"
#include "signals.h"
#include "status.h"
#include "sys.h"
#include "terminal.h"

static struct monitor *monitor_of(struct front *front) { return (struct monitor *)front; }

/* --- the payload's descriptors ----------------------------------------------------------------------------------- */

static uint32_t planned_terminal(const struct plan *plan) {
  const struct plan_step *step = find_step(plan, OP_PTY);
  return step ? step->a[0] & 7 : 0;
}

int can_be_detached(const struct plan *plan) {
  return *plan_string(plan, plan->header->detach_keys) && planned_terminal(plan) & 1 && find_step(plan, OP_STATE);
}

/* The payload's end goes to `stdio`; the monitor's is returned and does not block. */
static int make_pipe(struct run *run, int i) {
  int pair[2], mine = i ? 0 : 1;
  if (must(run, sys(__NR_pipe2, pair, O_CLOEXEC), "pipe2", "") < 0) return -1;
  run->stdio[i] = pair[!mine];
  sys_fcntl(pair[mine], F_SETFL, O_NONBLOCK);
  return pair[mine];
}

static int make_streams(struct monitor *monitor, int keeps_input) {
  struct run *run = monitor->run;
  uint32_t terminal = planned_terminal(run->plan);
  for (int i = 1; i < 3; i++)
    if (!(terminal >> i & 1) && (monitor->sources[i - 1].fd = make_pipe(run, i)) < 0) return -1;
  if (!(terminal & 1) && keeps_input) monitor->input = make_pipe(run, 0);
  return run->failed ? -1 : 0;
}

/* Its output stands where no pipe does. */
static void on_terminal(struct front *front, int master, uint32_t mask) {
  struct monitor *monitor = monitor_of(front);
  sys_fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  if (mask & 1) monitor->input = master;
  if (mask & 2) monitor->sources[0].fd = master;
  else if (mask & 4) monitor->sources[1].fd = master;
  /* an init lets go of its console now and then, which would be its end to who reads the other side */
  if (machine_is(monitor->run->plan)) monitor->side = (int)sys_ioctl(master, TIOCGPTPEER, (void *)(long)(O_RDWR | O_NOCTTY | O_CLOEXEC));
}

static void on_window(struct front *front, const void *window) {
  struct monitor *monitor = monitor_of(front);
  if (window && monitor->run->pty >= 0) terminal_set_size(monitor->run->pty, window);
}

/* --- passing on -------------------------------------------------------------------------------------------------- */

/* Two sources, the input, the listener, then the clients, always in these places. */
enum { POLL_INPUT = 2, POLL_LISTENER = 3, POLL_CLIENTS = 4 };

static void add(struct pollfd *poll, int fd, int events) { *poll = (struct pollfd){events ? fd : -1, (short)events, 0}; }

static int fill(struct front *front, struct pollfd *polls, int room, int *timeout_ms) {
  struct monitor *monitor = monitor_of(front);
  int late = clients_are_late(monitor);
  if (room < POLL_CLIENTS + CLIENTS_MAX) return 0;
  for (int i = 0; i < 2; i++) add(&polls[i], monitor->sources[i].fd, late ? 0 : POLLIN);
  add(&polls[POLL_INPUT], monitor->input, monitor->typed_size ? POLLOUT : 0);
  add(&polls[POLL_LISTENER], monitor->listener, POLLIN);
  for (int i = 0; i < CLIENTS_MAX; i++) {
    const struct client *client = &monitor->clients[i];
    add(&polls[POLL_CLIENTS + i], client->fd, (client->late ? POLLOUT : 0) | (monitor->typed_size ? 0 : POLLIN));
  }
  if (late) *timeout_ms = 50;
  return POLL_CLIENTS + CLIENTS_MAX;
}

/* 1 when something came. EIO is how a terminal ends that the payload has closed. */
static int serve_source(struct monitor *monitor, struct source *source) {
  long n = sys_read(source->fd, monitor->chunk, sizeof monitor->chunk);
  if (n == -EAGAIN || n == -EINTR) return 0;
  if (n <= 0) {
    if (source->fd != monitor->run->pty) sys_close(source->fd);
    source->fd = -1;
    return 0;
  }
  log_write(&monitor->log, source->stream, monitor->chunk, (size_t)n);
  clients_send(monitor, source->stream == 1 ? ATTACH_STDOUT : ATTACH_STDERR, monitor->chunk, (size_t)n);
  return 1;
}

static void serve_input(struct monitor *monitor) {
  long n = sys_write(monitor->input, monitor->typed + monitor->typed_done, monitor->typed_size - monitor->typed_done);
  if (n == -EAGAIN || n == -EINTR) return;
  if (n > 0) monitor->typed_done += (size_t)n;
  if (n < 0 || monitor->typed_done == monitor->typed_size) monitor->typed_size = 0;
  if (n >= 0 || monitor->input == monitor->run->pty) return;
  sys_close(monitor->input); /* the payload has closed it */
  monitor->input = -1;
}

static void serve_client(struct monitor *monitor, struct supervisor *supervisor, int i, int events) {
  if (events & POLLOUT) clients_retry(monitor, i);
  /* one message of input waits at most: the others stay in their sockets */
  if (events & (POLLIN | POLLHUP | POLLERR) && monitor->clients[i].fd >= 0 && !monitor->typed_size) clients_serve(monitor, supervisor, i);
}

static void serve(struct front *front, struct supervisor *supervisor, const struct pollfd *polls, int count) {
  struct monitor *monitor = monitor_of(front);
  if (!count) return;
  for (int i = 0; i < CLIENTS_MAX; i++)
    if (polls[POLL_CLIENTS + i].revents && polls[POLL_CLIENTS + i].fd == monitor->clients[i].fd) serve_client(monitor, supervisor, i, polls[POLL_CLIENTS + i].revents);
  if (polls[POLL_INPUT].revents && monitor->typed_size && monitor->input >= 0) serve_input(monitor);
  if (polls[POLL_LISTENER].revents) clients_accept(monitor);
  clients_drop_late(monitor);
  for (int i = 0; i < 2; i++)
    if (polls[i].revents && polls[i].fd == monitor->sources[i].fd && !clients_are_late(monitor)) serve_source(monitor, &monitor->sources[i]);
}

/* Behind the payload's end everything that it has written is in the kernel. */
static int pending(struct front *front) {
  struct monitor *monitor = monitor_of(front);
  if (clients_are_late(monitor)) return 1;
  for (int i = 0; i < 2; i++)
    if (monitor->sources[i].fd >= 0 && serve_source(monitor, &monitor->sources[i])) return 1;
  log_close(&monitor->log); /* before anybody reads that it is over */
  return 0;
}

/* --- its life ---------------------------------------------------------------------------------------------------- */

/* From here on nobody waits for it but an owner, who goes on hearing records. */
static void on_started(struct front *front) {
  struct monitor *monitor = monitor_of(front);
  monitor->run->control = -1;
  if (monitor->owner >= 0) return;
  sys_close(monitor->run->status_fd);
  monitor->run->status_fd = -1;
}

static void on_stopped(struct front *front, struct supervisor *supervisor, int signal) {
  (void)supervisor;
  struct monitor *monitor = monitor_of(front);
  int told = monitor->last_typed >= 0 ? monitor->last_typed : monitor->owner;
  if (told >= 0) attach_send(monitor->clients[told].fd, ATTACH_STOPPED, &signal, sizeof signal);
}

static void on_ended(struct front *front, int32_t code) {
  struct monitor *monitor = monitor_of(front);
  log_close(&monitor->log);
  clients_end(monitor, code);
}

static void prepare(struct monitor *monitor, struct run *run) {
  monitor->front = (struct front){fill, serve, on_terminal, on_window, on_started, on_stopped, 0, pending, on_ended, 1};
  monitor->run = run;
  if (monitor->side > 0) sys_close(monitor->side);
  monitor->side = -1;
  monitor->input = monitor->listener = monitor->owner = monitor->last_typed = -1;
  for (int i = 0; i < 2; i++) monitor->sources[i] = (struct source){-1, i + 1};
  for (int i = 0; i < CLIENTS_MAX; i++) monitor->clients[i].fd = -1;
}

static void open_front(struct monitor *monitor, int owner) {
  const struct plan *plan = monitor->run->plan;
  monitor->run->pty_mask = planned_terminal(plan);
  log_open(&monitor->log, monitor->run->state_dir, plan_string(plan, plan->header->log), plan->header->log_max_bytes);
  clients_listen(monitor);
  if (owner < 0) return;
  monitor->owner = 0;
  clients_add(monitor, owner);
}

/* Its terminal, its descriptors and its session are not the caller's. */
static void leave_caller(void) {
  sys(__NR_setsid);
  int nothing = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
  for (int i = 0; i < 3 && nothing >= 0; i++) sys_dup3(nothing, i, 0);
  if (nothing > 2) sys_close(nothing);
}

static _Noreturn void monitor_main(struct run *run, int report, int owner) {
  static struct monitor monitor;
  uint32_t flags = run->plan->header->run_flags;
  leave_caller();
  prepare(&monitor, run);
  run->status_fd = run->control = report;
  for (int again = 1; again;) {
    again = 0;
    if (make_streams(&monitor, flags & RUN_OPEN_STDIN || (owner >= 0 && !(flags & RUN_ATTACHED))) < 0 || run_start(run) < 0) break;
    open_front(&monitor, owner);
    supervise_with(run, &monitor.front);
    if (owner >= 0 || run->ended != ENDED_REBOOTS || !(machine_flags(run->plan) & MACHINE_REBOOTS)) break;
    machine_renew(run);
    prepare(&monitor, run);
    again = 1;
  }
  if (run->failed && run->status_fd >= 0) record_send(run->status_fd, RECORD_FAILED, &run->failure, sizeof run->failure);
  container_end(run);
  sys_exit(0);
}

/* Forks it; `owner`: a socket on which this process is its first client, or -1. The socket that it reports on. */
static int start_monitor(struct run *run, int owner, int callers_owner, int *monitor) {
  int pair[2];
  signals_hold();
  if (must(run, socket_pair(pair), "socketpair", "") < 0) return -1;
  int pid = must(run, sys_fork(), "clone", "the monitor");
  if (!pid) {
    sys_close(pair[0]);
    if (callers_owner >= 0) sys_close(callers_owner);
    if (run->status_fd >= 0) sys_close(run->status_fd);
    monitor_main(run, pair[1], owner);
  }
  sys_close(pair[1]);
  *monitor = pid;
  return pid < 0 ? -1 : pair[0];
}

/* Until the payload runs: 0, or -1 with the failure that was told. */
static int await_start(struct run *run, int report) {
  struct message message;
  int started = 0;
  while (!started && !run->failed) {
    if (record_receive(report, &message, 1) <= 0) return run_failed(run, "monitor", ECHILD, "it died before the payload ran");
    if (message.record.type == RECORD_CREATED) text_copy(run->id, sizeof run->id, message.body.created.id);
    if (message.record.type == RECORD_FAILED) run->failure = message.body.failed, run->failed = 1;
    else if (run->status_fd >= 0) record_send(run->status_fd, message.record.type, message.body.bytes, message.record.size);
    started = message.record.type == RECORD_STARTED;
  }
  return run->failed ? -1 : 0;
}

static void print_id(const struct run *run) {
  char line[80];
  text_copy(line, sizeof line, run->id);
  text_append(line, sizeof line, "\n");
  print(1, line);
}

int monitor_run(struct run *run) {
  int monitor, report = start_monitor(run, -1, -1, &monitor);
  if (report < 0 || await_start(run, report) < 0) return -1;
  if (run->plan->header->run_flags & RUN_PRINT_ID) print_id(run);
  return 0;
}

/* What it said at its very end. */
static void pass_on_records(const struct run *run, int report) {
  struct message message;
  while (run->status_fd >= 0 && record_receive(report, &message, 0) > 0)
    record_send(run->status_fd, message.record.type, message.body.bytes, message.record.size);
}

int monitor_run_attached(struct run *run) {
  int pair[2], monitor;
  if (must(run, socket_pair(pair), "socketpair", "") < 0) return -1;
  int report = start_monitor(run, pair[1], pair[0], &monitor);
  sys_close(pair[1]);
  if (report < 0 || await_start(run, report) < 0) return -1;
  int caller = (int)sys(__NR_getppid), dies = run->plan->header->run_flags & RUN_DIE_WITH_PARENT;
  int parent = dies ? (int)sys(__NR_pidfd_open, caller, 0) : -1;
  struct attach_session session = {pair[0], report, run->status_fd, 1, parent, run->id, machine_is(run->plan) ? run->plan : 0, 0, {0}};
  int code = attach_run(&session);
  run->status = session.end.status, run->ended = session.end.how, run->left = session.detached;
  while (!session.detached && sys(__NR_wait4, monitor, 0, 0, 0) == -EINTR) {}
  if (!session.detached) pass_on_records(run, report);
  sys_close(report);
  return code;
}
