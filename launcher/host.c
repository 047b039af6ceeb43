/* What is done on the host: descriptors, the state folder, cgroups; and undoing it. */
#include "run.h"
#include "supervise.h"
#include "sys.h"
#include <asm/stat.h>

int step_open(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]);
  int fd = must(run, sys_openat(AT_FDCWD, path, (int)step->a[2], 0), "open", path);
  return fd < 0 ? -1 : run_slot(run, step->a[0], fd);
}

int step_mkdir_host(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int result = sys_mkdirat(AT_FDCWD, path, (int)step->a[1]);
  return result == -EEXIST && step->a[2] ? 0 : must(run, result, "mkdir", path);
}

/* Splits off the last name, which stays within `path`; the folder is opened. */
static int open_folder_of(struct run *run, const char *path, const char **name) {
  char folder[PATH_ROOM];
  size_t end = text_copy(folder, sizeof folder, path);
  while (end && folder[end - 1] != '/') end--;
  *name = path + end;
  folder[end] = 0;
  return must(run, sys_openat(AT_FDCWD, end ? folder : ".", O_PATH | O_DIRECTORY, 0), "open", folder);
}

/* Whoever may write there decides what later commands kill, join and remove. */
static int check_run_folder(struct run *run, const char *path) {
  struct stat is;
  if (must(run, sys(__NR_newfstatat, run->run_dir, "", &is, AT_EMPTY_PATH), "stat", path) < 0) return -1;
  if (is.st_uid == (unsigned)sys(__NR_geteuid) && !(is.st_mode & 022)) return 0;
  return run_failed(run, "owner", EPERM, path);
}

/* A lock tells others that its holder lives while there is no `process` yet; it goes with the holder. */
static int lock_state(struct run *run) {
  return must(run, sys(__NR_flock, run->state_dir, 2 | 4 /* LOCK_EX | LOCK_NB */), "flock", run->id);
}

int step_state(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int made = sys_mkdirat(AT_FDCWD, path, 0700);
  if (made < 0 && made != -EEXIST) return run_failed(run, "mkdir", made, path);
  run->run_dir = must(run, sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0), "open", path);
  if (run->run_dir < 0 || check_run_folder(run, path) < 0) return -1;
  if (must(run, sys_mkdirat(run->run_dir, run->id, 0700), "mkdir", run->id) < 0) return -1;
  run->state_dir = must(run, sys_openat(run->run_dir, run->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0), "open", run->id);
  if (run->state_dir < 0) return sys_unlinkat(run->run_dir, run->id, AT_REMOVEDIR), -1;
  if (lock_state(run) < 0) return -1;
  int file = must(run, sys_openat(run->state_dir, "config.json", O_CREAT | O_EXCL | O_WRONLY, 0600), "create", "config.json");
  if (file < 0) return -1;
  int result = must(run, write_all(file, run->plan->data + step->a[1], step->a[2]), "write", "config.json");
  sys_close(file);
  return result;
}

static int is_started_at(uint64_t pid, const char *start) {
  char path[48] = "/proc/", found[32] = "";
  text_append_number(path, sizeof path, pid);
  text_append(path, sizeof path, "/stat");
  append_start_time(found, sizeof found, AT_FDCWD, path);
  return *start && text_equal(found, start);
}

