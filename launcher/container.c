/*
 * What becomes of a container when its payload has ended: its exit status is written to its folder, it starts again
 * by the plan that lies there, or its folder goes with it. No other process of brig's has to be there for that.
 */
#include "container.h"
#include "monitor.h"
#include "sys.h"
#include <linux/time.h>

#define FIRST_DELAY_MS 100
#define LAST_DELAY_MS 60000
#define STEADY_US 10000000ull /* who ran this long starts again without delay */
#define DEPTH_MAX 128         /* a deeper tree is left to the next command, which takes its time */

int step_container(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  run->container = must(run, sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), "open", path);
  return run->container < 0 ? -1 : 0;
}

/* --- again ------------------------------------------------------------------------------------------------------- */

/* `brig docker stop` leaves a file before it stops. */
static int was_stopped(const struct run *run) {
  int fd = sys_openat(run->container, "stopped", O_PATH | O_NOFOLLOW, 0);
  if (fd >= 0) sys_close(fd);
  return fd >= 0;
}

static int starts_again(const struct run *run, const struct plan_step *step, int code) {
  if (step->a[1] == RESTART_NEVER || was_stopped(run)) return 0;
  return step->a[1] == RESTART_ALWAYS || (code && (!step->a[2] || run->restarts < step->a[2]));
}

void container_exited(struct run *run, const struct record_exited *exited, int code) {
  const struct plan_step *step = run->container < 0 ? 0 : find_step(run->plan, OP_CONTAINER);
  if (!step) return;
  write_exit_in(run->container, exited);
  run->again = !run->failed && starts_again(run, step, code);
  if (exited->wall_us >= STEADY_US || !run->delay_ms) run->delay_ms = FIRST_DELAY_MS;
  else run->delay_ms = run->delay_ms > LAST_DELAY_MS / 2 ? LAST_DELAY_MS : run->delay_ms * 2;
}

/* "RUNS PID START": who waits is who stops it before it starts. */
static void write_restart(const struct run *run) {
  char line[128] = "";
  text_append_number(line, sizeof line, run->restarts + 1);
  text_append(line, sizeof line, " ");
  text_append_number(line, sizeof line, (uint64_t)sys_getpid());
  text_append(line, sizeof line, " ");
  int proc = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0);
  append_start_time(line, sizeof line, proc, "self/stat");
  sys_close(proc);
  text_append(line, sizeof line, "\n");
  replace_file(run->container, "restart", line);
}

static void start_again(const struct run *run, const char *folder) {
  char runs[24] = "", delay[24] = "";
  struct __kernel_timespec pause = {run->delay_ms / 1000, run->delay_ms % 1000 * 1000000};
  text_append_number(runs, sizeof runs, run->restarts + 1);
  text_append_number(delay, sizeof delay, run->delay_ms);
  write_restart(run);
  sys(__NR_nanosleep, &pause, 0);
  if (was_stopped(run)) return;
  const char *argv[] = {"brig", "--again", folder, runs, delay, 0};
  sys(__NR_execve, "/proc/self/exe", argv, launcher_env);
}

/* --- gone -------------------------------------------------------------------------------------------------------- */

struct entry { uint64_t ino; int64_t off; uint16_t size; uint8_t type; char name[]; };

static int is_dots(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

static void remove_tree(int parent, const char *name, int depth);

static void remove_entries(int folder, int depth) {
  char buffer[4096] __attribute__((aligned(8)));
  for (long n; (n = sys(__NR_getdents64, folder, buffer, sizeof buffer)) > 0;)
    for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->size) {
      const char *name = ((struct entry *)(buffer + at))->name;
      if (!is_dots(name)) remove_tree(folder, name, depth + 1);
    }
}

/* Whatever the payload made of it: no link is followed, and a folder without rights gets them. */
static void remove_tree(int parent, const char *name, int depth) {
  if (sys_unlinkat(parent, name, 0) != -EISDIR || depth > DEPTH_MAX) return;
  int folder = sys_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (folder == -EACCES && sys(__NR_fchmodat, parent, name, 0700) >= 0) folder = sys_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (folder < 0) return;
  remove_entries(folder, depth);
  sys_close(folder);
  sys_unlinkat(parent, name, AT_REMOVEDIR);
}

/* First out of the way of who looks for it, so that half a folder is nobody's. */
static void discard(struct run *run, const char *path, const char *name) {
  char grave[PATH_ROOM];
  size_t end = text_copy(grave, sizeof grave - 8, path);
  while (end && grave[end - 1] != '/') end--;
  grave[end] = 0;
  text_append(grave, sizeof grave, ".dead-");
  text_append(grave, sizeof grave, path + end);
  sys_close(run->container);
  if (sys(__NR_renameat2, AT_FDCWD, path, AT_FDCWD, grave, 0) < 0) return;
  sys_unlinkat(AT_FDCWD, name, 0);
  remove_tree(AT_FDCWD, grave, 0);
}

void container_end(struct run *run) {
  const struct plan_step *step = run->container < 0 ? 0 : find_step(run->plan, OP_CONTAINER);
  if (!step) return;
  const char *folder = run_text(run, step, step->a[0]), *name = run_text(run, step, step->a[3]);
  if (run->again) start_again(run, folder);
  else if (*name) discard(run, folder, name);
}

/* --- the next run ------------------------------------------------------------------------------------------------ */

/* It runs without a caller, whatever the first one did. */
static void detach(struct plan *plan) {
  struct plan_header *header = (struct plan_header *)plan->header;
  header->run_flags = (header->run_flags | RUN_DETACH) & ~(uint32_t)(RUN_PRINT_ID | RUN_ATTACHED);
}

int container_again_main(const char *folder, const char *runs, const char *delay) {
  static struct plan plan;
  static struct run run;
  char path[PATH_ROOM];
  uint64_t count = 0, ms = 0;
  text_copy(path, sizeof path, folder);
  text_append(path, sizeof path, "/plan");
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd < 0 || text_number(runs, &count) < 0 || text_number(delay, &ms) < 0 || load_plan(&plan, fd)) return 125;
  sys_close(fd);
  run_init(&run, &plan);
  run.restarts = (uint32_t)count;
  run.delay_ms = (uint32_t)ms;
  detach(&plan);
  if (monitor_run(&run) >= 0) return 0;
  struct record_exited failed = {.status = 125 << 8};
  int own = sys_openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (own >= 0) write_exit_in(own, &failed);
  return 125;
}
