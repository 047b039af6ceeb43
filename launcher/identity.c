/* Who the payload is and what it may: ids, capabilities, no_new_privs. */
#include "run.h"
#include "sys.h"
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

static struct __user_cap_header_struct this_process = {_LINUX_CAPABILITY_VERSION_3, 0};

static int raise_permitted(struct run *run) {
  struct __user_cap_data_struct sets[2];
  if (must(run, sys(__NR_capget, &this_process, sets), "capget", "") < 0) return -1;
  for (int i = 0; i < 2; i++) sets[i].effective = sets[i].permitted;
  return must(run, sys(__NR_capset, &this_process, sets), "capset", "");
}

int step_ids(struct run *run, const struct plan_step *step) {
  uint32_t uid = step->a[0], gid = step->a[1], size = step->a[3], keep_groups = step->a[4], keep_capabilities = step->a[5];
  uint32_t groups[256];
  if (size > sizeof groups) return run_failed(run, "setgroups", EINVAL, "more than 256 groups");
  memcpy(groups, run->plan->data + step->a[2], size);
  if (!keep_groups && must(run, sys(__NR_setgroups, size / 4, groups), "setgroups", "") < 0) return -1;
  if (keep_capabilities && must(run, sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl PR_SET_KEEPCAPS", "") < 0) return -1;
  if (must(run, sys(__NR_setresgid, gid, gid, gid), "setresgid", "") < 0) return -1;
  int hidden = sys_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
  if (must(run, sys(__NR_setresuid, uid, uid, uid), "setresuid", "") < 0) return -1;
  /* a change of identity sets what fs.suid_dumpable says, which may be to show it again (proc_sys_fs(5)) */
  if (hidden && must(run, sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl PR_SET_DUMPABLE", "") < 0) return -1;
  return keep_capabilities ? raise_permitted(run) : 0;
}

static int drop_bounding(struct run *run, uint64_t keep) {
  for (unsigned long cap = 0; cap < 64; cap++) {
    if (keep >> cap & 1) continue;
    long result = sys_prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (result == -EINVAL && sys_prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0) break; /* beyond the kernel's last */
    /* without CAP_SETPCAP the set can't be touched: that is no failure where the capability is out of it already */
    if (result == -EPERM && sys_prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0) continue;
    if (must(run, result, "prctl PR_CAPBSET_DROP", "") < 0) return -1;
  }
  return 0;
}

int step_capabilities(struct run *run, const struct plan_step *step) {
  uint64_t sets[5]; /* bounding, effective, permitted, inheritable, ambient */
  if (step->a[1] != sizeof sets) return run_failed(run, "capset", EINVAL, "five sets are needed");
  memcpy(sets, run->plan->data + step->a[0], sizeof sets);
  if (drop_bounding(run, sets[0]) < 0) return -1;
  struct __user_cap_data_struct want[2], have[2];
  for (int i = 0; i < 2; i++)
    want[i] = (struct __user_cap_data_struct){(uint32_t)(sets[1] >> 32 * i), (uint32_t)(sets[2] >> 32 * i), (uint32_t)(sets[3] >> 32 * i)};
  if (must(run, sys(__NR_capset, &this_process, want), "capset", "") < 0) return -1;
  if (must(run, sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl PR_CAP_AMBIENT", "") < 0) return -1;
  for (unsigned long cap = 0; cap < 64; cap++)
    if (sets[4] >> cap & 1 && must(run, sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), "prctl PR_CAP_AMBIENT", "") < 0) return -1;
  if (must(run, sys(__NR_capget, &this_process, have), "capget", "") < 0) return -1;
  return memcmp(want, have, sizeof want) ? run_failed(run, "capset", EPERM, "the kernel set something else") : 0;
}

int step_securebits(struct run *run, const struct plan_step *step) {
  return must(run, sys_prctl(PR_SET_SECUREBITS, step->a[0], 0, 0, 0), "prctl PR_SET_SECUREBITS", "");
}

int step_no_new_privs(struct run *run, const struct plan_step *step unused) {
  return must(run, sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl PR_SET_NO_NEW_PRIVS", "");
}
