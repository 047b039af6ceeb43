/*
 * What a monitor and its clients say to each other over the `attach` socket (unix, SEQPACKET) in a sandbox's state
 * folder: messages of a u32 type and at most ATTACH_DATA_MAX bytes, little-endian. Only the monitor's own user, and
 * root, are let in. A client that reads nothing for ATTACH_PATIENCE_MS while its socket is full is dropped, so that
 * the payload goes on.
 */
#ifndef BRIG_ATTACH_H
#define BRIG_ATTACH_H

#include <stdint.h>

struct plan;

#define ATTACH_DATA_MAX 4096
#define ATTACH_PATIENCE_MS 500

/* Monitor to client. */
enum {
  ATTACH_READY = 1,  /* struct attach_ready; the first message */
  ATTACH_STDOUT = 2, /* bytes; a terminal's output too */
  ATTACH_STDERR = 3,
  ATTACH_STOPPED = 4, /* i32 signal: the payload's group was stopped, and this client typed last */
  ATTACH_EXITED = 5, /* struct attach_end; the last message */
};

/* Client to monitor. */
enum {
  ATTACH_STDIN = 33,     /* bytes */
  ATTACH_STDIN_END = 34, /* closes the payload's input */
  ATTACH_WINDOW = 35,    /* u16 rows, u16 columns */
  ATTACH_SIGNAL = 36,    /* i32 signal, u32 group: 1 for the payload's process group */
  ATTACH_DETACH = 37,    /* the client leaves on purpose: what was started for it lives on */
};

struct attach_ready {
  uint32_t terminal;    /* the payload's descriptors 0-2 that are its terminal, a bit each */
  uint32_t takes_input; /* 0: standard input is not connected */
  char detach_keys[24]; /* the bytes typed to detach, ended by NUL */
};

struct attach_end {
  int32_t code;   /* as the launcher would have exited */
  int32_t status; /* waitpid(2)'s of a machine's first process */
  int32_t how;    /* ENDED_* of a machine */
};

struct attach_message {
  uint32_t type;
  union {
    char bytes[ATTACH_DATA_MAX];
    int32_t number;
    uint16_t window[2];
    struct { int32_t signal; uint32_t group; } signal;
    struct attach_ready ready;
    struct attach_end end;
  } body;
};

/* Sends one; 0 or -errno (-EAGAIN when it would have to wait). */
int attach_send(int socket, uint32_t type, const void *body, uint32_t size);

/* The size of the body of the next one in `message`; -EPIPE when the other side is gone, -EAGAIN when there is none. */
int attach_receive(int socket, struct attach_message *message);

/*
 * Shows the sandbox behind `socket` on descriptors 0-2 until it ends or the user detaches. `owned`: stopping and
 * dying together, because this process is the sandbox's command. Records that come on `report` (or -1) are passed on
 * to `status_fd` (or -1). The exit code.
 */
struct attach_session {
  int socket, report, status_fd, owned, parent_fd;
  const char *id;
  const struct plan *machine; /* whose machine's console this is, or 0 */
  int detached; /* set when the user left */
  struct attach_end end; /* what the monitor told */
};
int attach_run(struct attach_session *session);

#endif
