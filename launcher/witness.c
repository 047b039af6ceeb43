/* Whether a plan is still fresh: what it was compiled from is as it was. */
#include <asm/stat.h>
#include "entry.h"
#include "sys.h"

#define GROUPS_MAX 1024

static int64_t nanoseconds(unsigned long seconds, unsigned long rest) { return (int64_t)seconds * 1000000000 + (int64_t)rest; }

static int file_holds(const struct plan *plan, const struct plan_witness *w) {
  struct stat is;
  int result = (int)sys(__NR_newfstatat, AT_FDCWD, plan_string(plan, w->path), &is, AT_SYMLINK_NOFOLLOW);
  if (!w->mode && !w->ino) return result == -ENOENT || result == -ENOTDIR;
  return result >= 0 && is.st_mode == w->mode && is.st_dev == w->dev && is.st_ino == w->ino && (uint64_t)is.st_size == w->size &&
         nanoseconds(is.st_mtime, is.st_mtime_nsec) == w->mtime_ns && nanoseconds(is.st_ctime, is.st_ctime_nsec) == w->ctime_ns;
}

static int environment_holds(const struct plan *plan, const struct plan_witness *w) {
  const char *value = env_get(plan_string(plan, w->path));
  return w->value ? value && text_equal(value, plan_string(plan, w->value)) : !value;
}

static int words_hold(const struct plan *plan, const struct plan_witness *w, char **words) {
  uint32_t count = plan_list_count(plan, w->value), i = 0;
  if (!words) return 1;
  for (; i < count && words[i]; i++)
    if (!text_equal(words[i], plan_list_string(plan, w->value, i))) return 0;
  return i == count && !words[i];
}

static int folder_holds(const struct plan *plan, const struct plan_witness *w) {
  char folder[PATH_ROOM];
  return sys(__NR_getcwd, folder, sizeof folder) > 0 && text_equal(folder, plan_string(plan, w->value));
}

static void sort(uint32_t *numbers, long count) {
  for (long i = 1; i < count; i++) {
    uint32_t number = numbers[i];
    long at = i;
    for (; at > 0 && numbers[at - 1] > number; at--) numbers[at] = numbers[at - 1];
    numbers[at] = number;
  }
}

static int identity_holds(const struct plan_witness *w) {
  uint32_t groups[GROUPS_MAX];
  if ((uint64_t)sys(__NR_geteuid) != w->dev || (uint64_t)sys(__NR_getegid) != w->ino) return 0;
  long count = sys(__NR_getgroups, GROUPS_MAX, groups);
  if (count < 0) return 0;
  long kept = 0; /* without the effective one: whether the list holds it is up to who reads it (getgroups(2)) */
  for (long i = 0; i < count; i++)
    if (groups[i] != w->ino) groups[kept++] = groups[i];
  count = kept;
  sort(groups, count);
  return fnv1a(FNV_SEED, groups, (size_t)count * sizeof groups[0]) == w->size;
}

uint32_t terminal_bits(void) {
  char mode[64]; /* struct termios is smaller */
  uint32_t bits = 0;
  for (int fd = 0; fd < 3; fd++)
    if (sys_ioctl(fd, 0x5401 /* TCGETS */, mode) >= 0) bits |= 1u << fd;
  return bits;
}

static int holds(const struct plan *plan, const struct plan_witness *w, char **words) {
  switch (w->kind) {
    case WITNESS_FILE: return file_holds(plan, w);
    case WITNESS_ENV: return environment_holds(plan, w);
    case WITNESS_WORDS: return words_hold(plan, w, words);
    case WITNESS_CWD: return folder_holds(plan, w);
    case WITNESS_IDS: return identity_holds(w);
    case WITNESS_TTY: return terminal_bits() == w->dev;
  }
  return answer_holds(plan, w);
}

int plan_is_fresh(const struct plan *plan, char **words) {
  if (plan->header->build && plan->header->build != launcher_build) return 0;
  for (uint32_t i = 0; i < plan->header->witness_count; i++)
    if (!holds(plan, &plan->witnesses[i], words)) return 0;
  return 1;
}
