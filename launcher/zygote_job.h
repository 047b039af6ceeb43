/* One run of the zygote: its supervisor's process, its socket to it, its payload's pipes. */
#ifndef BRIG_ZYGOTE_JOB_H
#define BRIG_ZYGOTE_JOB_H

#include "zygote.h"
#include <stddef.h>

/* What of a job an event of epoll is about: the low bits of its data, the job's index above. */
enum { JOB_CONTROL, JOB_STDOUT, JOB_STDERR, JOB_STDIN, JOB_KINDS };

struct job {
  uint32_t id;
  int used;
  int pid;                  /* 0: reaped */
  int fds[JOB_KINDS];       /* -1: closed */
  int arm;                  /* what a parked payload waits on, until it is armed; else -1 */
  int watched[JOB_KINDS];   /* epoll events, or 0: not in it */
  uint32_t credit[2];
  int32_t status;           /* of a reaped supervisor */
  uint8_t in_place, detached, parked, told_end, input_ends;
  uint8_t ended[2];         /* of a parked run's outputs: END is told with its EXITED */
  char *input;              /* ZYGOTE_STDIN_CREDIT bytes that its pipe did not take yet, or 0 */
  uint32_t input_done, input_size, input_written;
};

void job_disarm(struct job *job); /* what waits for ARM ends */

/* zygote_start.c: forks its supervisor; 0 or -errno. `plan` may be let go of afterwards. */
int job_start(struct job *job, const struct zygote_run *wanted, const void *plan, size_t size);
void job_prepare(void); /* once: descriptors, limits */

/* zygote_answer.c */
int has_room(void);               /* for all that one event may bring */
char *begin_frame(void);          /* where the body goes, ZYGOTE_DATA_MAX bytes */
void end_frame(const struct job *job, uint32_t type, size_t size);
void answer(const struct job *job, uint32_t type, const void *body, size_t size);
void answer_number(const struct job *job, uint32_t type, uint32_t number);
void answers_flush(void);         /* as much as the socket takes */
int answers_wait(void);           /* there is more than that */
_Noreturn void zygote_leave(int code); /* the supervisors see their sockets close */

#endif
