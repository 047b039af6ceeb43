/* Performs a plan: phase by phase, step by step, the first failure ends it. */
#include "run.h"
#include "caller.h"
#include "machine.h"
#include "signals.h"
#include "sys.h"
#include <linux/prctl.h>
#include <linux/sched.h>

static step_function *const steps[OP_COUNT] = {
    [OP_OPEN] = step_open, [OP_OPEN_TREE] = step_open_tree, [OP_MOUNT_ATTR] = step_mount_attr, [OP_FS_MOUNT] = step_fs_mount,
    [OP_MKDIR_HOST] = step_mkdir_host, [OP_WRITE_HOST] = step_write_host, [OP_MOUNT_HOST] = step_mount_host,
    [OP_UMOUNT_HOST] = step_umount_host, [OP_STATE] = step_state, [OP_NAME] = step_name, [OP_CGROUP] = step_cgroup,
    [OP_CGROUP_SET] = step_cgroup_set, [OP_CGROUP_ENTER] = step_cgroup_enter, [OP_CGROUP_OOM] = step_cgroup_oom,
    [OP_PROC_WRITE] = step_proc_write, [OP_RUN] = step_run, [OP_IDMAP] = step_idmap, [OP_BIND_NAMESPACE] = step_bind_namespace,
    [OP_SELF_WRITE] = step_self_write, [OP_SETNS] = step_setns, [OP_UNSHARE] = step_unshare, [OP_FORK] = step_fork,
    [OP_LOOPBACK] = step_loopback, [OP_HOSTNAME] = step_hostname, [OP_DOMAINNAME] = step_domainname, [OP_IDS] = step_ids,
    [OP_KEYRING] = step_keyring, [OP_PROPAGATION] = step_propagation, [OP_ROOT] = step_root, [OP_ROOT_DETACH] = step_root_detach,
    [OP_CHROOT] = step_chroot, [OP_BIND] = step_bind, [OP_MOUNT] = step_mount, [OP_FS] = step_fs, [OP_ATTR] = step_attr,
    [OP_MASK] = step_mask, [OP_DIR] = step_dir, [OP_FILE] = step_file, [OP_SYMLINK] = step_symlink, [OP_NODE] = step_node,
    [OP_SYSCTL] = step_sysctl, [OP_PTY] = step_pty, [OP_UMASK] = step_umask, [OP_CWD] = step_cwd, [OP_RLIMIT] = step_rlimit,
    [OP_OOM_SCORE] = step_oom_score, [OP_NICE] = step_nice, [OP_SCHEDULER] = step_scheduler, [OP_IO_PRIORITY] = step_io_priority,
    [OP_AFFINITY] = step_affinity, [OP_PERSONALITY] = step_personality, [OP_PARENT_DEATH] = step_parent_death,
    [OP_SESSION] = step_session, [OP_CAPABILITIES] = step_capabilities, [OP_SECUREBITS] = step_securebits,
    [OP_NO_NEW_PRIVS] = step_no_new_privs, [OP_LANDLOCK] = step_landlock, [OP_SECCOMP] = step_seccomp, [OP_EXEC] = step_exec,
    [OP_KEEP_FD] = step_keep_fd, [OP_FCHDIR] = step_fchdir, [OP_JOIN] = step_join, [OP_FILE_SERVER] = step_file_server,
    [OP_GO] = step_go, [OP_NETWORK_START] = step_network_start, [OP_NETWORK_JOIN] = step_network_join,
    [OP_COMPANION] = step_companion, [OP_RUN_INSIDE] = step_run_inside, [OP_DENY] = step_deny,
    [OP_HOLD_FD] = step_hold_fd, [OP_INFO_FD] = step_info_fd, [OP_WAIT_FD] = step_wait_fd, [OP_FILE_FD] = step_file_fd,
    [OP_DATA_MOUNT] = step_data_mount, [OP_BIND_FD] = step_bind_fd, [OP_SECCOMP_FD] = step_seccomp_fd,
    [OP_KEEP_FDS] = step_keep_fds, [OP_CHMOD] = step_chmod, [OP_NEST_USERS] = step_nest_users, [OP_NO_USERS] = step_no_users,
    [OP_ENVIRONMENT] = step_environment, [OP_CWD_FIRST] = step_cwd_first, [OP_LOCK_FILE] = step_lock_file,
    [OP_MACHINE] = step_machine, [OP_LOCK_HOST] = step_lock_host, [OP_CGROUP_OWN] = step_cgroup_own, [OP_UUID_FILE] = step_uuid_file,
    [OP_REPLACE] = step_replace, [OP_NOTIFY] = step_notify, [OP_SETSID] = step_setsid,
    [OP_UNPACK] = step_unpack,         [OP_PACK] = step_pack,
    [OP_WATCH] = step_watch,           [OP_SAY] = step_say,           [OP_CONTAINER] = step_container, [OP_IMAGE] = step_image,
};

