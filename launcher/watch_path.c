/*
 * What a watched call's pointers mean, and how a path looks from inside: looked up in the payload's root, with the
 * payload's identity, by nothing but O_PATH, so that no look-up has an effect whatever the payload has put there.
 */
#include "sys.h"
#include "watch.h"
#include <linux/openat2.h>

#define AT_EACCESS 0x200
#define PAGE 4096u

struct vector { void *base; size_t size; };

long read_memory(int tid, uint64_t address, void *to, size_t size) {
  struct vector here = {to, size}, there = {(void *)(unsigned long)address, size};
  return sys(__NR_process_vm_readv, tid, &here, 1, &there, 1, 0);
}

/* Page by page: a string may end before memory that is not there. Its length, or -errno. */
static long read_string(int tid, uint64_t address, char *to, size_t room) {
  for (size_t size = 0; size < room;) {
    size_t part = PAGE - (size_t)((address + size) % PAGE);
    if (part > room - size) part = room - size;
    long got = read_memory(tid, address + size, to + size, part);
    if (got <= 0) return got < 0 ? got : -EFAULT;
    for (long i = 0; i < got; i++, size++)
      if (!to[size]) return (long)size;
  }
  return -ENAMETOOLONG;
}

static void name_in_proc(char *path, size_t room, int tid, const char *what) {
  text_copy(path, room, "/proc/");
  text_append_number(path, room, (uint64_t)tid);
  text_append(path, room, what);
}

static long read_link(const char *path, char *to, size_t room) {
  long size = sys(__NR_readlinkat, AT_FDCWD, path, to, room - 1);
  to[size < 0 ? 0 : size] = 0;
  return size;
}

int name_descriptor(int tid, int fd, char *name, size_t room) {
  char path[64];
  name_in_proc(path, sizeof path, tid, fd == AT_FDCWD ? "/cwd" : "/fd/");
  if (fd != AT_FDCWD) text_append_number(path, sizeof path, (uint64_t)(uint32_t)fd);
  return read_link(path, name, room) > 0;
}

/* The path that the call names, from the root on. */
static int make_absolute(int tid, int dirfd, uint64_t address, char *path) {
  static char text[PATH_ROOM];
  long size = read_string(tid, address, text, sizeof text);
  if (size <= 0) return 0;
  *path = 0;
  if (*text != '/' && (!name_descriptor(tid, dirfd, path, PATH_ROOM) || *path != '/')) return 0;
  if (*text != '/' && path[1]) text_append(path, PATH_ROOM, "/");
  return text_append(path, PATH_ROOM, text) < PATH_ROOM - 1;
}

/* The fourth number of a line of /proc/PID/status: the id that files are asked with. */
static uint32_t read_id(const char *status, const char *key) {
  uint32_t id = 0;
  while (*status && !text_starts(status, key)) {
    while (*status && *status != '\n') status++;
    if (*status) status++;
  }
  for (int field = 0; *status && *status != '\n' && field < 4; field++) {
    while (*status && *status != '\t' && *status != '\n') status++;
    if (*status == '\t') status++;
  }
  for (; *status >= '0' && *status <= '9'; status++) id = id * 10 + (uint32_t)(*status - '0');
  return id;
}

/* Root looks with the payload's eyes, and so without the capabilities that see everything (setfsuid(2)). */
static void take_identity(int tid) {
  char path[64], status[2048];
  if (sys(__NR_geteuid)) return;
  name_in_proc(path, sizeof path, tid, "/status");
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  long size = fd < 0 ? 0 : read_up_to(fd, status, sizeof status - 1);
  if (fd >= 0) sys_close(fd);
  status[size < 0 ? 0 : size] = 0;
  sys(__NR_setfsgid, read_id(status, "Gid:"));
  sys(__NR_setfsuid, read_id(status, "Uid:"));
}

static void give_back_identity(void) {
  if (sys(__NR_geteuid)) return;
  sys(__NR_setfsuid, 0);
  sys(__NR_setfsgid, 0);
}

static int open_inside(int root, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  return (int)sys(__NR_openat2, root, path, &how, sizeof how);
}

static int open_parent_inside(int root, const char *path) {
  static char parent[PATH_ROOM];
  size_t size = text_copy(parent, sizeof parent, path);
  while (size > 1 && parent[size - 1] == '/') size--;
  while (size > 1 && parent[size - 1] != '/') size--;
  parent[size] = 0;
  return open_inside(root, parent, 0);
}

static int32_t ask_access(int fd, int mode) { return (int32_t)-sys(__NR_faccessat2, fd, "", mode, AT_EMPTY_PATH | AT_EACCESS); }

static void ask_about(int fd, struct watch_path *facts) {
  struct statx st = {0};
  sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE, &st);
  facts->mode = st.stx_mode;
  facts->read = ask_access(fd, 4);
  facts->write = ask_access(fd, 2);
  facts->execute = ask_access(fd, 1);
}

/* The file; else the link that leads nowhere; else the folder that it would stand in. */
static int find_inside(int root, const char *path, struct watch_path *facts) {
  int fd = open_inside(root, path, 0);
  facts->error = fd < 0 ? -fd : 0;
  if (fd >= 0) return fd;
  fd = open_inside(root, path, O_NOFOLLOW);
  facts->what = fd < 0 ? WATCH_FOUND_PARENT : WATCH_FOUND_LINK;
  return fd < 0 ? open_parent_inside(root, path) : fd;
}

int look_from_inside(int tid, int dirfd, uint64_t address, struct path_report *report) {
  char path[64];
  memset(&report->facts, 0, sizeof report->facts);
  *report->found = 0;
  if (!make_absolute(tid, dirfd, address, report->asked)) return 0;
  name_in_proc(path, sizeof path, tid, "/root");
  int root = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
  if (root < 0) return 0;
  take_identity(tid);
  int fd = find_inside(root, report->asked, &report->facts);
  if (fd >= 0) ask_about(fd, &report->facts);
  give_back_identity();
  sys_close(root);
  if (fd < 0) return report->facts.what = WATCH_FOUND_NOTHING, 1;
  text_copy(path, sizeof path, "/proc/self/fd/");
  text_append_number(path, sizeof path, (uint64_t)fd);
  read_link(path, report->found, sizeof report->found);
  sys_close(fd);
  return 1;
}
