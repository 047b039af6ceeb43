/* The payload's own terminal in front of the caller's. */
#ifndef BRIG_TTY_H
#define BRIG_TTY_H

#include "supervise.h"
#include "terminal.h"

#define TTY_ROOM 4096 /* no more is written to a pipe at once: poll(2) promises that much (PIPE_BUF) */

/* Bytes on their way from one descriptor to another. */
struct passage {
  int from, to;  /* -1: closed */
  size_t done, size;
  char bytes[TTY_ROOM];
};

struct tty {
  struct front front;
  struct run *run;
  struct terminal terminal;
  int master;       /* -1: none yet, or the payload's side is closed */
  int wants_input;  /* descriptor 0 of the payload is its terminal */
  struct passage in, out;
};

struct front *tty_front(struct tty *tty, struct run *run);

/* What of a passage poll(2) is asked for, and moving on when it answers. Both are shared with attach.c. */
int passage_wants(const struct passage *passage, int fd);
int passage_read(struct passage *passage);  /* bytes; 0 at the end; -errno */
int passage_write(struct passage *passage); /* 0, or -errno; -EAGAIN is 0 */

#endif
