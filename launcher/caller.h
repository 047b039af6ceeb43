/* Descriptors beyond 0-2 that whoever started the launcher left open: bwrap's words name some, its payload gets the rest. */
#ifndef BRIG_CALLER_H
#define BRIG_CALLER_H

#include "run.h"

#define CALLER_FDS 256 /* beyond these nothing is handed on */

/* Looks which there are: before this process opens any of its own. */
void caller_note(void);

/* In a process that is about to execute Node: it may read them too. */
void caller_share(void);

/* In the supervisor, when the payload has what it gets: a writer's end that was held here would hide that end from its reader. */
void caller_let_go(const struct plan *plan);

/* info.c: what bwrap's --info-fd and --json-status-fd tell. */
void info_created(const struct run *run);
void info_exited(const struct run *run, int code);

#endif
