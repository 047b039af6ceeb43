/*
 * A client of a monitor: shows the payload's output, passes on what is typed, the window's size and signals, and
 * leaves when the payload ends or the user types the keys for it.
 */
#include "attach.h"
#include "machine.h"
#include "signals.h"
#include "socket.h"
#include "status.h"
#include "supervise.h"
#include "sys.h"
#include "terminal.h"
#include "tty.h"

struct view {
  struct attach_session *session;
  struct attach_ready ready;
  struct terminal terminal;
  struct passage out;
  int signal_fd;
  int ended, code;
  int input;                 /* standard input, or -1 behind its end */
  int sent_input;
  size_t keys_typed;         /* of the keys to detach: held back until the next one shows what they are */
  int escapes;               /* ^] in a row, the first at `escaped_us` */
  uint64_t escaped_us;
  int asked;                 /* the machine was asked to end */
  int last_shown;            /* the last byte of the output, or -1 */
  size_t typed_size;         /* input that the monitor did not take yet */
  char typed[1024 + 24];
};

static void end(struct view *view, int code) {
  view->ended = 1;
  view->code = code;
}

static void say(struct view *view, uint32_t type, const void *body, uint32_t size) { attach_send(view->session->socket, type, body, size); }

static void say_signal(struct view *view, int signal, int group) {
  int32_t body[2] = {signal, group};
  say(view, ATTACH_SIGNAL, body, sizeof body);
}

/* --- a machine's console ----------------------------------------------------------------------------------------- */

static int takes_input(const struct view *view) { return !view->session->machine || machine_flags(view->session->machine) & MACHINE_INPUT; }
static int shows_output(const struct view *view) { return !view->session->machine || machine_flags(view->session->machine) & MACHINE_OUTPUT; }

/* ^] three times within a second. */
static int is_escape(struct view *view, char byte) {
  uint64_t now = clock_us();
  if (byte != 0x1d) return view->escapes = 0;
  if (view->escapes && now - view->escaped_us > 1000000) view->escapes = 0;
  if (!view->escapes) view->escaped_us = now;
  return ++view->escapes == 3;
}

/* Asked once where it can be asked; the next one ends it. */
static void stop_machine(struct view *view, int signal) {
  int ask = machine_stop_signal(view->session->machine);
  int asks = ask && !view->asked && (signal == SIGINT || signal == SIGTERM);
  if (asks) machine_say_stopping(view->session->machine);
  view->asked = 1;
  say_signal(view, asks ? ask : SIGKILL, 0);
}

static void say_window(struct view *view) {
  struct record_window window;
  for (int fd = 0; fd < 3; fd++)
    if (view->ready.terminal >> fd & 1 && terminal_size(fd, &window) >= 0) {
      say(view, ATTACH_WINDOW, &window, sizeof window);
      return;
    }
}

/* --- from the monitor -------------------------------------------------------------------------------------------- */

static void on_ready(struct view *view, const struct attach_ready *ready) {
  view->ready = *ready;
  view->ready.detach_keys[sizeof ready->detach_keys - 1] = 0;
  if (!ready->takes_input || !takes_input(view)) view->input = -1;
  if (ready->terminal & 1 && takes_input(view)) terminal_open(&view->terminal, 0);
  terminal_make_raw(&view->terminal);
  say_window(view);
}

static void show(struct view *view, int fd, const char *bytes, size_t size) {
  if (!shows_output(view)) return;
  if (size) view->last_shown = bytes[size - 1];
  memcpy(view->out.bytes, bytes, size);
  view->out.to = fd;
  view->out.done = 0;
  view->out.size = size;
}

static void on_stopped(struct view *view) {
  if (view->terminal.fd < 0) return;
  terminal_suspend(&view->terminal);
  terminal_make_raw(&view->terminal);
  say_window(view);
  say_signal(view, SIGCONT, 1);
}

