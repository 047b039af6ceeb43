/* Namespaces: joining, leaving, and what is set inside of new ones. */
#include "run.h"
#include "sys.h"
#include <linux/prctl.h>
#include <linux/sched.h>

#define KEYCTL_JOIN_SESSION_KEYRING 1

/* From here on a process inside may see this one, whose memory and descriptors are the host's (CVE-2016-9962). */
static int hide(struct run *run) {
  return must(run, sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE", "");
}

/*
 * What is joined has been in hostile hands: from here on paths are looked up as in a new root, where no link of /proc
 * leads to a descriptor of the host's (CVE-2024-21626).
 */
static int enter_joined_root(struct run *run) {
  run->new_root = must(run, sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0), "open", "/");
  return run->new_root < 0 ? -1 : 0;
}

int step_setns(struct run *run, const struct plan_step *step) {
  uint32_t flags = step->a[1];
  if (flags & (CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWNS) && hide(run) < 0) return -1;
  if (must(run, sys(__NR_setns, run->slots[step->a[0]], flags), "setns", "") < 0) return -1;
  /* nsenter in place goes where it is told, as nsenter(1) does */
  return flags & CLONE_NEWNS && !(run->plan->header->run_flags & RUN_IN_PLACE) ? enter_joined_root(run) : 0;
}

/* A number may have gone to another process meanwhile; what was opened before this look belongs to the one looked at. */
static int is_started_at(int process, const char *start) {
  char found[32] = "";
  append_start_time(found, sizeof found, process, "stat");
  return text_equal(found, start);
}

static int join_files(struct run *run, int process, uint32_t files) {
  int fds[8];
  uint32_t count = plan_list_count(run->plan, files);
  if (count > array_size(fds)) return run_failed(run, "setns", E2BIG, "more than eight namespaces");
  for (uint32_t i = 0; i < count; i++) {
    const char *name = plan_list_string(run->plan, files, i);
    if ((fds[i] = must(run, sys_openat(process, name, O_RDONLY, 0), "open", name)) < 0) return -1;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (must(run, sys(__NR_setns, fds[i], 0), "setns", plan_list_string(run->plan, files, i)) < 0) return -1;
    sys_close(fds[i]);
  }
  return 0;
}

int step_join(struct run *run, const struct plan_step *step) {
  char path[48] = "/proc/", *pid = path + strlen(path);
  text_append_number(path, sizeof path, step->a[0]);
  int process = must(run, sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0), "open", pid);
  if (process < 0) return -1;
  int pidfd = must(run, sys(__NR_pidfd_open, step->a[0], 0), "pidfd_open", pid);
  if (pidfd < 0) return -1;
  if (!is_started_at(process, run_text(run, step, step->a[1]))) return run_failed(run, "start time", ESRCH, pid);
  if (hide(run) < 0) return -1;
  int joined = step->a[3] ? join_files(run, process, step->a[3]) : 0;
  if (joined >= 0 && step->a[2]) joined = must(run, sys(__NR_setns, pidfd, step->a[2]), "setns", pid);
  sys_close(process);
  sys_close(pidfd);
  if (joined < 0) return -1;
  for (uint32_t i = 0; i < SLOT_COUNT; i++)
    if (run->slots[i] >= 0) sys_close(run->slots[i]), run->slots[i] = -1;
  return enter_joined_root(run);
}

int step_unshare(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_unshare, step->a[0]), "unshare", "");
}

/*
 * A joined or unshared pid namespace holds only this process's children. The child is made the supervisor's own
 * (CLONE_PARENT) and its pid told, in the numbering of this process, which is the supervisor's; then this one ends.
 */
int step_fork(struct run *run, const struct plan_step *step unused) {
  int pid = must(run, sys(__NR_clone, CLONE_PARENT | 17 /* SIGCHLD */, 0, 0, 0, 0), "clone", "");
  if (pid < 0) return -1;
  if (!pid) return 0;
  struct { struct record record; int32_t pid; } forked = {{RECORD_FORKED, 4}, pid};
  sys_exit(write_all(run->sync, &forked, sizeof forked) < 0 ? 125 : 0);
}

int step_hostname(struct run *run, const struct plan_step *step) {
  const char *name = run_text(run, step, step->a[0]);
  return must(run, sys(__NR_sethostname, name, strlen(name)), "sethostname", name);
}

int step_domainname(struct run *run, const struct plan_step *step) {
  const char *name = run_text(run, step, step->a[0]);
  return must(run, sys(__NR_setdomainname, name, strlen(name)), "setdomainname", name);
}

int step_keyring(struct run *run, const struct plan_step *step unused) {
  return must(run, sys(__NR_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0), "keyctl", "session keyring");
}
