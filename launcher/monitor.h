/* The process that stays with a detached sandbox: its log, its clients, its end. */
#ifndef BRIG_MONITOR_H
#define BRIG_MONITOR_H

#include "attach.h"
#include "log.h"
#include "supervise.h"

#define CLIENTS_MAX 16

struct client { int fd, late; };

/* One of the payload's outputs; what was read waits in `chunk` until every client has room for it. */
struct source { int fd, stream; };

struct monitor {
  struct front front;
  struct run *run;
  struct log log;
  struct source sources[2]; /* standard output or the terminal, and standard error */
  int input;                /* pipe or terminal, or -1 */
  int listener;
  int side;                 /* a machine's console, kept open on its side too, or -1 */
  struct client clients[CLIENTS_MAX]; /* fd -1: free */
  int owner;                /* the client whose end is the sandbox's, or -1 */
  int last_typed;           /* the client that a stop is told to, or -1 */
  uint32_t chunk_type;
  size_t chunk_size;        /* 0: nothing waits */
  uint64_t chunk_deadline_us;
  size_t typed_done, typed_size;
  char typed[ATTACH_DATA_MAX];
  char chunk[ATTACH_DATA_MAX];
};

/* clients.c */
void clients_listen(struct monitor *monitor);
void clients_add(struct monitor *monitor, int fd);
void clients_send(struct monitor *monitor, uint32_t type, const char *bytes, size_t size); /* output: fills `chunk` for those who are late */
void clients_retry(struct monitor *monitor, int i);
void clients_drop_late(struct monitor *monitor);
int clients_are_late(const struct monitor *monitor);
void clients_end(struct monitor *monitor, int32_t code);
void clients_accept(struct monitor *monitor);
void clients_serve(struct monitor *monitor, struct supervisor *supervisor, int i);

/* monitor.c: the plan has keys to detach, a terminal to type them at, and a state folder to attach again through. */
int can_be_detached(const struct plan *plan);

/* The same with this process in front of it as its client, until those keys are typed. */
int monitor_run_attached(struct run *run);

#endif
