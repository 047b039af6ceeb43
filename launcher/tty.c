/*
 * Copies between the caller's terminal and the payload's. Each way holds one buffer, which is read into when it is
 * empty and written from until it is: who is slow slows the other down, and nothing is lost.
 */
#include "tty.h"
#include "signals.h"
#include "sys.h"

#define FOREGROUND_CHECK_MS 250 /* "fg" of a job that was not stopped sends no signal: it is looked for */

static struct tty *tty_of(struct front *front) { return (struct tty *)front; }

int passage_wants(const struct passage *passage, int fd) {
  if (fd == passage->from && passage->to >= 0 && !passage->size) return POLLIN;
  return fd == passage->to && passage->size ? POLLOUT : 0;
}

int passage_read(struct passage *passage) {
  long n;
  do n = sys_read(passage->from, passage->bytes, sizeof passage->bytes);
  while (n == -EINTR);
  passage->done = 0;
  passage->size = n > 0 ? (size_t)n : 0;
  return (int)n;
}

int passage_write(struct passage *passage) {
  long n = sys_write(passage->to, passage->bytes + passage->done, passage->size - passage->done);
  if (n == -EAGAIN || n == -EINTR) return 0;
  if (n < 0) return (int)n;
  passage->done += (size_t)n;
  if (passage->done == passage->size) passage->size = 0;
  return 0;
}

/* --- the two terminals ------------------------------------------------------------------------------------------- */

static int takes_input(const struct tty *tty) {
  return tty->wants_input && tty->in.from >= 0 && (tty->terminal.fd < 0 || tty->terminal.raw);
}

static void copy_size(struct tty *tty) {
  struct record_window window;
  for (int i = 0; i < 3; i++)
    if (tty->run->pty_mask >> i & 1 && terminal_size(tty->run->stdio[i], &window) >= 0) {
      terminal_set_size(tty->master, &window);
      return;
    }
}

/*
 * The payload finds the modes the caller had; in the background they are the shell's line editor's, and no program's.
 * Without input the caller's terminal stays cooked, so one of both adds the carriage return.
 */
static void copy_mode(struct tty *tty, int output) {
  struct termios mode;
  if (tty->terminal.fd >= 0 && !terminal_is_foreground(&tty->terminal)) return;
  if (tty->terminal.fd >= 0) mode = tty->terminal.saved;
  else if (sys_ioctl(output, TCGETS, &mode) >= 0) mode.c_oflag &= ~(tcflag_t)OPOST;
  else return;
  sys_ioctl(tty->master, TCSETS, &mode);
}

static void on_terminal(struct front *front, int master, uint32_t mask) {
  struct tty *tty = tty_of(front);
  const int *stdio = tty->run->stdio;
  int output = stdio[mask & 2 ? 1 : mask & 4 ? 2 : 0];
  tty->master = tty->in.to = tty->out.from = master;
  tty->wants_input = mask & 1;
  sys_fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
  if (tty->wants_input) terminal_open(&tty->terminal, stdio[0]);
  copy_mode(tty, output);
  copy_size(tty);
  tty->in.from = tty->wants_input ? terminal_reopen(stdio[0], O_RDONLY) : -1;
  tty->out.to = terminal_reopen(output, O_WRONLY);
  terminal_make_raw(&tty->terminal);
}

static void on_window(struct front *front, const void *window) {
  struct tty *tty = tty_of(front);
  if (tty->master < 0) return;
  if (window) terminal_set_size(tty->master, window);
  else copy_size(tty);
}

/* --- copying ----------------------------------------------------------------------------------------------------- */

