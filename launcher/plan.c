/*
 * Checks a plan: every count, offset and string, before anything is done. Nothing behind plan_check trusts less or
 * more than what it has proved: offsets below data_size, and data that ends in NUL, so that every string ends.
 */
#include "plan_view.h"
#include "sys.h"

/*
 * What each operation's arguments are, and in which phases it may stand:
 * s string (0: none), S string, v list (0: none), V list, b blob, l slot, L slot or SLOT_NONE, u number, q u64.
 */
static const struct { const char *arguments, *phases; } operations[OP_COUNT] = {
    [OP_OPEN] = {"lSu", "HC"},          [OP_OPEN_TREE] = {"lSuu", "HC"},   [OP_MOUNT_ATTR] = {"luuuu", "HC"},
    [OP_FS_MOUNT] = {"lSvu", "HC"},     [OP_MKDIR_HOST] = {"Suu", "HC"},   [OP_WRITE_HOST] = {"Sbuu", "HPC"},
    [OP_MOUNT_HOST] = {"sSsus", "HC"},  [OP_UMOUNT_HOST] = {"Su", "HC"},   [OP_STATE] = {"Sb", "HP"},
    [OP_NAME] = {"S", "H"},             [OP_CGROUP] = {"lSS", "H"},        [OP_CGROUP_SET] = {"lSS", "H"},
    [OP_CGROUP_ENTER] = {"l", "PC"},     [OP_CGROUP_OOM] = {"lS", "H"},     [OP_PROC_WRITE] = {"Sb", "P"},
    [OP_RUN] = {"Vbu", "HP"},           [OP_IDMAP] = {"lL", "P"},          [OP_BIND_NAMESPACE] = {"SS", "P"},
    [OP_SELF_WRITE] = {"Sb", "CL"},     [OP_SETNS] = {"lu", "HC"},         [OP_UNSHARE] = {"u", "C"},
    [OP_FORK] = {"", "C"},              [OP_LOOPBACK] = {"", "C"},         [OP_HOSTNAME] = {"s", "C"},
    [OP_DOMAINNAME] = {"s", "C"},       [OP_IDS] = {"uubuu", "CL"},        [OP_KEYRING] = {"", "CL"},
    [OP_PROPAGATION] = {"u", "C"},      [OP_ROOT] = {"l", "C"},            [OP_ROOT_DETACH] = {"", "C"},
    [OP_CHROOT] = {"Su", "CL"},         [OP_BIND] = {"SSuuuu", "C"},       [OP_MOUNT] = {"lSu", "C"},
    [OP_FS] = {"SSvuu", "C"},           [OP_ATTR] = {"Suuuu", "C"},        [OP_MASK] = {"S", "C"},
    [OP_DIR] = {"Suuu", "C"},           [OP_FILE] = {"Sub", "C"},          [OP_SYMLINK] = {"SS", "C"},
    [OP_NODE] = {"Suuuuu", "C"},        [OP_SYSCTL] = {"SS", "C"},         [OP_PTY] = {"uu", "HC"},
    [OP_UMASK] = {"u", "CLI"},          [OP_CWD] = {"Su", "CL"},           [OP_RLIMIT] = {"uqq", "LI"},
    [OP_OOM_SCORE] = {"S", "HCL"},      [OP_NICE] = {"u", "L"},            [OP_SCHEDULER] = {"b", "L"},
    [OP_IO_PRIORITY] = {"u", "L"},      [OP_AFFINITY] = {"b", "L"},        [OP_PERSONALITY] = {"u", "L"},
    [OP_PARENT_DEATH] = {"u", "L"},     [OP_SESSION] = {"", "L"},          [OP_CAPABILITIES] = {"b", "CLI"},
    [OP_SECUREBITS] = {"u", "LI"},      [OP_NO_NEW_PRIVS] = {"", "CLI"},    [OP_LANDLOCK] = {"b", "LI"},
    [OP_SECCOMP] = {"buL", "LI"},       [OP_EXEC] = {"VVvs", "L"},          [OP_KEEP_FD] = {"u", "L"},
    [OP_FCHDIR] = {"l", "CL"},          [OP_FILE_SERVER] = {"", "L"},
    [OP_JOIN] = {"uSuv", "C"},          [OP_NETWORK_START] = {"u", "C"},   [OP_NETWORK_JOIN] = {"", "C"},
    [OP_GO] = {"", "P"},                [OP_COMPANION] = {"Vbubu", "P"},
    [OP_HOLD_FD] = {"u", "H"},          [OP_INFO_FD] = {"uuu", "P"},       [OP_WAIT_FD] = {"u", "PL"},
    [OP_FILE_FD] = {"Suu", "C"},        [OP_DATA_MOUNT] = {"Suuu", "C"},   [OP_BIND_FD] = {"uSuu", "C"},
    [OP_SECCOMP_FD] = {"u", "L"},       [OP_KEEP_FDS] = {"b", "L"},        [OP_CHMOD] = {"Su", "C"},
    [OP_NEST_USERS] = {"lubb", "C"},    [OP_NO_USERS] = {"", "C"},         [OP_ENVIRONMENT] = {"uvv", "L"},
    [OP_CWD_FIRST] = {"V", "L"},        [OP_LOCK_FILE] = {"S", "I"},
    [OP_WATCH] = {"ubbu", "H"},         [OP_RUN_INSIDE] = {"Vbu", "P"},     [OP_SAY] = {"b", "H"},
    [OP_MACHINE] = {"uVu", "H"},        [OP_LOCK_HOST] = {"Su", "H"},      [OP_CGROUP_OWN] = {"luu", "H"},
    [OP_UUID_FILE] = {"Su", "C"},       [OP_REPLACE] = {"Sbu", "C"},       [OP_NOTIFY] = {"S", "C"},
    [OP_SETSID] = {"", "L"},
    [OP_UNPACK] = {"uqq", "L"},
    [OP_DENY] = {"S", "C"},             [OP_CONTAINER] = {"Suus", "H"}, [OP_IMAGE] = {"lSSb", "H"},
    [OP_PACK] = {"uSs", "L"},
};

