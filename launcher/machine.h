/* A machine as who started it sees it: what is said at its start and end, and how it is started again. */
#ifndef BRIG_MACHINE_H
#define BRIG_MACHINE_H

#include "run.h"

int machine_is(const struct plan *plan);

/* MACHINE_* of the plan's OP_MACHINE; 0 where the plan has none, or asks for nothing. */
uint32_t machine_flags(const struct plan *plan);

/* The signal that asks the machine to end; 0: it is killed. */
int machine_stop_signal(const struct plan *plan);

void machine_say_stopping(const struct plan *plan);

/* How its first process ended, from waitpid(2)'s status: ENDED_*, and 0 in place of a status that means that. */
int machine_judge(int32_t *status);

#endif
