/* Records between the launcher's processes and to whoever started it: SEQPACKET sockets, pipes, files. */
#ifndef BRIG_STATUS_H
#define BRIG_STATUS_H

#include "run.h"
#include <linux/time.h>

/* Records that only the launcher's own processes exchange; plan.h has the others. */
enum {
  RECORD_SIGNAL = 64, /* to init or a supervisor: struct record_signal */
  RECORD_WINDOW = 65, /* to a supervisor: struct record_window, the new size of the payload's terminal */
  RECORD_LISTENER = 67, /* to a supervisor: the payload's seccomp listener comes along */
  RECORD_NAMESPACE = 66, /* to a supervisor: i32 index in NAMESPACE_NAMES; a descriptor of it comes along */
  RECORD_NOTIFY = 69, /* to a supervisor: the socket of OP_NOTIFY comes along */
  RECORD_ARM = 68, /* to the supervisor of a parked run: struct record_arm */
};
struct record_arm { uint64_t timeout_ms; uint32_t grace_ms, reserved; };
struct record_signal { int32_t signal; uint32_t group; /* the payload's process group, not it alone */ };
/*
 * An init that hides from its payload hides from its owner too, who could not join its namespaces by /proc/PID/ns: its
 * supervisor holds each at descriptor NAMESPACE_FD and up, to be opened through /proc/SUPERVISOR/fd.
 */
#define NAMESPACE_FD 64
#define NAMESPACE_NAMES {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"}

#define SIGNAL_AND_END 2 /* as `group`: to the group, and what is left when the payload ends is ended too */
struct record_window { uint16_t rows, columns; };

/* The largest record that is passed on, with room to spare. */
struct message {
  struct record record;
  union {
    char bytes[384];
    int32_t number;
    uint32_t word;
    struct record_created created;
    struct record_exited exited;
    struct record_failed failed;
    struct record_signal signal;
    struct record_window window;
    struct record_arm arm;
  } body;
  int fd; /* that came along, or -1 */
};

/* A pair of connected sockets that keep records whole; 0 or -errno. */
int socket_pair(int pair[2]);

/* Sends one; a reader that is gone is -EPIPE, never a signal's death (signals are held). */
int record_send(int fd, uint32_t type, const void *body, size_t size);

/* Takes one. 1: `message` is filled (a body that is too large is cut); 0: the other side is closed; -EAGAIN; -errno. */
int record_receive(int fd, struct message *message, int wait);

/* What the run's watcher is told; nothing where nobody listens. */
void status_created(const struct run *run);
void status_exited(const struct run *run, const struct record_exited *exited);

/* The state folder's `exit`. */
/* A line as the state folder's `exit` has it, in another folder. */
void write_exit_in(int folder, const struct record_exited *exited);

/* Readers see the old file or the whole new one. */
void replace_file(int folder, const char *name, const char *text);

void state_write_exit(const struct run *run, const struct record_exited *exited);

/* waitpid(2)'s status as a shell says it: the code, or 128 + signal. */
int exit_code(int32_t status);

uint64_t clock_us(void); /* monotonic */
uint64_t microseconds(const struct __kernel_old_timeval *time);

#endif