void run_init(struct run *run, const struct plan *plan) {
  memset(run, 0, sizeof *run);
  memset(run->slots, 0xff, sizeof run->slots);
  run->plan = plan;
  run->step = SLOT_NONE;
  run->status_fd = run->control = run->arm = run->sync = run->notify = run->child = run->pidfd = run->pty = run->pty_side = -1;
  run->container = run->old_root = run->new_root = run->run_dir = run->state_dir = run->name_dir = -1;
  for (int i = 0; i < 3; i++) run->stdio[i] = i;
}

int run_slot(struct run *run, uint32_t slot, int fd) {
  if (run->slots[slot] >= 0) sys_close(run->slots[slot]);
  run->slots[slot] = fd;
  return 0;
}

const char *run_text(struct run *run, const struct plan_step *step, uint32_t offset) {
  static char texts[4][PATH_ROOM];
  static unsigned next;
  const char *from = plan_string(run->plan, offset);
  if (!(step->flags & STEP_ID)) return from;
  char *to = texts[next++ % 4];
  *to = 0;
  for (; *from; from++) {
    char one[2] = {*from, 0};
    if (from[0] == '%' && from[1] == 'i') text_append(to, PATH_ROOM, run->id), from++;
    else if (from[0] == '%' && from[1] == 'p') text_append_number(to, PATH_ROOM, (uint64_t)run->child), from++;
    else if (from[0] == '%' && from[1] == '%') text_append(to, PATH_ROOM, one), from++;
    else text_append(to, PATH_ROOM, one);
  }
  return to;
}

static uint32_t first_step(const struct plan_header *header, enum phase phase) {
  uint32_t first = 0;
  for (int p = 0; p < (int)phase; p++) first += header->steps[p];
  return first;
}

int run_phase(struct run *run, enum phase phase) {
  const struct plan_header *header = run->plan->header;
  uint32_t first = first_step(header, phase);
  for (run->step = first; run->step < first + header->steps[phase]; run->step++) {
    const struct plan_step *step = &run->plan->steps[run->step];
    if (steps[step->op](run, step) >= 0) continue;
    if (!(step->flags & STEP_OPTIONAL)) return -1;
    run->failed = 0;
  }
  run->step = SLOT_NONE;
  return 0;
}