static void read_monitor(struct view *view) {
  static struct attach_message message;
  int size = attach_receive(view->session->socket, &message);
  /* told once when the monitor left without reading what was typed last; its own last words stand behind that */
  if (size == -ECONNRESET) size = attach_receive(view->session->socket, &message);
  if (size == -EAGAIN) return;
  if (size < 0) return end(view, 125); /* it dropped this client, or died */
  switch (message.type) {
    case ATTACH_READY:
      if (size == sizeof message.body.ready) on_ready(view, &message.body.ready);
      return;
    case ATTACH_STDOUT: return show(view, 1, message.body.bytes, (size_t)size);
    case ATTACH_STDERR: return show(view, 2, message.body.bytes, (size_t)size);
    case ATTACH_STOPPED: return on_stopped(view);
    case ATTACH_EXITED:
      if (size == sizeof message.body.end) view->session->end = message.body.end;
      return end(view, message.body.number);
  }
}

static void read_report(struct view *view) {
  struct message message;
  if (record_receive(view->session->report, &message, 0) > 0 && view->session->status_fd >= 0)
    record_send(view->session->status_fd, message.record.type, message.body.bytes, message.record.size);
}

/* --- from the user ----------------------------------------------------------------------------------------------- */

static void detach(struct view *view) {
  say(view, ATTACH_DETACH, 0, 0);
  terminal_restore(&view->terminal);
  print(STDERR, "\r\n[detached");
  if (view->session->id) print(STDERR, " from "), print(STDERR, view->session->id);
  print(STDERR, "]\n");
  view->session->detached = 1;
  end(view, 0);
}

/* What was held back turns out to be input after all. */
static void release_keys(struct view *view, char *to, size_t *size) {
  memcpy(to + *size, view->ready.detach_keys, view->keys_typed);
  *size += view->keys_typed;
  view->keys_typed = 0;
}

static void take_typed(struct view *view, const char *bytes, size_t size) {
  const char *keys = view->session->machine ? "" : view->ready.detach_keys;
  for (size_t i = 0; i < size; i++) {
    if (view->session->machine && is_escape(view, bytes[i])) return say_signal(view, SIGKILL, 0);
    if (view->keys_typed && bytes[i] != keys[view->keys_typed]) release_keys(view, view->typed, &view->typed_size);
    if (view->terminal.fd < 0 || !*keys || bytes[i] != keys[view->keys_typed]) view->typed[view->typed_size++] = bytes[i];
    else if (!keys[++view->keys_typed]) return detach(view);
  }
}

static void send_typed(struct view *view) {
  if (!view->typed_size) return;
  int sent = attach_send(view->session->socket, ATTACH_STDIN, view->typed, (uint32_t)view->typed_size);
  if (sent == -EAGAIN) return;
  view->typed_size = 0;
  view->sent_input = 1;
}

/* An end without a byte before it is how a command without input was started, not an end of the payload's. */
static void read_input(struct view *view) {
  char bytes[1024];
  long n = sys_read(view->input, bytes, sizeof bytes);
  if (n == -EINTR || n == -EAGAIN) return;
  if (n == -EIO && view->terminal.raw) view->terminal.raw = 0;
  else if (n <= 0) {
    view->input = -1;
    if (view->sent_input || view->session->owned) say(view, ATTACH_STDIN_END, 0, 0);
  } else {
    take_typed(view, bytes, (size_t)n);
    send_typed(view);
  }
}

/* ^Z and what else is typed in front of a payload without a terminal. */
static void stop(struct view *view) {
  if (view->session->owned) say_signal(view, SIGSTOP, 1);
  sys_kill(sys_getpid(), SIGTSTP);
  signals_let_through(SIGTSTP);
  signals_discard(SIGCONT);
  if (view->session->owned) say_signal(view, SIGCONT, 1);
}

