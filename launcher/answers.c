/*
 * Witnesses of single answers: what the compiler asked the kernel, asked again. A plan may depend on thousands of
 * paths of which most do not exist, so each costs one system call where it can.
 */
#include <asm/stat.h>
#include "entry.h"
#include "sys.h"

static int64_t nanoseconds(unsigned long seconds, unsigned long rest) { return (int64_t)seconds * 1000000000 + (int64_t)rest; }

static int access_holds(const struct plan *plan, const struct plan_witness *w) {
  return (sys(__NR_faccessat, AT_FDCWD, plan_string(plan, w->path), w->mode) >= 0) == (w->dev != 0);
}

static int place_holds(const struct plan *plan, const struct plan_witness *w, int flags) {
  struct stat is;
  int result = (int)sys(__NR_newfstatat, AT_FDCWD, plan_string(plan, w->path), &is, flags);
  if (!w->mode) return w->size ? result == -(int)w->size : result == -ENOENT || result == -ENOTDIR;
  return result >= 0 && is.st_mode == w->mode && is.st_dev == w->dev && is.st_uid == w->size && (!w->ino || is.st_ino == w->ino);
}

static int content_holds(const struct plan *plan, const struct plan_witness *w) {
  struct stat is;
  if (sys(__NR_newfstatat, AT_FDCWD, plan_string(plan, w->path), &is, 0) < 0) return !w->mode;
  return is.st_mode == w->mode && is.st_dev == w->dev && is.st_ino == w->ino && (uint64_t)is.st_size == w->size &&
         nanoseconds(is.st_mtime, is.st_mtime_nsec) == w->mtime_ns && nanoseconds(is.st_ctime, is.st_ctime_nsec) == w->ctime_ns;
}

static int says(const struct plan *plan, const struct plan_witness *w, char *text, long size) {
  if (size < 0 || size >= PATH_ROOM) return !w->value && size < 0;
  text[size] = 0;
  return w->value && text_equal(text, plan_string(plan, w->value));
}

static int link_holds(const struct plan *plan, const struct plan_witness *w) {
  char text[PATH_ROOM];
  return says(plan, w, text, sys(__NR_readlinkat, AT_FDCWD, plan_string(plan, w->path), text, sizeof text));
}

static int real_holds(const struct plan *plan, const struct plan_witness *w) {
  char text[PATH_ROOM], link[32] = "/proc/self/fd/";
  int fd = sys_openat(AT_FDCWD, plan_string(plan, w->path), O_PATH, 0);
  if (fd < 0) return !w->value;
  text_append_number(link, sizeof link, (uint64_t)fd);
  int holds = says(plan, w, text, sys(__NR_readlinkat, AT_FDCWD, link, text, sizeof text));
  sys_close(fd);
  return holds;
}

struct entry { /* struct linux_dirent64 of getdents64(2) */
  uint64_t ino;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

static int is_counted(const char *name, const char *prefix) {
  return text_starts(name, prefix) && !text_equal(name, ".") && !text_equal(name, "..");
}

/* The order of a folder's names means nothing. */
static long sum_names(int fd, const char *prefix, uint64_t *sum) {
  static char buffer[32768] __attribute__((aligned(8)));
  long size;
  *sum = 0;
  while ((size = sys(__NR_getdents64, fd, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < size; at += ((struct entry *)(buffer + at))->size) {
      const char *name = ((struct entry *)(buffer + at))->name;
      if (is_counted(name, prefix)) *sum += fnv1a(FNV_SEED, name, strlen(name));
    }
  return size;
}

static int is_untouched(const struct plan_witness *w, int fd) {
  struct stat is;
  if (!w->ino || sys(__NR_fstat, fd, &is) < 0) return 0;
  return is.st_dev == w->dev && is.st_ino == w->ino && nanoseconds(is.st_mtime, is.st_mtime_nsec) == w->mtime_ns;
}

static int names_hold(const struct plan *plan, const struct plan_witness *w) {
  uint64_t sum;
  int fd = sys_openat(AT_FDCWD, plan_string(plan, w->path), O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
  if (fd < 0) return !w->mode;
  int holds = w->mode && (is_untouched(w, fd) || (sum_names(fd, plan_string(plan, w->value), &sum) == 0 && sum == w->size));
  sys_close(fd);
  return holds;
}

/* The folder itself is no matter: where it can't be entered, nothing in it is there. */
static int absent_hold(const struct plan *plan, const struct plan_witness *w) {
  const char *at = plan_string(plan, w->value);
  char name[512]; /* what is cut is longer than any name can be */
  int fd = sys_openat(AT_FDCWD, plan_string(plan, w->path), O_PATH | O_DIRECTORY, 0);
  if (fd < 0) return fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES;
  int holds = 1, untouched = is_untouched(w, fd);
  while (holds && !untouched && *at) {
    size_t size = 0;
    for (; *at && *at != '/'; at++)
      if (size + 1 < sizeof name) name[size++] = *at;
    name[size] = 0;
    at += *at == '/';
    holds = sys(__NR_faccessat, fd, name, 0) < 0;
  }
  sys_close(fd);
  return holds;
}

static int text_holds(const struct plan *plan, const struct plan_witness *w) {
  char block[4096];
  uint64_t hash = FNV_SEED;
  long size;
  int fd = sys_openat(AT_FDCWD, plan_string(plan, w->path), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return !w->mode;
  while ((size = read_up_to(fd, block, sizeof block)) > 0) hash = fnv1a(hash, block, (size_t)size);
  sys_close(fd);
  return size < 0 ? !w->mode : w->mode && hash == w->size;
}

static int capabilities_hold(const struct plan_witness *w) {
  struct { uint32_t version; int pid; } header = {0x20080522 /* _LINUX_CAPABILITY_VERSION_3 */, 0};
  struct { uint32_t effective, permitted, inheritable; } data[2];
  if (sys(__NR_capget, &header, data) < 0) return 0;
  return ((uint64_t)data[1].effective << 32 | data[0].effective) == w->size;
}

int answer_holds(const struct plan *plan, const struct plan_witness *w) {
  switch (w->kind) {
    case WITNESS_ACCESS: return access_holds(plan, w);
    case WITNESS_STAT: return place_holds(plan, w, 0);
    case WITNESS_LSTAT: return place_holds(plan, w, AT_SYMLINK_NOFOLLOW);
    case WITNESS_LINK: return link_holds(plan, w);
    case WITNESS_REAL: return real_holds(plan, w);
    case WITNESS_NAMES: return names_hold(plan, w);
    case WITNESS_CONTENT: return content_holds(plan, w);
    case WITNESS_ABSENT: return absent_hold(plan, w);
    case WITNESS_TEXT: return text_holds(plan, w);
    case WITNESS_CAPS: return capabilities_hold(w);
  }
  return 0; /* of a kind that this launcher can't check */
}