static int draw_id(struct run *run) {
  const char *given = plan_string(run->plan, run->plan->header->id);
  if (*given) return text_copy(run->id, sizeof run->id, given), 0;
  unsigned char bytes[6];
  if (must(run, sys(__NR_getrandom, bytes, sizeof bytes, 0), "getrandom", "") < 0) return -1;
  for (size_t i = 0; i < sizeof bytes; i++) {
    run->id[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    run->id[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return 0;
}

/* The name in field 2 may hold anything. */
void append_start_time(char *to, size_t room, int proc, const char *path) {
  char stat[1024];
  int fd = sys_openat(proc, path, O_RDONLY, 0);
  long n = fd < 0 ? 0 : read_up_to(fd, stat, sizeof stat - 1);
  if (fd >= 0) sys_close(fd);
  char *p = stat + (n > 0 ? n : 0);
  *p = 0;
  while (p > stat && *p != ')') p--;
  for (int field = 2; field < 22 && *p; p++) field += *p == ' ';
  char *end = p;
  while (*end && *end != ' ') end++;
  *end = 0;
  text_append(to, room, *p ? p : "0");
}

static void append_process(char *to, size_t room, uint64_t pid) {
  char path[48] = "/proc/";
  text_append_number(path, sizeof path, pid);
  text_append(path, sizeof path, "/stat");
  text_append_number(to, room, pid);
  text_append(to, room, " ");
  append_start_time(to, room, AT_FDCWD, path);
}

int run_write_process(struct run *run) {
  if (run->state_dir < 0) return 0;
  if (machine_is(run->plan)) {
    int mark = sys_openat(run->state_dir, "machine", O_CREAT | O_WRONLY | O_NOFOLLOW, 0600);
    if (mark >= 0) sys_close(mark);
  }
  char line[128] = "";
  append_process(line, sizeof line, (uint64_t)run->child);
  text_append(line, sizeof line, " ");
  append_process(line, sizeof line, (uint64_t)sys_getpid());
  text_append(line, sizeof line, "\n");
  /* whole or not there: a reader must never see half a pid */
  int fd = must(run, sys_openat(run->state_dir, "process.new", O_CREAT | O_TRUNC | O_WRONLY, 0600), "create", "process");
  if (fd < 0) return -1;
  int result = must(run, write_all(fd, line, strlen(line)), "write", "process");
  sys_close(fd);
  if (result >= 0) result = must(run, sys(__NR_renameat2, run->state_dir, "process.new", run->state_dir, "process", 0), "rename", "process");
  return result;
}

/* --- the first process ----------------------------------------------------------------------------------------- */

static int wait_for_go(struct run *run) {
  struct record record;
  long n;
  do n = sys_read(run->sync, &record, sizeof record);
  while (n == -EINTR);
  if (n == 0) sys_exit(125); /* the supervisor died or gave up: it has told why */
  return n == sizeof record && record.type == RECORD_GO ? 0 : run_failed(run, "read", n < 0 ? (int)n : EPROTO, "the supervisor's word");
}

/* What the supervisor holds of the host is nothing for the sandbox. */
static void let_go_of_host(struct run *run) {
  for (int i = 0; i < run->cgroup_count; i++) sys_close(run->cgroups[i].parent);
  while (run->lock_count > 0) sys_close(run->locks[--run->lock_count]);
  int *fds[] = {&run->run_dir, &run->state_dir, &run->name_dir, &run->pty, &run->status_fd};
  for (size_t i = 0; i < array_size(fds); i++) {
    if (*fds[i] >= 0) sys_close(*fds[i]);
    *fds[i] = -1;
  }
}

static _Noreturn void child_main(struct run *run) {
  const struct plan_header *header = run->plan->header;
  let_go_of_host(run);
  int going = must(run, header->run_flags & RUN_PLAIN_TTY ? 0 : sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl PR_SET_PDEATHSIG", "");
  if (going >= 0 && header->steps[PHASE_PARENT]) going = wait_for_go(run);
  if (going >= 0) going = run_phase(run, PHASE_CHILD);
  if (going >= 0 && header->run_flags & RUN_INIT) init_main(run);
  if (going >= 0) payload_main(run);
  struct { struct record record; struct record_failed failed; } told = {{RECORD_FAILED, sizeof told.failed}, run->failure};
  write_all(run->sync, &told, sizeof told);
  sys_exit(125);
}

/* --- the supervisor -------------------------------------------------------------------------------------------- */

static int clone_child(struct run *run, int child_sync) {
  const struct plan_header *header = run->plan->header;
  int pidfd = -1;
  struct clone_args args = {.flags = header->clone_flags | CLONE_PIDFD, .pidfd = (uint64_t)(long)&pidfd, .exit_signal = 17 /* SIGCHLD */};
  if (header->clone_cgroup_slot != SLOT_NONE) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)run->slots[header->clone_cgroup_slot];
  }
  int pid = must(run, sys(__NR_clone3, &args, sizeof args), "clone3", "");
  if (pid < 0) return -1;
  if (!pid) {
    sys_close(run->sync);
    run->sync = child_sync;
    child_main(run);
  }
  run->child = pid;
  run->pidfd = pidfd;
  return 0;
}

static void kill_child(struct run *run) {
  sys_kill(run->child, 9);
  while (sys(__NR_wait4, run->child, 0, 0, 0) == -EINTR) {}
  sys_close(run->pidfd);
  run->child = run->pidfd = -1;
}

int step_go(struct run *run, const struct plan_step *step unused) {
  struct record go = {RECORD_GO, 0};
  if (run->gone) return 0;
  run->gone = 1;
  int told = write_all(run->sync, &go, sizeof go);
  /* a child that died already has a failure to tell, which supervise() reads */
  return told == -EPIPE || told == -ECONNRESET ? 0 : must(run, told, "write", "the first process");
}

static int start(struct run *run) {
  int pair[2];
  if (run_phase(run, PHASE_HOST) < 0) return -1;
  if (must(run, sys(__NR_socketpair, 1 /* AF_UNIX */, 5 /* SOCK_SEQPACKET */ | O_CLOEXEC, 0, pair), "socketpair", "") < 0) return -1;
  run->sync = pair[0];
  int cloned = clone_child(run, pair[1]);
  sys_close(pair[1]);
  if (cloned < 0) return -1;
  int ready = run_phase(run, PHASE_PARENT);
  if (ready >= 0 && run->plan->header->steps[PHASE_PARENT]) ready = step_go(run, 0);
  if (ready >= 0) ready = run_write_process(run); /* while the first process is at work */
  if (ready < 0) kill_child(run);
  return ready;
}

int run_start(struct run *run) {
  /* before there is a first process: one that ends at once leaves what it started to somebody else */
  if (orphans_are_ours(run)) sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (draw_id(run) >= 0 && start(run) >= 0) {
    if (run->pty_side >= 0) sys_close(run->pty_side); /* the host's: an open side would hide its end from the master */
    run->pty_side = -1;
    for (uint32_t i = 0; i < SLOT_COUNT; i++) {
      int kept = run->slots[i] < 0;
      for (int j = 0; j < run->oom_count; j++) kept |= run->oom_files[j].slot == i;
      if (!kept) sys_close(run->slots[i]), run->slots[i] = -1;
    }
    caller_let_go(run->plan);
    return 0;
  }
  run_cleanup(run);
  return -1;
}

int run_in_place(struct run *run) {
  if (draw_id(run) < 0 || run_phase(run, PHASE_HOST) < 0 || run_phase(run, PHASE_CHILD) < 0) return -1;
  signals_release(); /* held while Node compiled: one that came meanwhile is the program's */
  if (run_phase(run, PHASE_PAYLOAD) < 0) {
    uint64_t all = ~0ull;
    sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, 0, sizeof all); /* held again: Node is waited for, to say why */
    return -1;
  }
  sys_exit(0);
}
