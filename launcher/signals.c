#include "signals.h"
#include "sys.h"

#define MASK_SIZE sizeof(uint64_t)
enum { BLOCK = 0, UNBLOCK = 1, SET = 2 };

/* struct sigaction as rt_sigaction(2) wants it; every architecture here has these fields in this order. */
struct action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

static uint64_t callers_mask;
static int held;

static uint64_t bit_of(int signal) { return 1ull << (signal - 1); }

static int set_mask(int how, uint64_t mask, uint64_t *old) { return (int)sys(__NR_rt_sigprocmask, how, &mask, old, MASK_SIZE); }

static void set_default(int signal) {
  struct action action = {0};
  sys(__NR_rt_sigaction, signal, &action, 0, MASK_SIZE);
}

/* A held signal is kept even where it is ignored, so one that the caller ignores (nohup, a script's "&") is let be. */
static uint64_t ignored_by_caller(void) {
  static const int asked[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
  uint64_t ignored = 0;
  for (size_t i = 0; i < array_size(asked); i++) {
    struct action action = {0};
    sys(__NR_rt_sigaction, asked[i], 0, &action, MASK_SIZE);
    if (action.handler == (void (*)(int))1 /* SIG_IGN */) ignored |= bit_of(asked[i]);
  }
  return ignored;
}

int signals_hold(void) {
  if (held) return 0;
  int result = set_mask(SET, ~ignored_by_caller(), &callers_mask);
  if (result < 0) return result;
  held = 1;
  set_default(SIGCHLD); /* a caller that ignores it would make the kernel reap children without their status */
  return 0;
}

void signals_release(void) {
  if (held) set_mask(SET, callers_mask, 0);
}

int signals_open(void) {
  uint64_t all = ~0ull;
  return (int)sys(__NR_signalfd4, -1, &all, MASK_SIZE, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_read(int fd, struct signalfd_siginfo *info) { return sys_read(fd, info, sizeof *info) == sizeof *info; }

void signals_let_through(int signal) {
  set_mask(UNBLOCK, bit_of(signal), 0);
  set_mask(BLOCK, bit_of(signal), 0);
}

static int wait_for(uint64_t mask, int32_t *siginfo, const struct __kernel_timespec *timeout) {
  for (;;) {
    long signal = sys(__NR_rt_sigtimedwait, &mask, siginfo, timeout, MASK_SIZE);
    if (signal != -EINTR) return (int)signal;
  }
}

void signals_discard(int signal) {
  struct __kernel_timespec none = {0, 0};
  int32_t siginfo[32];
  wait_for(bit_of(signal), siginfo, &none);
}

int signals_wait(struct signalfd_siginfo *info) {
  int32_t siginfo[32]; /* si_signo, si_errno, si_code lead in both architectures */
  int signal = wait_for(~0ull, siginfo, 0);
  memset(info, 0, sizeof *info);
  info->ssi_signo = (uint32_t)signal;
  info->ssi_code = siginfo[2];
  return signal;
}

static void (*restore_before_death)(void);

static void on_fault(int signal) {
  if (restore_before_death) restore_before_death();
  set_default(signal);
  set_mask(UNBLOCK, bit_of(signal), 0);
  sys_kill(sys_getpid(), signal);
  sys_exit(128 + signal);
}

/* The handler never returns, but x86_64's kernel refuses one without a restorer. */
static void never_returned_to(void) { sys_exit(125); }

void signals_on_fault(void (*restore)(void)) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  struct action action = {on_fault, 0x04000000 /* SA_RESTORER */, never_returned_to, ~0ull};
  restore_before_death = restore;
  for (size_t i = 0; i < array_size(faults); i++) sys(__NR_rt_sigaction, faults[i], &action, 0, MASK_SIZE);
}
