/* Failures: which step, which call, what the kernel answered, on what. */
#include "run.h"
#include "sys.h"

int run_failed(struct run *run, const char *operation, int error, const char *argument) {
  struct record_failed *f = &run->failure;
  if (run->failed) return -1; /* the first failure is the one to tell */
  run->failed = 1;
  memset(f, 0, sizeof *f);
  f->step = run->step;
  f->op = run->step == SLOT_NONE ? 0 : run->plan->steps[run->step].op;
  f->error = error < 0 ? -error : error;
  text_copy(f->operation, sizeof f->operation, operation);
  text_copy(f->argument, sizeof f->argument, argument ? argument : "");
  return -1;
}

int must(struct run *run, long result, const char *operation, const char *argument) {
  return result < 0 ? run_failed(run, operation, (int)result, argument) : (int)result;
}