/* A machine's name whose supervisor was killed is free: nobody has its folder locked. What may be left of it is ended. */
static int release_name(struct run *run, const char *name) {
  char id[64], line[128];
  uint64_t pid;
  long size = sys(__NR_readlinkat, run->name_dir, name, id, sizeof id - 1);
  if (size <= 0 || !find_step(run->plan, OP_MACHINE) || run->run_dir < 0) return 0;
  id[size] = 0;
  int folder = sys_openat(run->run_dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (folder < 0) return folder == -ENOENT && sys_unlinkat(run->name_dir, name, 0) >= 0;
  int mark = sys_openat(folder, "machine", O_PATH | O_NOFOLLOW, 0);
  int dead = mark >= 0 && sys(__NR_flock, folder, 2 | 4 /* LOCK_EX | LOCK_NB */) >= 0;
  int file = dead ? sys_openat(folder, "process", O_RDONLY | O_NOFOLLOW, 0) : -1;
  size = file < 0 ? 0 : read_up_to(file, line, sizeof line - 1);
  line[size > 0 ? size : 0] = 0;
  char *start = line;
  while (*start && *start != ' ') start++;
  if (*start) *start++ = 0;
  char *end = start;
  while (*end && *end != ' ') end++;
  *end = 0;
  if (dead && text_number(line, &pid) >= 0 && pid > 1 && is_started_at(pid, start)) sys_kill((int)pid, 9);
  if (file >= 0) sys_close(file);
  if (mark >= 0) sys_close(mark);
  sys_close(folder);
  return dead && sys_unlinkat(run->name_dir, name, 0) >= 0;
}

int step_name(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]), *name;
  run->name_dir = open_folder_of(run, path, &name);
  if (run->name_dir < 0) return -1;
  int linked = (int)sys(__NR_symlinkat, run->id, run->name_dir, name);
  if (linked == -EEXIST && release_name(run, name)) linked = (int)sys(__NR_symlinkat, run->id, run->name_dir, name);
  if (must(run, linked, "symlink", name) < 0) return -1;
  text_copy(run->name, sizeof run->name, name);
  return 0;
}

int step_cgroup(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]), *name = run_text(run, step, step->a[2]);
  if (run->cgroup_count == CGROUP_MAX) return run_failed(run, "mkdir", E2BIG, path);
  int parent = must(run, sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0), "open", path);
  if (parent < 0) return -1;
  if (must(run, sys_mkdirat(parent, name, 0755), "mkdir", name) < 0) return sys_close(parent), -1;
  run->cgroups[run->cgroup_count].parent = parent;
  text_copy(run->cgroups[run->cgroup_count++].name, sizeof run->cgroups[0].name, name);
  int fd = must(run, sys_openat(parent, name, O_RDONLY | O_DIRECTORY, 0), "open", name);
  return fd < 0 ? -1 : run_slot(run, step->a[0], fd);
}

static int write_in(struct run *run, int folder, const char *file, const char *value) {
  int fd = must(run, sys_openat(folder, file, O_WRONLY, 0), "open", file);
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, value, strlen(value)), "write", file);
  sys_close(fd);
  return result;
}

int step_cgroup_set(struct run *run, const struct plan_step *step) {
  return write_in(run, run->slots[step->a[0]], run_text(run, step, step->a[1]), run_text(run, step, step->a[2]));
}

int step_cgroup_enter(struct run *run, const struct plan_step *step) {
  /* "0" in `tasks` moves the calling thread alone, without the lock that waits for all forks on the machine */
  if (run->child < 0) return write_in(run, run->slots[step->a[0]], "tasks", "0");
  char pid[24] = "";
  text_append_number(pid, sizeof pid, (uint64_t)run->child);
  return write_in(run, run->slots[step->a[0]], "cgroup.procs", pid);
}

int step_cgroup_oom(struct run *run, const struct plan_step *step) {
  if (run->oom_count == (int)array_size(run->oom_files)) return run_failed(run, "oom file", E2BIG, "");
  run->oom_files[run->oom_count].slot = step->a[0];
  run->oom_files[run->oom_count++].file = step->a[1];
  return 0;
}

int step_bind_namespace(struct run *run, const struct plan_step *step) {
  char source[64] = "/proc/";
  const char *target = run_text(run, step, step->a[1]);
  text_append_number(source, sizeof source, (uint64_t)run->child);
  text_append(source, sizeof source, "/ns/");
  text_append(source, sizeof source, run_text(run, step, step->a[0]));
  return must(run, sys(__NR_mount, source, target, 0, 4096 /* MS_BIND */, 0), "mount bind", target);
}

