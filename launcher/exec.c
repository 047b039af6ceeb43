/* The end of the plan: the payload's descriptors, session and program. */
#include "run.h"
#include "sys.h"
#include <linux/poll.h>
#include <linux/prctl.h>

#define TIOCSCTTY 0x540e

int step_keep_fd(struct run *run, const struct plan_step *step) {
  return must(run, sys_fcntl((int)step->a[0], F_SETFD, 0), "fcntl F_SETFD", "a descriptor to keep");
}

int step_session(struct run *run, const struct plan_step *step unused) {
  if (run->session_made) return 0;
  if (must(run, sys(__NR_setsid), "setsid", "") < 0) return -1;
  return run->pty_side < 0 ? 0 : must(run, sys_ioctl(run->pty_side, TIOCSCTTY, 0), "ioctl TIOCSCTTY", "");
}

/* Puts the payload's descriptors at 0, 1 and 2: its terminal where it has one, else what the caller gave. */
static int place_stdio(struct run *run) {
  int from[3];
  for (int i = 0; i < 3; i++) {
    from[i] = run->pty_side >= 0 && run->pty_mask >> i & 1 ? run->pty_side : run->stdio[i];
    /* out of the way first: a source at 0-2 would be overwritten before it is used */
    if (from[i] < 3 && from[i] != i) {
      from[i] = (int)sys_fcntl(from[i], F_DUPFD_CLOEXEC, 3);
      if (from[i] < 0) return run_failed(run, "fcntl F_DUPFD", from[i], "standard descriptors");
    }
  }
  for (int i = 0; i < 3; i++)
    if (from[i] != i && must(run, sys_dup3(from[i], i, 0), "dup3", "standard descriptors") < 0) return -1;
  return 0;
}

static _Noreturn void tell_and_exit(struct run *run) {
  struct { struct record record; struct record_failed failed; } told = {{RECORD_FAILED, sizeof told.failed}, run->failure};
  if (run->sync >= 0) write_all(run->sync, &told, sizeof told);
  sys_exit(125);
}

_Noreturn void payload_main(struct run *run) {
  uint64_t none = 0;
  if (place_stdio(run) < 0) tell_and_exit(run);
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, sizeof none);
  if (run_phase(run, PHASE_PAYLOAD) < 0) tell_and_exit(run);
  sys_exit(0); /* a plan without OP_EXEC: what was set up is all that was wanted */
}

/* The payload dies with its supervisor. Init sees to that where there is one; here the kernel does. */
static int follow_supervisor(struct run *run) {
  if (run->plan->header->run_flags & (RUN_INIT | RUN_PLAIN_TTY | RUN_IN_PLACE)) return 0;
  if (must(run, sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl PR_SET_PDEATHSIG", "") < 0) return -1;
  struct pollfd end = {run->sync, 0, 0};
  struct __kernel_timespec now = {0, 0};
  if (sys(__NR_ppoll, &end, 1, &now, 0, 0) > 0 && end.revents & (POLLHUP | POLLERR)) sys_exit(125); /* it died before */
  return 0;
}

static char **make_vector(struct run *run, const struct plan_step *step, uint32_t list) {
  static char *nothing[] = {0};
  if (!list) return nothing;
  uint32_t count = plan_list_count(run->plan, list);
  char **vector = (char **)sys(__NR_mmap, 0, (count + 1ul) * sizeof *vector, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  if ((unsigned long)vector > -4096ul) return 0;
  for (uint32_t i = 0; i < count; i++) {
    const char *string = plan_list_string(run->plan, list, i);
    if (step->flags & STEP_ID && text_equal(string, "%i")) string = run->id;
    vector[i] = (char *)string;
  }
  return vector;
}

static int execute(struct run *run, const struct command *command) {
  int error = -ENOENT;
  const char *what = command->argv[0] ? command->argv[0] : "";
  for (char **candidate = command->candidates; *candidate; candidate++) {
    int result = (int)sys(__NR_execve, *candidate, command->argv, command->env);
    if (result == -ENOENT || result == -ENOTDIR) continue;
    error = result;
    what = *candidate;
    if (result != -EACCES) break; /* as execvp(3): a later folder may have one that may be executed */
  }
  return run_failed(run, "execve", error, what);
}

int step_exec(struct run *run, const struct plan_step *step) {
  if (follow_supervisor(run) < 0) return -1;
  struct command command;
  if (run->arm >= 0) return park(run, &command) < 0 ? -1 : execute(run, &command);
  command = (struct command){make_vector(run, step, step->a[0]), make_vector(run, step, step->a[1]), run->env ? run->env : make_vector(run, step, step->a[2])};
  if (!command.candidates || !command.argv || !command.env) return run_failed(run, "mmap", ENOMEM, "arguments");
  return execute(run, &command);
}
