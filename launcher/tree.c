/*
 * Ends all that descends from this process, which is a subreaper in a pid namespace that is not its own to end
 * (brig exec, Sandbox.exec): what is left behind by a dead parent becomes its child, and so stays below it.
 */
#include "supervise.h"
#include "signals.h"
#include "sys.h"
#include <linux/wait.h>

#define PROCESSES_MAX 8192
#define PIDS_MAX (1 << 22) /* PID_MAX_LIMIT */
#define STOP_ROUNDS 64
#define KILL_ROUNDS 2000

static struct { int pid, parent; char state; } processes[PROCESSES_MAX];
static uint8_t below[PIDS_MAX / 8]; /* a bit for each pid that descends from this process */

struct entry { uint64_t ino; int64_t off; uint16_t size; uint8_t type; char name[]; };

/* "7 (name) S 1 …": state and parent behind the last bracket, since the name may hold anything. */
static int read_stat(int proc, const char *name, char *state, int *parent) {
  char path[32], stat[512];
  text_copy(path, sizeof path, name);
  text_append(path, sizeof path, "/stat");
  int fd = sys_openat(proc, path, O_RDONLY, 0);
  long n = fd < 0 ? fd : read_up_to(fd, stat, sizeof stat - 1);
  if (fd >= 0) sys_close(fd);
  if (n <= 0) return 0;
  stat[n] = 0;
  char *p = stat + n;
  while (p > stat && *p != ')') p--;
  if (strlen(p) < 5) return 0;
  *state = p[2];
  *parent = 0;
  for (p += 4; *p >= '0' && *p <= '9'; p++) *parent = *parent * 10 + *p - '0';
  return 1;
}

static int read_processes(int proc) {
  static char buffer[32768];
  int count = 0;
  long n;
  sys(__NR_lseek, proc, 0, SEEK_SET);
  while ((n = sys(__NR_getdents64, proc, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->size) {
      const char *name = ((struct entry *)(buffer + at))->name;
      uint64_t pid;
      if (count == PROCESSES_MAX || text_number(name, &pid) < 0 || pid >= PIDS_MAX) continue;
      if (!read_stat(proc, name, &processes[count].state, &processes[count].parent)) continue;
      processes[count++].pid = (int)pid;
    }
  return count;
}

static int is_below(int pid) { return below[pid / 8] >> pid % 8 & 1; }

static void mark_below(int count, int self) {
  memset(below, 0, sizeof below);
  for (int changed = 1; changed;) {
    changed = 0;
    for (int i = 0; i < count; i++) {
      int pid = processes[i].pid, parent = processes[i].parent;
      if (is_below(pid) || parent >= PIDS_MAX || !(parent == self || is_below(parent))) continue;
      below[pid / 8] |= (uint8_t)(1 << pid % 8);
      changed = 1;
    }
  }
}

static int is_over(char state) { return state == 'Z' || state == 'X'; }

/* How many it was sent to. What is stopped already need not be told again. */
static int signal_all(int proc, int signal) {
  int count = read_processes(proc), told = 0;
  mark_below(count, sys_getpid());
  for (int i = 0; i < count; i++) {
    char state = processes[i].state;
    if (!is_below(processes[i].pid) || is_over(state) || (signal == SIGSTOP && state == 'T')) continue;
    sys_kill(processes[i].pid, signal);
    told++;
  }
  return told;
}

static void reap_all(void) {
  while (sys(__NR_wait4, -1, 0, WNOHANG, 0) > 0) {}
}

/* A /proc of another pid namespace would name strangers. */
static int is_own_proc(int proc) {
  char link[32] = "";
  uint64_t pid;
  return sys(__NR_readlinkat, proc, "self", link, sizeof link - 1) > 0 && text_number(link, &pid) >= 0 && (int)pid == sys_getpid();
}

/* Stopped first: a process that can't fork leaves nothing to be found later, and one that is killed makes room for another. */
int kill_tree(void) {
  int proc = sys_openat(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY, 0), left = -1;
  struct __kernel_timespec moment = {0, 1000000};
  if (proc >= 0 && is_own_proc(proc)) {
    for (int round = 0; round < STOP_ROUNDS && signal_all(proc, SIGSTOP); round++) reap_all();
    for (int round = 0; round < KILL_ROUNDS && (left = signal_all(proc, SIGKILL)); round++) {
      reap_all();
      sys(__NR_ppoll, 0, 0, &moment, 0, 0);
    }
  }
  if (proc >= 0) sys_close(proc);
  reap_all();
  return left ? -1 : 0;
}
