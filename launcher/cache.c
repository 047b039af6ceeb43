/*
 * The cache of compiled plans. A plan decides what is run and what stands around it, so nobody but its user may have
 * written it: the folder and the file are held against that on their descriptors.
 */
#include <asm/stat.h>
#include "entry.h"
#include "sys.h"

static int is_ours_alone(int fd, unsigned type) {
  struct stat is;
  if (sys(__NR_fstat, fd, &is) < 0 || (is.st_mode & 0170000) != type) return 0;
  return is.st_uid == (unsigned)sys(__NR_geteuid) && !(is.st_mode & 022);
}

static int open_folder(void) {
  char path[PATH_ROOM];
  const char *cache = env_get("XDG_CACHE_HOME"), *home = env_get("HOME");
  /* a relative one is to be ignored: XDG Base Directory Specification 0.8 */
  if (cache && *cache == '/') text_copy(path, sizeof path, cache);
  else if (home && *home == '/') text_copy(path, sizeof path, home), text_append(path, sizeof path, "/.cache");
  else return -1;
  if (text_append(path, sizeof path, "/brig/plans") + 1 >= sizeof path) return -1;
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0 || is_ours_alone(fd, 0040000 /* S_IFDIR */)) return fd;
  sys_close(fd);
  return -1;
}

/* FNV-1a 64 of what makes two commands different; the witnesses compare all of it in full. */
static int name_plan(char name[17], char **words) {
  char folder[PATH_ROOM];
  uint32_t who[3] = {(uint32_t)sys(__NR_geteuid), (uint32_t)sys(__NR_getegid), terminal_bits()};
  uint64_t hash = FNV_SEED;
  if (sys(__NR_getcwd, folder, sizeof folder) <= 0) return -1;
  for (; *words; words++) hash = fnv1a(hash, *words, strlen(*words) + 1);
  hash = fnv1a(hash, folder, strlen(folder) + 1);
  hash = fnv1a(hash, who, sizeof who);
  for (int i = 15; i >= 0; i--, hash >>= 4) name[i] = "0123456789abcdef"[hash & 15];
  name[16] = 0;
  return 0;
}

static int has_words(const struct plan *plan) {
  for (uint32_t i = 0; i < plan->header->witness_count; i++)
    if (plan->witnesses[i].kind == WITNESS_WORDS) return 1;
  return 0;
}

int cache_find(struct plan *plan, char **words) {
  char name[17];
  int folder = open_folder(), file, fresh = 0;
  if (folder < 0) return 0;
  file = name_plan(name, words) < 0 ? -1 : sys_openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (file >= 0 && is_ours_alone(file, 0100000 /* S_IFREG */))
    fresh = !load_plan(plan, file) && has_words(plan) && plan_is_fresh(plan, words);
  if (file >= 0) sys_close(file);
  sys_close(folder);
  return fresh;
}