static int fill(struct front *front, struct pollfd *polls, int room, int *timeout_ms) {
  struct tty *tty = tty_of(front);
  if (room < 4 || tty->master < 0) return 0;
  if (tty->wants_input && tty->terminal.fd >= 0 && !terminal_make_raw(&tty->terminal)) *timeout_ms = FOREGROUND_CHECK_MS;
  int input = takes_input(tty) ? passage_wants(&tty->in, tty->in.from) : 0;
  int to_master = passage_wants(&tty->in, tty->master) | passage_wants(&tty->out, tty->master);
  polls[0] = (struct pollfd){input ? tty->in.from : -1, (short)input, 0};
  polls[1] = (struct pollfd){to_master ? tty->master : -1, (short)to_master, 0};
  polls[2] = (struct pollfd){tty->out.size ? tty->out.to : -1, POLLOUT, 0};
  return 3;
}

/* The caller's input is over: so is what a program reads that reads lines, by the end-of-file character (termios(3)). */
static void end_input(struct tty *tty) {
  struct termios mode;
  tty->in.from = -1;
  if (tty->terminal.fd >= 0 || sys_ioctl(tty->master, TCGETS, &mode) < 0) return;
  memset(tty->in.bytes, mode.c_cc[VEOF], 2); /* the first one only ends a line that was begun */
  tty->in.done = 0;
  tty->in.size = 2;
}

static void pass_input(struct tty *tty) {
  int n = passage_read(&tty->in);
  if (n == 0 || (n < 0 && n != -EAGAIN && n != -EIO)) end_input(tty);
  /* EIO: this process is in the background by now, or the terminal hung up, which brings SIGHUP */
  else if (n == -EIO) tty->terminal.raw = 0;
}

/* EIO is how a terminal ends whose other side nobody holds open any more. */
static void pass_output(struct tty *tty) {
  int n = passage_read(&tty->out);
  if (n == -EAGAIN || n > 0) return;
  tty->master = tty->in.to = tty->out.from = -1;
}

static void serve(struct front *front, struct supervisor *supervisor, const struct pollfd *polls, int count) {
  (void)supervisor;
  struct tty *tty = tty_of(front);
  if (!count) return;
  if (polls[2].revents && passage_write(&tty->out) < 0) tty->out.size = 0; /* nobody sees it; the payload goes on */
  if (polls[1].revents & POLLOUT && passage_write(&tty->in) < 0) tty->in.size = 0;
  if (polls[1].revents & (POLLIN | POLLHUP | POLLERR) && !tty->out.size) pass_output(tty);
  if (polls[0].revents) pass_input(tty);
}

/* Nobody but the payload could write more: the kernel has all of it by now. */
static int pending(struct front *front) {
  struct tty *tty = tty_of(front);
  if (tty->out.size) return 1;
  if (tty->master < 0) return 0;
  int n = passage_read(&tty->out);
  if (n <= 0) tty->master = -1;
  return n > 0;
}

/* --- job control ------------------------------------------------------------------------------------------------- */

static void flush(struct tty *tty) {
  if (tty->out.size) passage_write(&tty->out);
}

/* The payload's group was stopped from its own terminal: so is this one, as if it had been typed here. */
static void on_stopped(struct front *front, struct supervisor *supervisor, int signal) {
  (void)signal;
  struct tty *tty = tty_of(front);
  if (tty->terminal.fd < 0) return;
  flush(tty);
  terminal_suspend(&tty->terminal);
  terminal_make_raw(&tty->terminal);
  on_window(front, 0);
  supervise_signal(supervisor, SIGCONT, 1);
}

static void on_resumed(struct front *front) {
  terminal_make_raw(&tty_of(front)->terminal);
  on_window(front, 0);
}

static void on_ended(struct front *front, int32_t code) {
  (void)code;
  terminal_restore(&tty_of(front)->terminal);
}

struct front *tty_front(struct tty *tty, struct run *run) {
  memset(&tty->front, 0, sizeof tty->front);
  tty->front = (struct front){fill, serve, on_terminal, on_window, 0, on_stopped, on_resumed, pending, on_ended, 0};
  tty->run = run;
  tty->master = tty->terminal.fd = -1;
  tty->in.from = tty->in.to = tty->out.from = tty->out.to = -1;
  return &tty->front;
}
