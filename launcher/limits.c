/* What the payload may use, and how it is scheduled. */
#include "run.h"
#include "sys.h"
#include <linux/prctl.h>

static uint64_t u64_of(const uint32_t *low) { return low[0] | (uint64_t)low[1] << 32; }

int step_rlimit(struct run *run, const struct plan_step *step) {
  struct { uint64_t soft, hard; } limit = {u64_of(step->a + 1), u64_of(step->a + 3)};
  return must(run, sys(__NR_prlimit64, 0, step->a[0], &limit, 0), "prlimit", "");
}

int step_umask(struct run *run, const struct plan_step *step) {
  run->umask = (uint32_t)sys(__NR_umask, step->a[0] == 0xffffffff ? run->umask : step->a[0]);
  return 0;
}

static int write_path(struct run *run, const char *path, const void *data, size_t size, int flags, int mode) {
  int fd = must(run, sys_openat(AT_FDCWD, path, flags, mode), "open", path);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, data, size), "write", path);
  sys_close(fd);
  return result;
}

int step_oom_score(struct run *run, const struct plan_step *step) {
  const char *value = run_text(run, step, step->a[0]);
  return write_path(run, "/proc/self/oom_score_adj", value, strlen(value), O_WRONLY, 0);
}

int step_self_write(struct run *run, const struct plan_step *step) {
  char path[PATH_ROOM] = "/proc/self/";
  text_append(path, sizeof path, run_text(run, step, step->a[0]));
  return write_path(run, path, run->plan->data + step->a[1], step->a[2], O_WRONLY, 0);
}

int step_proc_write(struct run *run, const struct plan_step *step) {
  char path[PATH_ROOM] = "/proc/";
  text_append_number(path, sizeof path, (uint64_t)run->child);
  text_append(path, sizeof path, "/");
  text_append(path, sizeof path, run_text(run, step, step->a[0]));
  return write_path(run, path, run->plan->data + step->a[1], step->a[2], O_WRONLY, 0);
}

int step_write_host(struct run *run, const struct plan_step *step) {
  return write_path(run, run_text(run, step, step->a[0]), run->plan->data + step->a[1], step->a[2], (int)step->a[3], (int)step->a[4]);
}

int step_nice(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_setpriority, 0, 0, (int32_t)step->a[0]), "setpriority", "");
}

int step_scheduler(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_sched_setattr, 0, run->plan->data + step->a[0], 0), "sched_setattr", "");
}

int step_io_priority(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, step->a[0]), "ioprio_set", "");
}

int step_affinity(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_sched_setaffinity, 0, step->a[1], run->plan->data + step->a[0]), "sched_setaffinity", "");
}

int step_personality(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_personality, step->a[0]), "personality", "");
}

int step_parent_death(struct run *run, const struct plan_step *step) {
  return must(run, sys_prctl(PR_SET_PDEATHSIG, step->a[0], 0, 0, 0), "prctl PR_SET_PDEATHSIG", "");
}