static int string_ok(const struct plan *plan, uint32_t offset) { return offset < plan->header->data_size; }

static int blob_ok(const struct plan *plan, uint32_t offset, uint32_t size) {
  return offset <= plan->header->data_size && size <= plan->header->data_size - offset;
}

static int list_ok(const struct plan *plan, uint32_t offset) {
  if (!blob_ok(plan, offset, 4)) return 0;
  uint32_t count = plan_list_count(plan, offset);
  if (count > plan->header->data_size / 4 || !blob_ok(plan, offset, 4 + 4 * count)) return 0;
  for (uint32_t i = 0; i < count; i++)
    if (!string_ok(plan, plan_u32(plan, offset + 4 + 4 * i))) return 0;
  return 1;
}

static int arguments_ok(const struct plan *plan, const struct plan_step *step) {
  const uint32_t *a = step->a;
  for (const char *kind = operations[step->op].arguments; *kind; kind++, a++) {
    int ok = 1;
    if (*kind == 's') ok = string_ok(plan, *a);
    else if (*kind == 'S') ok = *a && string_ok(plan, *a);
    else if (*kind == 'v') ok = !*a || list_ok(plan, *a);
    else if (*kind == 'V') ok = *a && list_ok(plan, *a);
    else if (*kind == 'b') ok = blob_ok(plan, a[0], a[1]), a++;
    else if (*kind == 'q') a++;
    else if (*kind == 'l') ok = *a < SLOT_COUNT;
    else if (*kind == 'L') ok = *a < SLOT_COUNT || *a == SLOT_NONE;
    if (!ok) return 0;
  }
  return 1;
}

static int phase_ok(uint16_t op, int phase) {
  for (const char *p = operations[op].phases; *p; p++)
    if (*p == "HPCLI"[phase]) return 1;
  return 0;
}

static const char *check_steps(const struct plan *plan) {
  const struct plan_step *step = plan->steps;
  for (int phase = 0; phase < PHASE_COUNT; phase++)
    for (uint32_t i = 0; i < plan->header->steps[phase]; i++, step++) {
      if (!step->op || step->op >= OP_COUNT || !operations[step->op].arguments) return "unknown operation";
      if (!phase_ok(step->op, phase)) return "operation in a phase where it may not stand";
      if (step->flags & ~(STEP_OPTIONAL | STEP_ID)) return "unknown step flag";
      if (!arguments_ok(plan, step)) return "argument out of bounds";
    }
  return 0;
}

static const char *check_witnesses(const struct plan *plan) {
  for (uint32_t i = 0; i < plan->header->witness_count; i++) {
    const struct plan_witness *w = &plan->witnesses[i];
    if (!string_ok(plan, w->path)) return "witness out of bounds";
    if (w->kind == WITNESS_WORDS ? !list_ok(plan, w->value) : !string_ok(plan, w->value)) return "witness out of bounds";
  }
  return 0;
}

/* FNV-1a 64 over eight bytes at a time, and over the rest byte by byte: each step can be undone, so no change is lost. */
static uint64_t sum_words(const char *data, size_t size) {
  uint64_t hash = FNV_SEED, word;
  for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
    memcpy(&word, data, sizeof word);
    hash = (hash ^ word) * FNV_PRIME;
  }
  return fnv1a(hash, data, size);
}

const char *plan_check(struct plan *plan, const void *memory, size_t size) {
  const struct plan_header *h = memory;
  if (size < sizeof *h) return "cut short";
  if (memcmp(h->magic, PLAN_MAGIC, sizeof h->magic)) return "not a plan";
  if (h->version != PLAN_VERSION) return "of another version";
  uint64_t steps = 0;
  for (int phase = 0; phase < PHASE_COUNT; phase++) steps += h->steps[phase];
  uint64_t behind_steps = sizeof *h + steps * sizeof(struct plan_step);
  uint64_t behind_witnesses = behind_steps + (uint64_t)h->witness_count * sizeof(struct plan_witness);
  uint64_t total = behind_witnesses + h->data_size + h->note_size;
  if (total > PLAN_MAX_SIZE) return "too large";
  if (total != h->size || h->size != size) return "cut short or with something behind it";
  size_t summed_from = offsetof(struct plan_header, checksum) + sizeof h->checksum;
  if (sum_words((const char *)memory + summed_from, total - h->note_size - summed_from) != h->checksum) return "altered: its checksum is wrong";
  plan->header = h;
  plan->steps = (const void *)((const char *)memory + sizeof *h);
  plan->witnesses = (const void *)((const char *)memory + behind_steps);
  plan->data = (const char *)memory + behind_witnesses;
  if (!h->data_size || plan->data[0] || plan->data[h->data_size - 1]) return "data that does not begin and end with NUL";
  if (!string_ok(plan, h->log) || !string_ok(plan, h->id) || !string_ok(plan, h->detach_keys)) return "header out of bounds";
  if (h->clone_cgroup_slot >= SLOT_COUNT && h->clone_cgroup_slot != SLOT_NONE) return "header out of bounds";
  const char *problem = check_steps(plan);
  return problem ? problem : check_witnesses(plan);
}
