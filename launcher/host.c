/* What is done on the host: descriptors, the state folder, cgroups, host programs; and undoing it. */
#include "run.h"
#include "sys.h"
#include <asm/stat.h>
#include <linux/poll.h>
#include <linux/prctl.h>

int step_open(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]);
  int fd = must(run, sys_openat(AT_FDCWD, path, (int)step->a[2], 0), "open", path);
  return fd < 0 ? -1 : run_slot(run, step->a[0], fd);
}

int step_mkdir_host(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int result = sys_mkdirat(AT_FDCWD, path, (int)step->a[1]);
  return result == -EEXIST && step->a[2] ? 0 : must(run, result, "mkdir", path);
}

/* Splits off the last name, which stays within `path`; the folder is opened. */
static int open_folder_of(struct run *run, const char *path, const char **name) {
  char folder[PATH_ROOM];
  size_t end = text_copy(folder, sizeof folder, path);
  while (end && folder[end - 1] != '/') end--;
  *name = path + end;
  folder[end] = 0;
  return must(run, sys_openat(AT_FDCWD, end ? folder : ".", O_PATH | O_DIRECTORY, 0), "open", folder);
}

/* Whoever may write there decides what later commands kill, join and remove. */
static int check_run_folder(struct run *run, const char *path) {
  struct stat is;
  if (must(run, sys(__NR_newfstatat, run->run_dir, "", &is, AT_EMPTY_PATH), "stat", path) < 0) return -1;
  if (is.st_uid == (unsigned)sys(__NR_geteuid) && !(is.st_mode & 022)) return 0;
  return run_failed(run, "owner", EPERM, path);
}

/* A lock tells others that its holder lives while there is no `process` yet; it goes with the holder. */
static int lock_state(struct run *run) {
  return must(run, sys(__NR_flock, run->state_dir, 2 | 4 /* LOCK_EX | LOCK_NB */), "flock", run->id);
}

/* In a folder that everybody may write to ("/tmp/brig-1000"), somebody else may have been there first. */
static int check_own_folder(struct run *run, const char *path) {
  struct statx st;
  if (must(run, sys(__NR_statx, run->run_dir, "", AT_EMPTY_PATH, STATX_UID | STATX_MODE, &st), "statx", path) < 0) return -1;
  int own = st.stx_uid == (uint32_t)sys(__NR_geteuid) && !(st.stx_mode & 022);
  return own ? 0 : run_failed(run, "run folder of somebody else", EPERM, path);
}

int step_state(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int made = sys_mkdirat(AT_FDCWD, path, 0700);
  if (made < 0 && made != -EEXIST) return run_failed(run, "mkdir", made, path);
  run->run_dir = must(run, sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0), "open", path);
  if (run->run_dir < 0 || check_run_folder(run, path) < 0) return -1;
  if (must(run, sys_mkdirat(run->run_dir, run->id, 0700), "mkdir", run->id) < 0) return -1;
  run->state_dir = must(run, sys_openat(run->run_dir, run->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), "open", run->id);
  if (run->state_dir < 0) return sys_unlinkat(run->run_dir, run->id, AT_REMOVEDIR), -1;
  if (lock_state(run) < 0) return -1;
  int file = must(run, sys_openat(run->state_dir, "config.json", O_CREAT | O_EXCL | O_WRONLY, 0600), "create", "config.json");
  if (file < 0) return -1;
  int result = must(run, write_all(file, run->plan->data + step->a[1], step->a[2]), "write", "config.json");
  sys_close(file);
  return result;
}

int step_name(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *name;
  run->name_dir = open_folder_of(run, path, &name);
  if (run->name_dir < 0) return -1;
  if (must(run, sys(__NR_symlinkat, run->id, run->name_dir, name), "symlink", name) < 0) return -1;
  text_copy(run->name, sizeof run->name, name);
  return 0;
}

int step_cgroup(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]), *name = run_text(run, step, step->a[2]);
  if (run->cgroup_count == CGROUP_MAX) return run_failed(run, "mkdir", E2BIG, path);
  int parent = must(run, sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0), "open", path);
  if (parent < 0) return -1;
  if (must(run, sys_mkdirat(parent, name, 0755), "mkdir", name) < 0) return sys_close(parent), -1;
  run->cgroups[run->cgroup_count].parent = parent;
  text_copy(run->cgroups[run->cgroup_count++].name, sizeof run->cgroups[0].name, name);
  int fd = must(run, sys_openat(parent, name, O_RDONLY | O_DIRECTORY, 0), "open", name);
  return fd < 0 ? -1 : run_slot(run, step->a[0], fd);
}

