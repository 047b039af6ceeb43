/* The last walls: Landlock (Linux 5.13) and seccomp. */
#include "run.h"
#include "supervise.h"
#include "sys.h"
#include "watch.h"
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

/* The rights that mean something on what is not a folder: the kernel refuses a rule with others on a file. */
#define FILE_RIGHTS (0x1ull /* execute */ | 0x2 /* write */ | 0x4 /* read */ | 0x4000 /* truncate */ | 0x8000 /* ioctl on devices */)

static int allow_path(struct run *run, int ruleset, const struct plan_landlock_rule *rule) {
  const char *path = plan_string(run->plan, rule->path);
  int fd = open_target(run, path, O_PATH);
  if (fd == -ENOENT && rule->optional) return 0;
  if (must(run, fd, "open", path) < 0) return -1;
  int folder = must(run, is_folder(fd), "statx", path);
  if (folder < 0) return -1;
  struct landlock_path_beneath_attr beneath = {.allowed_access = folder ? rule->access : rule->access & FILE_RIGHTS, .parent_fd = fd};
  int result = beneath.allowed_access ? must(run, sys(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0), "landlock_add_rule", path) : 0;
  sys_close(fd);
  return result;
}

static int allow_port(struct run *run, int ruleset, const struct plan_landlock_rule *rule) {
  struct { uint64_t access, port; } port = {rule->access, rule->port};
  return must(run, sys(__NR_landlock_add_rule, ruleset, 2 /* LANDLOCK_RULE_NET_PORT */, &port, 0), "landlock_add_rule", "port");
}

int step_landlock(struct run *run, const struct plan_step *step) {
  struct plan_landlock head;
  const char *blob = run->plan->data + step->a[0];
  if (step->a[1] < sizeof head) return run_failed(run, "landlock", EINVAL, "cut short");
  memcpy(&head, blob, sizeof head);
  if (head.rule_count > (step->a[1] - sizeof head) / sizeof(struct plan_landlock_rule)) return run_failed(run, "landlock", EINVAL, "cut short");
  struct { uint64_t handled_fs, handled_net, scoped; } attr = {head.handled_fs, head.handled_net, head.scoped};
  int ruleset = must(run, sys(__NR_landlock_create_ruleset, &attr, sizeof attr, 0), "landlock_create_ruleset", "");
  if (ruleset < 0) return -1;
  for (uint32_t i = 0; i < head.rule_count; i++) {
    struct plan_landlock_rule rule;
    memcpy(&rule, blob + sizeof head + i * sizeof rule, sizeof rule);
    if (rule.path >= run->plan->header->data_size) return run_failed(run, "landlock", EINVAL, "path out of bounds");
    if ((rule.type == 1 ? allow_path : allow_port)(run, ruleset, &rule) < 0) return -1;
  }
  int result = must(run, sys(__NR_landlock_restrict_self, ruleset, 0), "landlock_restrict_self", "");
  sys_close(ruleset);
  return result;
}

int step_seccomp(struct run *run, const struct plan_step *step) {
  int listens = step->a[2] & SECCOMP_FILTER_FLAG_NEW_LISTENER;
  /* a listener must have somebody who answers: without a supervisor for it the payload would hang */
  if (listens && (run->sync < 0 || !find_step(run->plan, OP_WATCH))) return run_failed(run, "seccomp", ENOSYS, "listener");
  struct sock_fprog program = {(unsigned short)(step->a[1] / sizeof(struct sock_filter)), (void *)(run->plan->data + step->a[0])};
  if (step->a[1] % sizeof(struct sock_filter) || step->a[1] / sizeof(struct sock_filter) > BPF_MAXINSNS)
    return run_failed(run, "seccomp", EINVAL, "length of the filter");
  int listener = must(run, sys(__NR_seccomp, SECCOMP_SET_MODE_FILTER, step->a[2], &program), "seccomp", "");
  if (listener < 0 || !listens) return listener;
  int told = watch_hand_over(run->sync, listener);
  sys_close(listener);
  return must(run, told, "sendmsg", "the listener");
}
