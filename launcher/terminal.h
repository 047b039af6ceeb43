/* The caller's terminal, while the payload has one of its own: raw mode, its size, and giving it back. */
#ifndef BRIG_TERMINAL_H
#define BRIG_TERMINAL_H

#include "status.h"
#include <asm/ioctls.h>
#include <asm/termbits.h>

struct terminal {
  int fd;      /* -1: none */
  int raw;
  struct termios saved;
};

/* Takes that descriptor where it is a terminal. It is restored by terminal_restore, and on a fault of the launcher. */
void terminal_open(struct terminal *terminal, int fd);

int terminal_is_foreground(const struct terminal *terminal);

/* Raw mode where this process is in the foreground; 1 when it is raw then. */
int terminal_make_raw(struct terminal *terminal);
void terminal_restore(struct terminal *terminal);

/* Gives the terminal back and stops this process's group as ^Z would; comes back when it is continued. */
void terminal_suspend(struct terminal *terminal);

/* 0, or -errno. */
int terminal_size(int fd, struct record_window *window);
int terminal_set_size(int fd, const struct record_window *window);

/* A descriptor of the same terminal that does not block; the one given where it can't be opened again. */
int terminal_reopen(int fd, int flags);

#endif
