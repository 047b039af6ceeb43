#include "machine.h"
#include "monitor.h"
#include "signals.h"
#include "status.h"
#include "sys.h"

enum { SAY_BEGIN, SAY_WELL, SAY_FAILED, SAY_KILLED, SAY_POWERED_OFF, SAY_REBOOTS, SAY_STOPPING, SAYINGS };

static const struct plan_step *machine_of(const struct plan *plan) { return find_step(plan, OP_MACHINE); }

int machine_is(const struct plan *plan) { return machine_of(plan) != 0; }

uint32_t machine_flags(const struct plan *plan) {
  const struct plan_step *step = machine_of(plan);
  return step ? step->a[0] : 0;
}

int machine_stop_signal(const struct plan *plan) {
  const struct plan_step *step = machine_of(plan);
  return step ? (int)step->a[2] : 0;
}

static void say(const struct plan *plan, uint32_t which, const char *behind) {
  const struct plan_step *step = machine_of(plan);
  char line[2048];
  if (step->a[0] & MACHINE_QUIET || plan_list_count(plan, step->a[1]) < SAYINGS) return;
  text_copy(line, sizeof line, plan_list_string(plan, step->a[1], which));
  if (!*line) return;
  text_append(line, sizeof line, behind);
  text_append(line, sizeof line, "\n");
  print(STDERR, line);
}

void machine_say_stopping(const struct plan *plan) { say(plan, SAY_STOPPING, ""); }

static const char *name_signal(int signal) {
  static const char *const names[] = {"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM"};
  static char number[8];
  if (signal < (int)array_size(names)) return names[signal];
  number[0] = 0;
  text_append_number(number, sizeof number, (uint64_t)signal);
  return number;
}

/* reboot(2): the first process of a pid namespace that asks to be started again dies of SIGHUP, any other end is SIGINT. */
int machine_judge(int32_t *status) {
  int signal = *status & 0x7f, how = signal == SIGHUP ? ENDED_REBOOTS : signal == SIGINT ? ENDED_POWERED_OFF : ENDED_ITSELF;
  if (how != ENDED_ITSELF) *status = 0;
  return how;
}

/* What is said, and the exit status: of a machine that was ended by a signal 1, as systemd-nspawn has it. */
static int tell_end(const struct run *run) {
  char number[16] = "";
  int signal = run->status & 0x7f, code = exit_code(run->status);
  text_append_number(number, sizeof number, (uint64_t)code);
  text_append(number, sizeof number, ".");
  if (run->ended == ENDED_REBOOTS) say(run->plan, SAY_REBOOTS, "");
  else if (run->ended == ENDED_POWERED_OFF) say(run->plan, SAY_POWERED_OFF, "");
  else if (signal) text_copy(number, sizeof number, name_signal(signal)), text_append(number, sizeof number, "."), say(run->plan, SAY_KILLED, number);
  else say(run->plan, code ? SAY_FAILED : SAY_WELL, code ? number : "");
  return signal ? 1 : code;
}

/* Without a console: its descriptors are the caller's, which have to be there for a second start too. */
static int run_piped(struct run *run) {
  for (int i = 0; i < 3; i++)
    if ((run->stdio[i] = must(run, sys_fcntl(i, F_DUPFD_CLOEXEC, 3), "fcntl F_DUPFD", "standard descriptors")) < 0) return -1;
  if (must(run, signals_hold(), "rt_sigprocmask", "") < 0 || run_start(run) < 0) return -1;
  int code = supervise(run);
  run_cleanup(run);
  return code;
}

static int keep_descriptors(int kept[3]) {
  int failed = 0;
  for (int i = 0; i < 3; i++) failed |= (kept[i] = (int)sys_fcntl(i, F_DUPFD_CLOEXEC, 3)) < 0;
  return failed ? -1 : 0;
}

/* Everything anew, but what tells the caller. */
void machine_renew(struct run *run) {
  const struct plan *plan = run->plan;
  int status_fd = run->status_fd;
  for (uint32_t i = 0; i < SLOT_COUNT; i++)
    if (run->slots[i] >= 0) sys_close(run->slots[i]);
  run_init(run, plan);
  run->status_fd = status_fd;
}

int machine_run(struct run *run) {
  uint32_t flags = run->plan->header->run_flags;
  if (flags & RUN_DETACH) return monitor_run(run);
  int console = can_be_detached(run->plan), kept[3], code;
  if (!console && keep_descriptors(kept) < 0) return run_failed(run, "fcntl F_DUPFD", EMFILE, "standard descriptors");
  for (;;) {
    if (!run->ended) say(run->plan, SAY_BEGIN, "");
    run->ended = ENDED_ITSELF;
    code = console ? monitor_run_attached(run) : run_piped(run);
    if (run->failed || run->left) return code;
    code = tell_end(run);
    if (run->ended != ENDED_REBOOTS || !(machine_flags(run->plan) & MACHINE_REBOOTS)) return code;
    machine_renew(run);
    run->ended = ENDED_REBOOTS;
    for (int i = 0; i < 3 && !console; i++) sys_dup3(kept[i], i, 0);
  }
}