static int write_in(struct run *run, int folder, const char *file, const char *value) {
  int fd = must(run, sys_openat(folder, file, O_WRONLY, 0), "open", file);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, value, strlen(value)), "write", file);
  sys_close(fd);
  return result;
}

int step_cgroup_set(struct run *run, const struct plan_step *step) {
  return write_in(run, run->slots[step->a[0]], run_text(run, step, step->a[1]), run_text(run, step, step->a[2]));
}

int step_cgroup_enter(struct run *run, const struct plan_step *step) {
  /* "0" in `tasks` moves the calling thread alone, without the lock that waits for all forks on the machine */
  if (run->child < 0) return write_in(run, run->slots[step->a[0]], "tasks", "0");
  char pid[24] = "";
  text_append_number(pid, sizeof pid, (uint64_t)run->child);
  return write_in(run, run->slots[step->a[0]], "cgroup.procs", pid);
}

int step_cgroup_oom(struct run *run, const struct plan_step *step) {
  if (run->oom_count == (int)array_size(run->oom_files)) return run_failed(run, "oom file", E2BIG, "");
  run->oom_files[run->oom_count].slot = step->a[0];
  run->oom_files[run->oom_count++].file = step->a[1];
  return 0;
}

int step_bind_namespace(struct run *run, const struct plan_step *step) {
  char source[64] = "/proc/";
  const char *target = run_text(run, step, step->a[1]);
  text_append_number(source, sizeof source, (uint64_t)run->child);
  text_append(source, sizeof source, "/ns/");
  text_append(source, sizeof source, run_text(run, step, step->a[0]));
  return must(run, sys(__NR_mount, source, target, 0, 4096 /* MS_BIND */, 0), "mount bind", target);
}

/* A cgroup can be removed when the last of its processes is gone from it, a moment after it was reaped. */
static void remove_cgroup(int parent, const char *name) {
  for (int try = 0; try < 200; try++) {
    if (sys_unlinkat(parent, name, AT_REMOVEDIR) != -EBUSY) return;
    struct __kernel_timespec pause = {0, try < 20 ? 200000 : 5000000};
    sys(__NR_nanosleep, &pause, 0);
  }
}

void run_cleanup(struct run *run) {
  for (int i = run->cgroup_count - 1; i >= 0; i--) {
    remove_cgroup(run->cgroups[i].parent, run->cgroups[i].name);
    sys_close(run->cgroups[i].parent);
  }
  run->cgroup_count = 0;
  int keep = run->plan->header->run_flags & RUN_KEEP_STATE && !run->failed;
  if (run->name[0] && !keep) sys_unlinkat(run->name_dir, run->name, 0);
  run->name[0] = 0;
  /* never kept: pasta ends when this link to the network namespace goes */
  if (run->state_dir >= 0) sys_unlinkat(run->state_dir, "netns", 0);
  if (run->state_dir >= 0 && !keep) {
    static const char *files[] = {"process", "process.new", "exit", "attach", "log", "log.1", "config.json"};
    for (size_t i = 0; i < array_size(files); i++) sys_unlinkat(run->state_dir, files[i], 0);
    sys_unlinkat(run->run_dir, run->id, AT_REMOVEDIR);
  }
  if (run->state_dir >= 0) sys_close(run->state_dir);
  run->state_dir = -1;
}

/* --- host programs ------------------------------------------------------------------------------------------- */

static _Noreturn void become_program(struct run *run, const struct plan_step *step, int input, int output) {
  uint32_t list = step->a[0], count = plan_list_count(run->plan, list);
  char *argv[128];
  static char texts[128][PATH_ROOM / 8];
  for (uint32_t i = 0; i < count; i++) {
    argv[i] = (char *)run_text(run, step, plan_u32(run->plan, list + 4 + 4 * i));
    if (step->flags & STEP_ID && strlen(argv[i]) < sizeof texts[0]) text_copy(texts[i], sizeof texts[0], argv[i]), argv[i] = texts[i];
  }
  argv[count] = 0;
  uint64_t none = 0;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, sizeof none);
  sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0);
  sys_dup3(input, 0, 0);
  sys_dup3(output, 1, 0);
  sys_dup3(output, 2, 0);
  sys_exit(sys(__NR_execve, argv[0], argv, launcher_env) == -ENOENT ? 127 : 126);
}

