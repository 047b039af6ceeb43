/*
 * limit: the least kernel work that one full sandbox costs on this machine.
 *
 * Spawns a do-nothing static program N times inside a complete sandbox, written
 * by hand with no policy, no parsing and no choices: user, mount, pid, net, ipc,
 * uts and cgroup namespaces; identity map; read-only root; private /tmp, /dev,
 * /proc; pivot_root; loopback up; all capabilities dropped; no_new_privs; a
 * seccomp filter; exec. Prints one line of microseconds from clone to reaped:
 *
 *     full p10 1180 median 1310 p90 1600 (500 runs)
 *
 *   cc -O2 -o limit limit.c && ./limit FOLDER [runs]
 *
 * FOLDER holds that program, as `nothing`. Without runs it does as repeat.c does: a line with a number N on
 * standard input asks for N runs behind one that does not count, and the answer is a line of N times.
 *
 * The root it enters is the host's own /usr, bound read-only. It needs no root
 * privilege (where unprivileged user namespaces are allowed).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | \
                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static char root[64];
static const char *payload;

static void die(const char *what) {
  dprintf(2, "limit: %s: %s\n", what, strerror(errno));
  _exit(99);
}
static void must(long result, const char *what) { if (result < 0) die(what); }

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
  close(fd);
}

/* A range tree of eight decisions: what an optimised allow-list of ~64 ranges costs. */
static void install_seccomp(void) {
  struct sock_filter code[160];
  int n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
#if defined(__x86_64__)
  code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
#else
  code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_AARCH64, 1, 0);
#endif
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int range = 64; range > 0; range--) { /* skip past the numbers above 512, allow the rest */
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 8 * range, 0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)n, code};
  must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
}

static void enter_root(void) {
  static const char *devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
  char from[64], to[128];
  must(mount(0, "/", 0, MS_REC | MS_SLAVE, 0), "slave /");
  must(mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"), "tmpfs root");
  must(chdir(root), "chdir root");
  static const char *folders[] = {"usr", "tmp", "dev", "proc", "payload", 0};
  for (int i = 0; folders[i]; i++) must(mkdir(folders[i], 0755), "mkdir");
  must(mount("/usr", "usr", 0, MS_BIND | MS_REC, 0), "bind usr");
  must(mount(0, "usr", 0, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, 0), "usr read-only");
  must(symlink("usr/bin", "bin") | symlink("usr/lib", "lib") | symlink("usr/lib64", "lib64"), "symlinks");
  must(mount(payload, "payload", 0, MS_BIND, 0), "bind payload");
  must(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "tmpfs /tmp");
  must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755"), "tmpfs /dev");
  for (int i = 0; i < 6; i++) {
    snprintf(from, sizeof from, "/dev/%s", devices[i]);
    snprintf(to, sizeof to, "dev/%s", devices[i]);
    int fd = open(to, O_CREAT | O_CLOEXEC, 0666);
    must(fd, "device node");
    close(fd);
    must(mount(from, to, 0, MS_BIND, 0), "bind device");
  }
  must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0), "proc");
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "detach old root");
  must(chdir("/"), "chdir /");
}

static void loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(fd, "socket");
  must(ioctl(fd, SIOCSIFFLAGS, &request), "lo up");
  close(fd);
}

static void child(unsigned uid, unsigned gid) {
  char map[32];
  snprintf(map, sizeof map, "%u %u 1", uid, uid);
  write_file("/proc/self/uid_map", map);
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1", gid, gid);
  write_file("/proc/self/gid_map", map);
  loopback_up();
  must(sethostname("limit", 5), "sethostname");
  enter_root();
  must(syscall(436 /* close_range */, 3, ~0u, 4 /* CLOEXEC */), "close_range");
  for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
    must(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "drop bounding set");
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0}};
  must(syscall(SYS_capset, &header, none), "capset");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  install_seccomp();
  char *argv[] = {"nothing", "nothing", 0}, *env[] = {0};
  execve("/payload/nothing", argv, env);
  die("exec");
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double run_once(void) {
  double start = now_us();
  struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, rest[6]; } args =
      {.flags = NAMESPACES, .exit_signal = SIGCHLD};
  unsigned uid = getuid(), gid = getgid();
  pid_t pid = syscall(435 /* clone3 */, &args, sizeof args);
  must(pid, "clone3");
  if (!pid) child(uid, gid);
  int status;
  must(waitpid(pid, &status, 0), "waitpid");
  double took = now_us() - start;
  if (status) { fprintf(stderr, "limit: payload status %#x\n", status); exit(1); }
  return took;
}

static void serve(void) {
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    int runs = atoi(line);
    run_once();
    for (int i = 0; i < runs; i++) printf(i ? " %.1f" : "%.1f", run_once());
    putchar('\n');
    fflush(stdout);
  }
}

static void print_percentiles(int runs) {
  double *took = calloc(runs, sizeof *took);
  if (!took) die("calloc");
  for (int i = -10; i < runs; i++) {
    double each = run_once();
    if (i >= 0) took[i] = each;
    usleep(300);
  }
  qsort(took, runs, sizeof *took, by_value);
  printf("full p10 %.0f median %.0f p90 %.0f (%d runs)\n", took[runs / 10], took[runs / 2], took[runs * 9 / 10], runs);
}

static void remove_root(void) { rmdir(root); }

int main(int argc, char **argv) {
  int runs = argc > 2 ? atoi(argv[2]) : 0;
  if (argc < 2 || argc > 3 || (argc == 3 && runs < 1)) { fprintf(stderr, "usage: limit FOLDER [runs]\n"); return 2; }
  payload = argv[1];
  snprintf(root, sizeof root, "/tmp/limit-root.XXXXXX");
  if (!mkdtemp(root)) die("mkdtemp");
  atexit(remove_root);
  if (runs) print_percentiles(runs);
  else serve();
  return 0;
}