static void on_signal(struct view *view, const struct signalfd_siginfo *info) {
  int signal = (int)info->ssi_signo;
  if (signal == SIGWINCH) return say_window(view);
  if (signal == SIGCONT) return (void)terminal_make_raw(&view->terminal), say_window(view);
  if (signal == SIGTSTP) return stop(view);
  if (view->session->machine && (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)) return stop_machine(view, signal);
  if (signal == SIGCHLD || signal == SIGPIPE || signal == SIGTTIN || signal == SIGTTOU) return;
  /* the terminal of a guest went away, or somebody wants the guest gone: not the payload */
  if (!view->session->owned && (signal == SIGHUP || signal == SIGTERM)) return end(view, 128 + signal);
  say_signal(view, signal, info->ssi_code == SIGNAL_FROM_TERMINAL);
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

static int reads_input(const struct view *view) {
  return takes_input(view) && !view->typed_size && (view->terminal.fd < 0 ? !(view->ready.terminal & 1) || view->session->owned : view->terminal.raw);
}

static void wait_once(struct view *view) {
  const struct attach_session *session = view->session;
  struct signalfd_siginfo info;
  int cooked = view->terminal.fd >= 0 && !terminal_make_raw(&view->terminal);
  short socket = (short)((view->out.size ? 0 : POLLIN) | (view->typed_size ? POLLOUT : 0));
  struct pollfd polls[] = {{view->signal_fd, POLLIN, 0}, {socket ? session->socket : -1, socket, 0},
                           {reads_input(view) ? view->input : -1, POLLIN, 0}, {view->out.size ? view->out.to : -1, POLLOUT, 0},
                           {session->report, POLLIN, 0}, {session->parent_fd, POLLIN, 0}};
  struct __kernel_timespec foreground_check = {0, 250000000};
  if (sys(__NR_ppoll, polls, array_size(polls), cooked ? &foreground_check : 0, 0, 0) < 0) return;
  if (polls[4].revents) read_report(view);
  if (polls[3].revents && passage_write(&view->out) < 0) view->out.size = 0;
  if (polls[2].revents) read_input(view);
  if (polls[1].revents & POLLOUT) send_typed(view);
  if (polls[1].revents & (POLLIN | POLLHUP | POLLERR) && !view->out.size) read_monitor(view);
  if (polls[0].revents)
    while (signals_read(view->signal_fd, &info)) on_signal(view, &info);
  if (polls[5].revents) end(view, 128 + SIGTERM);
}

int attach_run(struct attach_session *session) {
  static struct view view;
  memset(&view, 0, sizeof view); /* a machine that reboots is shown again */
  view.session = session;
  view.terminal.fd = view.last_shown = -1;
  signals_hold();
  view.signal_fd = signals_open();
  while (!view.ended) wait_once(&view);
  terminal_restore(&view.terminal);
  /* what is said next begins on a line of its own */
  if (session->machine && !session->detached && view.last_shown >= 0 && view.last_shown != '\n') print(1, "\n");
  sys_close(session->socket);
  sys_close(view.signal_fd);
  return view.code;
}

static int say_problem(const char *path, const char *problem) {
  print(STDERR, "brig: ");
  print(STDERR, path);
  print(STDERR, problem);
  return 125;
}

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (text_copy(address.sun_path, sizeof address.sun_path, path) < strlen(path)) return say_problem(path, ": the path is longer than a socket's may be\n"), -1;
  int fd = (int)sys(__NR_socket, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0);
  if (fd >= 0 && sys(__NR_connect, fd, &address, sizeof address) >= 0) return fd;
  return say_problem(path, ": no sandbox can be attached to there\n"), -1;
}

int attach_main(const char *path) {
  int fd = connect_to(path);
  if (fd < 0) return 125;
  struct attach_session session = {.socket = fd, .report = -1, .status_fd = -1, .parent_fd = -1};
  return attach_run(&session);
}

int wait_main(const char *path) {
  static struct attach_message message;
  char line[24] = "";
  int fd = connect_to(path), size = 0;
  if (fd < 0) return 125;
  struct pollfd poll = {fd, POLLIN, 0};
  do {
    sys(__NR_ppoll, &poll, 1, 0, 0, 0);
    size = attach_receive(fd, &message);
  } while (size == -EAGAIN || (size >= 0 && message.type != ATTACH_EXITED));
  if (size < 0) return 125; /* it was killed, and has not told */
  text_append_number(line, sizeof line, (uint64_t)(uint32_t)message.body.number);
  text_append(line, sizeof line, "\n");
  print(1, line);
  return 0;
}
