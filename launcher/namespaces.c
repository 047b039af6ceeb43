/* Namespaces: joining, leaving, and what is set inside of new ones. */
#include "run.h"
#include "sys.h"
#include <linux/if.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/socket.h>

#define SIOCSIFFLAGS 0x8914
#define KEYCTL_JOIN_SESSION_KEYRING 1

/* From here on a process inside may see this one, whose memory and descriptors are the host's (CVE-2016-9962). */
static void hide_from_inside(void) { sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int step_setns(struct run *run, const struct plan_step *step) {
  if (step->a[1] & (CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWNS)) hide_from_inside();
  return must(run, sys(__NR_setns, run->slots[step->a[0]], step->a[1]), "setns", "");
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

int step_loopback(struct run *run, const struct plan_step *step unused) {
  int fd = must(run, sys(__NR_socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0), "socket", "");
  if (fd < 0) return -1;
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = 1 /* IFF_UP */};
  int result = must(run, sys_ioctl(fd, SIOCSIFFLAGS, &request), "ioctl SIOCSIFFLAGS", "lo");
  sys_close(fd);
  return result;
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