/* What the program said last, on one line: the reason that a person needs. */
static void last_words(int output, char *words, size_t room) {
  long size = sys(__NR_lseek, output, 0, 2 /* SEEK_END */);
  long from = size > (long)room - 1 ? size - (long)room + 1 : 0;
  sys(__NR_lseek, output, from, SEEK_SET);
  long n = read_up_to(output, words, room - 1);
  words[n < 0 ? 0 : n] = 0;
  for (char *p = words + strlen(words); p > words && p[-1] == '\n';) *--p = 0;
  for (char *p = words; *p; p++)
    if (*p == '\n') *p = ' ';
}

/* A program's standard input, with "%i", "%p" and "%%" replaced where the step says so (an OCI hook's state). */
static int write_input(struct run *run, const struct plan_step *step, int fd) {
  const char *from = run->plan->data + step->a[1], *end = from + step->a[2];
  int result = 0;
  while (from < end && result >= 0) {
    const char *stop = from;
    while (stop < end && !(*stop == '%' && step->flags & STEP_ID && end - stop > 1)) stop++;
    result = write_all(fd, from, (size_t)(stop - from));
    if (stop == end || result < 0) break;
    char pid[24] = "";
    text_append_number(pid, sizeof pid, (uint64_t)run->child);
    const char *put = stop[1] == 'i' ? run->id : stop[1] == 'p' ? pid : "%";
    result = write_all(fd, put, strlen(put));
    from = stop + (stop[1] == 'i' || stop[1] == 'p' || stop[1] == '%' ? 2 : 1);
  }
  return result;
}

int step_run(struct run *run, const struct plan_step *step) {
  if (plan_list_count(run->plan, step->a[0]) - 1 > 126) return run_failed(run, "run", EINVAL, "between 1 and 127 words");
  const char *program = plan_list_string(run->plan, step->a[0], 0);
  /* memory files and not pipes: a program that goes on in the background (pasta) never blocks on them */
  int input = must(run, sys(__NR_memfd_create, "input", 1 /* MFD_CLOEXEC */), "memfd_create", program);
  int output = must(run, sys(__NR_memfd_create, "output", 1), "memfd_create", program);
  if (input < 0 || output < 0) return -1;
  if (must(run, write_input(run, step, input), "write", program) < 0) return -1;
  sys(__NR_lseek, input, 0, SEEK_SET);
  int pid = must(run, sys_fork(), "fork", program);
  if (pid < 0) return -1;
  if (!pid) become_program(run, step, input, output);
  int pidfd = must(run, sys(__NR_pidfd_open, pid, 0), "pidfd_open", program), status = 0, timed_out = 0;
  struct pollfd end = {pidfd, POLLIN, 0};
  struct __kernel_timespec limit = {step->a[3] / 1000, step->a[3] % 1000 * 1000000};
  if (pidfd >= 0) timed_out = sys(__NR_ppoll, &end, 1, step->a[3] ? &limit : 0, 0, 0) == 0;
  if (pidfd < 0 || timed_out) sys_kill(pid, 9);
  while (sys(__NR_wait4, pid, &status, 0, 0) == -EINTR) {}
  sys_close(pidfd);
  char words[200] = "";
  last_words(output, words, sizeof words);
  sys_close(input);
  sys_close(output);
  if (pidfd < 0) return -1;
  if (!status) return 0;
  char argument[256] = "";
  text_append(argument, sizeof argument, program);
  text_append(argument, sizeof argument, *words ? ": " : "");
  text_append(argument, sizeof argument, words);
  int exited = (status & 0x7f) == 0 ? status >> 8 & 0xff : 0;
  return run_failed(run, "run", timed_out ? ETIMEDOUT : exited == 127 ? ENOENT : exited == 126 ? EACCES : ECHILD, argument);
}
