/* What a machine's first process tells of itself (sd_notify(3)). */
#ifndef BRIG_NOTIFY_H
#define BRIG_NOTIFY_H

#include "run.h"

/* Reads what is there: at READY=1 the state folder gets a file `ready`, and the caller's own service manager hears it. */
void notify_read(struct run *run);

#endif
