/*
 * The network namespace. Making one takes the kernel half a millisecond, a third of what a whole sandbox takes, and
 * nothing of the root depends on it: it is made by a second process while the first one mounts, and joined before the
 * payload.
 */
#include "run.h"
#include "sys.h"
#include <linux/sched.h>

#define AF_INET 2
#define SOCK_DGRAM 2
#define SIOCSIFFLAGS 0x8914
#define SIOCGSKNS 0x894c /* a socket's network namespace as a descriptor, without a path to it (Linux 4.10) */

/* The loopback link up: 0, or -errno. */
static int raise_loopback(int socket) {
  /* struct ifreq, netdevice(7): linux/if.h would ask for a C library's headers */
  struct { char name[16]; short flags; char rest[22]; } request = {.name = "lo", .flags = 1 /* IFF_UP */};
  return (int)sys_ioctl(socket, SIOCSIFFLAGS, &request);
}

int step_loopback(struct run *run, const struct plan_step *step unused) {
  int fd = must(run, sys(__NR_socket, AF_INET, SOCK_DGRAM | O_CLOEXEC, 0), "socket", "");
  if (fd < 0) return -1;
  int result = must(run, raise_loopback(fd), "ioctl SIOCSIFFLAGS", "lo");
  sys_close(fd);
  return result;
}

/* --- in a process of its own, which shares memory and descriptors with the first one --------------------------- */

static struct { int pid, loopback, fd, error; const char *operation; } maker;

static void make_network(void) {
  /* here and not by the clone's flag: a clone makes its namespaces in the process that calls it */
  maker.operation = "unshare";
  maker.error = (int)sys(__NR_unshare, CLONE_NEWNET);
  if (maker.error < 0) return;
  int socket = (int)sys(__NR_socket, AF_INET, SOCK_DGRAM | O_CLOEXEC, 0);
  maker.operation = "socket";
  maker.error = socket;
  if (socket < 0) return;
  if (maker.loopback) {
    maker.operation = "ioctl SIOCSIFFLAGS";
    maker.error = raise_loopback(socket);
  }
  if (maker.error >= 0) {
    maker.operation = "ioctl SIOCGSKNS";
    maker.error = maker.fd = (int)sys_ioctl(socket, SIOCGSKNS, 0);
  }
  sys_close(socket);
}

int step_network_start(struct run *run, const struct plan_step *step) {
  static char stack[8192] __attribute__((aligned(16)));
  maker.loopback = (int)step->a[0];
  maker.fd = -1;
  maker.pid = must(run, clone_with_stack(CLONE_VM | CLONE_FILES | 17 /* SIGCHLD */, stack + sizeof stack, make_network), "clone", "network namespace");
  return maker.pid < 0 ? -1 : 0;
}

int step_network_join(struct run *run, const struct plan_step *step unused) {
  if (!maker.pid) return run_failed(run, "wait4", ECHILD, "network namespace");
  while (sys(__NR_wait4, maker.pid, 0, 0, 0) == -EINTR) {}
  if (maker.fd < 0) return run_failed(run, maker.operation ? maker.operation : "clone", maker.error ? maker.error : ECHILD, "network namespace");
  int result = must(run, sys(__NR_setns, maker.fd, CLONE_NEWNET), "setns", "network namespace");
  sys_close(maker.fd);
  return result;
}
