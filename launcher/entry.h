/* From words to a plan: the cache of compiled plans, or Node, which compiles. */
#ifndef BRIG_ENTRY_H
#define BRIG_ENTRY_H

#include "run.h"

#ifndef BRIG_BUILD
#define BRIG_BUILD 0
#endif
#define launcher_build ((uint64_t)BRIG_BUILD)

/* witness.c: all of them hold, and the build is this one. `words`: the command line behind the name, or 0: not compared. */
int plan_is_fresh(const struct plan *plan, char **words);

/* answers.c: a witness of what a call was answered gives the same answer. */
int answer_holds(const struct plan *plan, const struct plan_witness *w);

/* A bit for each of descriptors 0-2 that is a terminal. */
uint32_t terminal_bits(void);

/* cache.c: the user's compiled plan of these words; 1 when there is one and it is fresh. */
int cache_find(struct plan *plan, char **words);

/*
 * node.c: starts the command's TypeScript with these words (ended by 0) and waits for it. `fd` is handed down, its
 * number in the environment variable `variable`. The status as waitpid(2) gives it, or -errno when there is no Node
 * (which has been said).
 */
int node_run(char *const *words, const char *variable, int fd, int quiet);

#endif
