/* Forks a supervisor for a run, with pipes for its payload and nothing else that belongs to the zygote. */
#include "descriptors.h"
#include "run.h"
#include "signals.h"
#include "status.h"
#include "sys.h"
#include "zygote_job.h"
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>

static int null_fd;
static struct rlimit64 callers_files;

static int set_file_limit(const struct rlimit64 *wanted, struct rlimit64 *old) {
  return (int)sys(__NR_prlimit64, 0, 7 /* RLIMIT_NOFILE */, wanted, old);
}

/* Four descriptors a run: the usual 1024 would end at 250. The supervisors get the caller's limit back. */
void job_prepare(void) {
  null_fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
  if (set_file_limit(0, &callers_files) < 0) return;
  struct rlimit64 most = {callers_files.rlim_max, callers_files.rlim_max};
  set_file_limit(&most, 0);
}

/* The payload's ends by descriptor, and the zygote's, which do not block. */
struct ends { int payload[3], zygote[3]; };

static int make_pipe(struct ends *ends, int i) {
  int pair[2], mine = i ? 0 : 1;
  int made = (int)sys(__NR_pipe2, pair, O_CLOEXEC);
  if (made < 0) return made;
  ends->zygote[i] = pair[mine];
  ends->payload[i] = pair[!mine];
  return (int)sys_fcntl(pair[mine], F_SETFL, O_NONBLOCK);
}

static int make_end(struct ends *ends, int i, int kind) {
  if (kind == ZYGOTE_PIPE) return make_pipe(ends, i);
  if (kind == ZYGOTE_NULL) ends->payload[i] = null_fd;
  else if (kind == ZYGOTE_INHERIT) ends->payload[i] = i;
  else ends->payload[i] = ends->payload[i - 1];
  return 0;
}

static void close_pipes(struct ends *ends, int *side) {
  for (int i = 0; i < 3; i++)
    if (ends->zygote[i] >= 0 && side[i] >= 0) sys_close(side[i]), side[i] = -1;
}

static _Noreturn void fail_plan(int control, const char *problem) {
  struct record_failed failed = {.step = SLOT_NONE, .error = EINVAL, .operation = "plan"};
  text_copy(failed.argument, sizeof failed.argument, problem);
  record_send(control, RECORD_FAILED, &failed, sizeof failed);
  sys_exit(125);
}

/* An inherited 0, 1 or 2 stays where it is; everything else is moved to 3 and up, and the zygote's socket is let go. */
static void take_descriptors(struct run *run, int *control, int *arm, const struct ends *ends) {
  int moved[3] = {-1, -1, -1}, same = ends->payload[2] == ends->payload[1];
  for (int i = 0; i < 3; i++) {
    run->stdio[i] = ends->payload[i];
    if (run->stdio[i] < 3 || (i == 2 && same)) continue;
    /* of its own: /dev/null may be wanted by all three */
    moved[i] = (int)sys_fcntl(run->stdio[i], F_DUPFD_CLOEXEC, 3);
    if (moved[i] < 0) fail_plan(*control, "no descriptors are left for it");
  }
  int *const kept[] = {control, &moved[0], &moved[1], &moved[2], arm};
  if (keep_only(kept, array_size(kept), 3) < 0) fail_plan(*control, "no descriptors are left for it");
  for (int i = 0; i < 3; i++)
    if (moved[i] >= 0) run->stdio[i] = moved[i];
  if (same) run->stdio[2] = run->stdio[1];
}

/*
 * Of a parked run's end is told when its init has ended all the others: it must be pid 1, and as free or bound as the
 * payload, so that it may kill them all.
 */
static int may_be_parked(const struct plan_header *header) {
  const uint32_t others = RUN_IN_PLACE | RUN_DETACH | RUN_NO_PAYLOAD | RUN_PLAIN_TTY;
  return (header->run_flags & (RUN_INIT | others)) == RUN_INIT && header->clone_flags & CLONE_NEWPID && !header->steps[PHASE_INIT];
}

static _Noreturn void supervisor_main(int control, int arm, const struct ends *ends, const void *memory, size_t size) {
  static struct plan plan;
  static struct run run;
  const char *problem = plan_check(&plan, memory, size);
  if (callers_files.rlim_max) set_file_limit(&callers_files, 0);
  if (problem) fail_plan(control, problem);
  run_init(&run, &plan);
  if (arm >= 0 && !may_be_parked(plan.header)) fail_plan(control, "one that cannot be parked");
  take_descriptors(&run, &control, &arm, ends);
  run.arm = arm;
  run.parked = arm >= 0;
  run.status_fd = run.control = control;
  if (plan.header->run_flags & RUN_IN_PLACE) sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  sys_exit(run_plan(&run));
}

void job_disarm(struct job *job) {
  if (job->arm >= 0) sys_close(job->arm);
  job->arm = -1;
}

static int fork_supervisor(struct job *job, struct ends *ends, int arm, const void *plan, size_t size) {
  int pair[2];
  int made = socket_pair(pair);
  if (made < 0) return made;
  job->pid = sys_fork();
  if (!job->pid) supervisor_main(pair[1], arm, ends, plan, size);
  sys_close(pair[1]);
  job->fds[JOB_CONTROL] = pair[0];
  sys_fcntl(pair[0], F_SETFL, O_RDWR | O_NONBLOCK);
  if (job->pid > 0) return 0;
  sys_close(pair[0]);
  return job->pid;
}

int job_start(struct job *job, const struct zygote_run *wanted, const void *plan, size_t size) {
  struct ends ends = {{-1, -1, -1}, {-1, -1, -1}};
  int result = 0, arm[2] = {-1, -1};
  if (wanted->parked) result = socket_pair(arm);
  job->arm = arm[0];
  for (int i = 0; i < 3 && result >= 0; i++) result = make_end(&ends, i, wanted->stdio[i]);
  if (result >= 0) result = fork_supervisor(job, &ends, arm[1], plan, size);
  if (arm[1] >= 0) sys_close(arm[1]);
  close_pipes(&ends, ends.payload);
  if (result < 0) return close_pipes(&ends, ends.zygote), job_disarm(job), result;
  job->fds[JOB_STDIN] = ends.zygote[0];
  job->fds[JOB_STDOUT] = ends.zygote[1];
  job->fds[JOB_STDERR] = ends.zygote[2];
  return 0;
}
