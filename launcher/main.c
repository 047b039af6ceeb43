/* Which of its ways the launcher was started in. */
#include "container.h"
#include "monitor.h"
#include "run.h"
#include "signals.h"
#include "sys.h"
#include <linux/landlock.h>

#ifndef BRIG_BUILD
#define BRIG_BUILD 0
#endif

/* Nothing of the caller's but 0, 1 and 2 gets further than this program, and those three are open. Below 0: not so. */
static int sanitise(void) {
  int fd;
  do fd = sys_openat(AT_FDCWD, "/dev/null", O_RDWR, 0);
  while (fd >= 0 && fd < 3);
  if (fd >= 0) sys_close(fd);
  for (int i = 0; i < 3; i++)
    if (sys_fcntl(i, F_SETFD, 0) < 0) return -1; /* those that were just opened are close-on-exec */
  return (int)sys(__NR_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */);
}

const char *load_plan(struct plan *plan, int fd) {
  size_t room = PLAN_MAX_SIZE + PLAN_PREFIX;
  char *memory = (char *)sys(__NR_mmap, 0, room, 3 /* read, write */, 0x4022 /* private, anonymous, no reserve */, -1, 0);
  if ((unsigned long)memory > -4096ul) return "too large for the memory there is";
  long size = read_up_to(fd, memory, room);
  if (size < 0) return "unreadable";
  int prefixed = size > (long)PLAN_PREFIX && memory[0] == '#' && memory[1] == '!';
  return plan_check(plan, memory + (prefixed ? PLAN_PREFIX : 0), (size_t)size - (prefixed ? PLAN_PREFIX : 0));
}

static void tell_failure(struct run *run) {
  struct { struct record record; struct record_failed failed; } told = {{RECORD_FAILED, sizeof told.failed}, run->failure};
  if (run->status_fd >= 0) write_all(run->status_fd, &told, sizeof told);
  else report_failure(run);
}

/*
 * As a shell says it: 127 the program is not there, 126 it can't be executed, 125 brig could not do its part; or as
 * the tool that the plan stands for says it.
 */
static int failure_code(const struct run *run) {
  uint32_t flags = run->plan->header->run_flags;
  uint32_t tools = (run->failure.op == OP_EXEC ? flags >> RUN_EXEC_FAILURE_SHIFT : flags >> RUN_FAILURE_SHIFT) & 0xff;
  if (tools) return (int)tools;
  if (run->failure.op != OP_EXEC) return 125;
  return run->failure.error == ENOENT || run->failure.error == ENOTDIR ? 127 : 126;
}

int run_plan(struct run *run) {
  uint32_t flags = run->plan->header->run_flags;
  int code;
  if (flags & RUN_IN_PLACE) code = run_in_place(run);
  else if (find_step(run->plan, OP_MACHINE)) code = machine_run(run);
  else if (flags & RUN_DETACH) code = monitor_run(run);
  else if (flags & RUN_ATTACHED || can_be_detached(run->plan)) code = monitor_run_attached(run);
  else {
    /* one that came before supervise() reads them would leave what the steps made on the host */
    code = must(run, signals_hold(), "rt_sigprocmask", "");
    if (code >= 0) code = run_start(run);
    if (code >= 0) {
      code = supervise(run);
      run_cleanup(run);
    }
  }
  if (!run->failed) return code;
  tell_failure(run);
  return failure_code(run);
}

static int plan_fd_main(int fd, int status_fd) {
  static struct plan plan;
  static struct run run;
  const char *problem = load_plan(&plan, fd);
  if (problem) {
    print(STDERR, "brig: the plan is ");
    print(STDERR, problem);
    print(STDERR, "\n");
    return 125;
  }
  run_init(&run, &plan);
  run.status_fd = status_fd;
  return run_plan(&run);
}

/* What TypeScript can't find out without a system call, one fact a line. */
static int probe_main(void) {
  char line[64] = "landlock ";
  long abi = sys(__NR_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
  text_append_number(line, sizeof line, abi < 0 ? 0 : (uint64_t)abi);
  text_append(line, sizeof line, "\n");
  print(1, line);
  return 0;
}

/* Whether folders of an overlay's upper side hide what is below them: NUL-ended paths come in, a letter each goes out. */
static int opaque_main(void) {
  static char path[PATH_ROOM];
  char value[8];
  size_t size = 0;
  for (char one; sys_read(0, &one, 1) == 1;) {
    if (size == sizeof path) return 1;
    path[size++] = one;
    if (one) continue;
    long found = sys(__NR_lgetxattr, path, "user.overlay.opaque", value, sizeof value);
    if (found < 0) found = sys(__NR_lgetxattr, path, "trusted.overlay.opaque", value, sizeof value);
    print(1, found > 0 && *value == 'y' ? "y" : "n");
    size = 0;
  }
  return 0;
}

/* flock(2) for Node, which has none: on descriptor 3, an open file that the caller keeps, and so the lock. 1: held by another. */
static int flock_main(const char *kind, const char *patience) {
  int operation = text_equal(kind, "shared") ? 1 /* LOCK_SH */ : 2 /* LOCK_EX */;
  if (text_equal(patience, "try")) operation |= 4; /* LOCK_NB */
  long result;
  do result = sys(__NR_flock, 3, operation);
  while (result == -EINTR);
  return result == -EAGAIN ? 1 : result < 0 ? 2 : 0;
}

static int descriptor_of(const char *text) {
  uint64_t value;
  return text && text_number(text, &value) >= 0 && value < 1u << 20 ? (int)value : -1;
}

int launcher_main(int argc, char **argv) {
  if (sanitise() < 0) return print(STDERR, "brig: the caller's descriptors cannot be put in order: that takes /dev/null, and close_range(2) of Linux 5.11\n"), 125;
  const char *way = argc > 1 ? argv[1] : "", *what = argc > 2 ? argv[2] : 0;
  int status_fd = argc > 4 && text_equal(argv[3], "--status") ? descriptor_of(argv[4]) : -1;
  if (text_equal(way, "--plan") && what) return plan_file_main(what, status_fd);
  if (text_equal(way, "--plan-fd") && descriptor_of(what) >= 0) return plan_fd_main(descriptor_of(what), status_fd);
  if (text_equal(way, "--zygote")) return zygote_main();
  if (text_equal(way, "--attach") && what) return attach_main(what);
  if (text_equal(way, "--wait") && what) return wait_main(what);
  if (text_equal(way, "--again") && argc == 5) return container_again_main(what, argv[3], argv[4]);
  if (text_equal(way, "--probe")) return probe_main();
  if (text_equal(way, "--opaque")) return opaque_main();
  if (text_equal(way, "--flock") && argc > 3) return flock_main(what, argv[3]);
  if (text_equal(way, "--nsid")) return nsid_main(argc - 2, argv + 2);
  if (text_equal(way, "--serve")) return serve_main(argc - 2, argv + 2);
  return entry_main(argc, argv);
}
