/*
 * Watching a payload's system calls (seccomp_unotify(2)): a child of the supervisor hears of each call that OP_WATCH
 * names, and of each that the filter refuses, before the kernel does it; says on the report descriptor what it asks
 * for and how that looks from inside; and answers: a call that the filter lets through goes on to the walls as it
 * would have without anybody watching, one that it refuses gets the filter's errno.
 */
#ifndef BRIG_WATCH_H
#define BRIG_WATCH_H

#include "run.h"

/* Serves the listener in a child; listener and report descriptor are the child's alone from then on. 0 or -errno. */
int watch_start(struct run *run, int listener);

/* In the payload: sends the listener to the supervisor. 0 or -errno. */
int watch_hand_over(int sync, int listener);

/* What the filter answers to a call (seccomp(2)); a program that the kernel would not take answers with death. */
uint32_t filter_answer(const void *filter, uint32_t count, const void *seccomp_data);

/* watch_path.c: how a path looks to the process from inside; 0 when there is nothing to say. */
struct path_report {
  struct watch_path facts;
  char asked[PATH_ROOM], found[PATH_ROOM]; /* absolute, in the payload's root */
};
int look_from_inside(int tid, int dirfd, uint64_t address, struct path_report *report);
int name_descriptor(int tid, int fd, char *name, size_t room); /* what /proc/TID/fd/FD is a link to */
long read_memory(int tid, uint64_t address, void *to, size_t size);

#endif
