/* What bwrap's --info-fd and --json-status-fd tell: the first process's pid, its namespaces, the exit status. */
#include "caller.h"
#include "supervise.h"
#include "sys.h"
#include <linux/sched.h>

enum { INFO_ONCE, INFO_LINES };

static const struct { const char *file; uint64_t flag; } namespaces[] = {
    {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"pid", CLONE_NEWPID}, {"uts", CLONE_NEWUTS},
};

/* /proc/PID/ns/NAME links to "NAME:[INODE]". */
static void append_namespace(char *text, size_t room, int child, const char *name, const char *gap) {
  char path[64] = "/proc/", target[64];
  text_append_number(path, sizeof path, (uint64_t)child);
  text_append(path, sizeof path, "/ns/");
  text_append(path, sizeof path, name);
  long size = sys(__NR_readlinkat, AT_FDCWD, path, target, sizeof target - 1);
  size_t start = strlen(name) + 2;
  if (size < (long)start + 2) return;
  target[size - 1] = 0;
  text_append(text, room, ",");
  text_append(text, room, gap);
  text_append(text, room, "\"");
  text_append(text, room, name);
  text_append(text, room, "-namespace\": ");
  text_append(text, room, target + start);
}

static void tell(const struct run *run, const struct plan_step *step) {
  char text[512] = "";
  int once = step->a[1] == INFO_ONCE;
  text_append(text, sizeof text, once ? "{\n    \"child-pid\": " : "{ \"child-pid\": ");
  text_append_number(text, sizeof text, (uint64_t)run->child);
  for (size_t i = 0; i < array_size(namespaces); i++)
    if (step->a[2] & namespaces[i].flag) append_namespace(text, sizeof text, run->child, namespaces[i].file, once ? "\n    " : " ");
  text_append(text, sizeof text, once ? "\n}\n" : " }\n");
  write_all((int)step->a[0], text, strlen(text));
  if (once) sys_close((int)step->a[0]);
}

/* Where the first process makes another in its place, that one is told of, when it is there. */
int step_info_fd(struct run *run, const struct plan_step *step) {
  if (must(run, sys_fcntl((int)step->a[0], F_GETFD, 0), "fcntl", "a descriptor to tell") < 0) return -1;
  if (!find_step(run->plan, OP_FORK)) tell(run, step);
  return 0;
}

void info_created(const struct run *run) {
  const struct plan_step *step = run->plan->steps;
  if (!find_step(run->plan, OP_INFO_FD) || !find_step(run->plan, OP_FORK)) return;
  for (uint32_t i = 0, count = run->plan->header->steps[PHASE_HOST] + run->plan->header->steps[PHASE_PARENT]; i < count; i++)
    if (step[i].op == OP_INFO_FD) tell(run, &step[i]);
}

void info_exited(const struct run *run, int code) {
  const struct plan_step *step = run->plan->steps;
  for (uint32_t i = 0, count = run->plan->header->steps[PHASE_HOST] + run->plan->header->steps[PHASE_PARENT]; i < count; i++) {
    if (step[i].op != OP_INFO_FD || step[i].a[1] != INFO_LINES) continue;
    char text[64] = "{ \"exit-code\": ";
    text_append_number(text, sizeof text, (uint64_t)code);
    text_append(text, sizeof text, " }\n");
    write_all((int)step[i].a[0], text, strlen(text));
  }
}
