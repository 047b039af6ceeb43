#include "terminal.h"
#include "signals.h"
#include "sys.h"

static struct terminal *to_restore; /* there is one terminal that a fault must give back */

static void restore_on_fault(void) {
  if (to_restore) terminal_restore(to_restore);
}

void terminal_open(struct terminal *terminal, int fd) {
  terminal->raw = 0;
  terminal->fd = fd >= 0 && sys_ioctl(fd, TCGETS, &terminal->saved) >= 0 ? fd : -1;
  if (terminal->fd < 0) return;
  to_restore = terminal;
  signals_on_fault(restore_on_fault);
}

/* A terminal that does not control this session has no foreground to lose. */
int terminal_is_foreground(const struct terminal *terminal) {
  int group = 0;
  if (terminal->fd < 0) return 0;
  return sys_ioctl(terminal->fd, TIOCGPGRP, &group) < 0 || group == (int)sys(__NR_getpgid, 0);
}

/* As cfmakeraw(3). */
static struct termios raw_of(struct termios mode) {
  mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  mode.c_oflag &= ~(tcflag_t)OPOST;
  mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  mode.c_cflag = (mode.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return mode;
}

/* The mode is read again: whoever had the terminal in the meantime may have changed it. */
int terminal_make_raw(struct terminal *terminal) {
  if (terminal->raw || !terminal_is_foreground(terminal)) return terminal->raw;
  if (sys_ioctl(terminal->fd, TCGETS, &terminal->saved) < 0) return 0;
  struct termios raw = raw_of(terminal->saved);
  terminal->raw = sys_ioctl(terminal->fd, TCSETS, &raw) >= 0;
  return terminal->raw;
}

void terminal_restore(struct terminal *terminal) {
  if (terminal->raw && terminal_is_foreground(terminal)) sys_ioctl(terminal->fd, TCSETS, &terminal->saved);
  terminal->raw = 0;
}

/* SIGTSTP, not SIGSTOP: where no shell is left that could continue the group, the kernel passes over it. */
void terminal_suspend(struct terminal *terminal) {
  terminal_restore(terminal);
  sys_kill(0, SIGTSTP);
  signals_let_through(SIGTSTP);
  signals_discard(SIGCONT);
}

struct size { uint16_t rows, columns, width, height; }; /* struct winsize, ioctl_tty(2) */

int terminal_size(int fd, struct record_window *window) {
  struct size size;
  int result = (int)sys_ioctl(fd, TIOCGWINSZ, &size);
  if (result >= 0) *window = (struct record_window){size.rows, size.columns};
  return result;
}

int terminal_set_size(int fd, const struct record_window *window) {
  struct size size = {window->rows, window->columns, 0, 0};
  return (int)sys_ioctl(fd, TIOCSWINSZ, &size);
}

int terminal_reopen(int fd, int flags) {
  char path[32] = "/proc/self/fd/";
  struct termios mode;
  if (sys_ioctl(fd, TCGETS, &mode) < 0) return fd;
  text_append_number(path, sizeof path, (uint64_t)fd);
  int again = sys_openat(AT_FDCWD, path, flags | O_NONBLOCK | O_NOCTTY, 0);
  return again < 0 ? fd : again;
}