/* What a payload that manages its cgroup has made in it. */
static void remove_below(int parent, const char *name, int depth) {
  char entries[2048];
  int folder = depth ? sys_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) : -1;
  long size;
  while (folder >= 0 && (size = sys(__NR_getdents64, folder, entries, sizeof entries)) > 0)
    for (long at = 0; at < size;) {
      /* struct linux_dirent64: u64, u64, u16 length, u8 type, name */
      uint16_t length;
      memcpy(&length, entries + at + 16, sizeof length);
      const char *inner = entries + at + 19;
      if (entries[at + 18] == 4 /* DT_DIR */ && !text_equal(inner, ".") && !text_equal(inner, "..")) {
        remove_below(folder, inner, depth - 1);
        sys_unlinkat(folder, inner, AT_REMOVEDIR);
      }
      at += length;
    }
  if (folder >= 0) sys_close(folder);
}

/* A cgroup can be removed when the last of its processes is gone from it, a moment after it was reaped. */
static void remove_cgroup(int parent, const char *name) {
  for (int try = 0; try < 200; try++) {
    if (sys_unlinkat(parent, name, AT_REMOVEDIR) != -EBUSY) return;
    remove_below(parent, name, 32);
    struct __kernel_timespec pause = {0, try < 20 ? 200000 : 5000000};
    sys(__NR_nanosleep, &pause, 0);
  }
}

/* An X server may put anything beside its socket; a folder there is left to who removes the dead. */
static void remove_sockets(int folder) {
  struct entry { uint64_t ino; int64_t off; uint16_t size; uint8_t type; char name[]; };
  static char buffer[2048] __attribute__((aligned(8)));
  long n = sys(__NR_getdents64, folder, buffer, sizeof buffer);
  for (long at = 0; at < n; at += ((struct entry *)(buffer + at))->size) sys_unlinkat(folder, ((struct entry *)(buffer + at))->name, 0);
}

static void remove_display(int state) {
  static const char *folders[] = {"display/client", "display/server", "display/socket", "display"};
  int sockets = sys_openat(state, "display/socket", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (sockets >= 0) remove_sockets(sockets);
  if (sockets >= 0) sys_close(sockets);
  for (size_t i = 0; i < array_size(folders); i++) sys_unlinkat(state, folders[i], AT_REMOVEDIR);
}

/* Most sandboxes have had no more than two files in their folder. */
static void remove_state(struct run *run) {
  static const char *files[] = {"process", "config.json", "process.new", "exit", "attach", "log", "log.1", "network.log", "ready", "machine",
                                "display/client/Xauthority", "display/server/Xauthority", "display/server/host", "display/server.plan"};
  size_t done = 0;
  for (; done < 2; done++) sys_unlinkat(run->state_dir, files[done], 0);
  if (sys_unlinkat(run->run_dir, run->id, AT_REMOVEDIR) != -ENOTEMPTY) return;
  for (; done < array_size(files); done++) sys_unlinkat(run->state_dir, files[done], 0);
  remove_display(run->state_dir);
  sys_unlinkat(run->run_dir, run->id, AT_REMOVEDIR);
}

void run_cleanup(struct run *run) {
  end_companions(run);
  for (int i = run->cgroup_count - 1; i >= 0; i--) {
    remove_cgroup(run->cgroups[i].parent, run->cgroups[i].name);
    sys_close(run->cgroups[i].parent);
  }
  run->cgroup_count = 0;
  int keep = run->plan->header->run_flags & RUN_KEEP_STATE && !run->failed && !run->again;
  if (run->name[0] && !keep) sys_unlinkat(run->name_dir, run->name, 0);
  run->name[0] = 0;
  /* pasta ends when this link goes; of several removals at once it looks at the first */
  if (run->state_dir >= 0) sys_unlinkat(run->state_dir, "netns", 0);
  if (run->state_dir >= 0 && !keep) remove_state(run);
  if (run->state_dir >= 0) sys_close(run->state_dir);
  run->state_dir = -1;
  while (run->lock_count > 0) sys_close(run->locks[--run->lock_count]);
}
