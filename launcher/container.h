/* A container: a sandbox with a folder that outlives its runs. */
#ifndef BRIG_CONTAINER_H
#define BRIG_CONTAINER_H

#include "run.h"
#include "status.h"

/* In OP_CONTAINER's restart. */
enum { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

/* At the payload's end, before the host is cleaned up: writes FOLDER/exit, and decides whether it starts again. */
void container_exited(struct run *run, const struct record_exited *exited, int code);

/* The monitor's last act: starts the plan in the folder again, or takes the folder along, or does nothing. */
void container_end(struct run *run);

/* `brig --again FOLDER RUNS DELAY_MS`: the next run. */
int container_again_main(const char *folder, const char *runs, const char *delay);

#endif
