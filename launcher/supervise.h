/* The supervisor's loop, and what may stand in front of it: the caller's terminal, or a monitor's log and clients. */
#ifndef BRIG_SUPERVISE_H
#define BRIG_SUPERVISE_H

#include "run.h"
#include <linux/poll.h>

#define SUPERVISE_POLLS 48

struct supervisor;

/*
 * Each may be 0. `fill` adds what it waits for to `polls` (room for `room`) and returns how many; it may lower
 * `timeout_ms`, which is -1 for ever. `serve` gets the same entries back.
 */
struct front {
  int (*fill)(struct front *front, struct pollfd *polls, int room, int *timeout_ms);
  void (*serve)(struct front *front, struct supervisor *supervisor, const struct pollfd *polls, int count);
  void (*terminal)(struct front *front, int master, uint32_t mask); /* the payload's terminal is there */
  void (*window)(struct front *front, const void *window_or_none);  /* struct record_window, or 0: the caller's changed */
  void (*started)(struct front *front);
  void (*stopped)(struct front *front, struct supervisor *supervisor, int signal);
  void (*resumed)(struct front *front);   /* the launcher itself was continued */
  int (*pending)(struct front *front);    /* behind the payload's end: output is still to be passed on */
  void (*ended)(struct front *front, int32_t code);   /* the exit code; restores what it changed */
  int detached;                           /* outlives its parent */
};

struct supervisor {
  struct run *run;
  struct front *front;
  int signal_fd, timer_fd;
  int parent_fd;     /* pidfd of the one whose death ends the sandbox, or -1 */
  int started, reaped, told_created, told_exited;
  int status_known;  /* init has told the payload's */
  int cancelled;     /* the signal that came before the payload was started, and ended it */
  int asked;         /* a machine was asked to end: the next time it is ended */
  int hurried;       /* a signal came behind its end: what output is still to be passed on is given up */
  int timed_out, grace_over;
  int kill_asked;    /* the keeper was told to end what it stands over */
  int keeper_late;   /* and did not in time */
  int32_t status;
  struct record_exited exited;
  uint64_t began_us; /* of a parked run: when it was armed, or else started */
  int armed;
  uint32_t grace_ms;
};

/* From GO to the end with that front (or 0); fills run->failure where a process told one. The exit code. */
int supervise_with(struct run *run, struct front *front);

/* To the payload, or its process group. */
void supervise_signal(struct supervisor *supervisor, int signal, int group);

/* Ends everything now. */
void supervise_kill(struct supervisor *supervisor);

/* Remembers the caller, for RUN_DIE_WITH_PARENT: as early as possible, so that a caller that dies meanwhile is missed. */
void supervise_note_parent(void);

/* The first step with that operation, or 0. */
const struct plan_step *find_step(const struct plan *plan, uint16_t op);

uint32_t was_oom_killed(const struct run *run); /* oom.c */

/* Kills and reaps every child; to a subreaper that is, one after another, whatever its children have left. */
void kill_children(void);

/* Ends everything that descends from this subreaper, by what /proc tells (tree.c); -1 when something may be left. */
int kill_tree(void);

#endif
