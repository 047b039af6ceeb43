/* One sandbox from its plan to its end: what the launcher's parts share. */
#ifndef BRIG_RUN_H
#define BRIG_RUN_H

#include "plan_view.h"
#include <stddef.h>

#define CGROUP_MAX 12
#define PATH_ROOM 4096

struct run {
  const struct plan *plan;
  char id[64];
  int slots[SLOT_COUNT];
  int stdio[3];       /* descriptors for the payload's 0, 1, 2 */
  int status_fd;      /* where records go, or -1 */
  int arm;            /* a parked payload's socket: what to execute comes on it, once; -1: the plan says it */
  int parked;         /* made ahead of what it will execute */
  int control;        /* a socket whose records steer the supervisor and whose end is the sandbox's, or -1 */
  int sync;           /* this process's end of the socket between supervisor and first process (SOCK_SEQPACKET) */
  int child, pidfd;   /* first process, as the supervisor sees it */
  int pty;            /* master of the payload's terminal, or -1 */
  int pty_side;       /* its terminal side, in the first process, or -1 */
  uint32_t pty_mask;  /* which of descriptors 0-2 are the terminal side */
  int gone;           /* the first process was told to go on */
  int session_made;   /* init has made the session, the payload must not */
  int old_root, new_root; /* O_PATH, or -1 before OP_ROOT */
  int run_dir;        /* the folder that holds the state folder, or -1 */
  int state_dir;      /* RUN/ID, or -1 */
  int name_dir;
  char name[256];
  struct { int parent; char name[128]; } cgroups[CGROUP_MAX];
  int cgroup_count;
  struct { uint32_t slot, file; } oom_files[4];
  int oom_count;
  uint32_t umask;     /* the caller's, where CHILD changed it */
  char **env;         /* OP_ENVIRONMENT's, or 0 */
  struct { int pid, leash, signal; } companions[4];
  int companion_count;
  int locks[4];       /* of OP_LOCK_HOST */
  int lock_count;
  int notify;         /* the socket of OP_NOTIFY, or -1 */
  int ended;          /* ENDED_*: how a machine ended */
  int32_t status;     /* waitpid(2)'s of a machine's first process, known behind the end */
  int left;           /* who watched a machine's console left it running */
  int container;      /* OP_CONTAINER's folder, or -1 */
  uint32_t restarts, delay_ms; /* how often it has started again, and how long it waited before */
  int again;          /* it will once more */
  uint32_t step;      /* the one that is being done */
  struct record_failed failure;
  int failed;
};

/* run.c */
void run_init(struct run *run, const struct plan *plan); /* empties it: no slots, own descriptors 0-2 */
int run_start(struct run *run);     /* HOST, clone, PARENT, GO: 0, or -1 with `failure` filled and nothing left behind */
int run_in_place(struct run *run);  /* becomes the payload; returns -1 with `failure` filled */
void run_cleanup(struct run *run);  /* undoes on the host: cgroups, name, state folder */
_Noreturn void payload_main(struct run *run); /* PAYLOAD steps; a failure is told on `sync`, exit status 125 */
int run_phase(struct run *run, enum phase phase);

/* Field 22 of a /proc/PID/stat behind what `to` holds, "0" when there is none: with the pid it names a process for good. */
void append_start_time(char *to, size_t room, int proc, const char *path);
int run_write_process(struct run *run); /* the state folder's `process` file, again when RECORD_FORKED changed the pid */

/* main.c: does the whole of a plan with what its flags ask for (in place, detached, supervised): the exit code */
int run_plan(struct run *run);
const char *load_plan(struct plan *plan, int fd); /* reads it into memory of its own and checks it: 0, or what is wrong */

int orphans_are_ours(const struct run *run); /* supervise.c: without a pid namespace that ends them, what is left behind is the supervisor's to end */

/* The life around a sandbox. Each returns an exit code. */
int supervise(struct run *run);              /* supervise.c: from GO to the end; fills `failure` when a process told one */
int monitor_run(struct run *run);            /* monitor.c: RUN_DETACH */
_Noreturn void init_main(struct run *run);   /* init.c: the first process, RUN_INIT */
int entry_main(int argc, char **argv);       /* entry.c */
int plan_file_main(const char *path, int status_fd); /* entry.c: --plan FILE; compiles a stale one again */
void report_failure(struct run *run);        /* entry.c: starts Node to say it in words, or says it raw */
int zygote_main(void);                       /* zygote.c */
int attach_main(const char *socket);         /* attach.c */
int wait_main(const char *socket);           /* attach.c: prints the exit code of the sandbox behind it when that ends */
int nsid_main(int count, char **words);      /* nsid.c: ids of network namespaces */
int serve_main(int count, char **words);     /* serve.c: names and published ports of a sandbox on named networks */

enum { ENDED_ITSELF, ENDED_POWERED_OFF, ENDED_REBOOTS };
int machine_run(struct run *run);            /* machine.c: a plan with OP_MACHINE */
void machine_renew(struct run *run);         /* machine.c: what was rebooted is run again */

/* park.c: waits for what to execute and puts it in `command`; the end of the socket is the sandbox's */
struct command { char **candidates, **argv, **env; };
int park(struct run *run, struct command *command);

/* failure.c: fills `failure` and returns -1 */
int run_failed(struct run *run, const char *operation, int error, const char *argument);

/* start.c, main.c */
extern char **launcher_env;
const char *env_get(const char *name);
void hide_words(void); /* what was typed on the host is no business of who reads /proc/1/cmdline inside */
long clone_with_stack(unsigned long flags, void *stack_end, void (*function)(void));
int launcher_main(int argc, char **argv);

/*
 * What the files of steps share. A step's function returns 0, or -1 through run_failed.
 * `text` is a string argument with "%i" and "%p" replaced where the step says so (valid until four more are asked for).
 */
typedef int step_function(struct run *run, const struct plan_step *step);
const char *run_text(struct run *run, const struct plan_step *step, uint32_t offset);
int run_slot(struct run *run, uint32_t slot, int fd); /* puts a descriptor in a slot, closing what was there */
int must(struct run *run, long result, const char *operation, const char *argument); /* result < 0 → run_failed; else result */

/* programs.c */
void end_companions(struct run *run); /* the last one first, each when it has undone what it did */

/* paths.c: in the new root once there is one, else the host's */
int open_target(struct run *run, const char *path, int flags); /* O_PATH unless flags say otherwise; -errno */
int open_source(struct run *run, const char *path, int nofollow); /* in the host's root */
int open_parent(struct run *run, const char *path, const char **name); /* makes missing parents 0755; kept open, not the caller's to close; -errno */
void forget_parent(const char *target); /* something was mounted at this path: what was looked up below it is covered */
int make_target(struct run *run, const char *path, int as_file); /* makes it where it is missing; O_PATH descriptor or -errno */
int is_folder(int fd);

extern step_function step_open, step_open_tree, step_mount_attr, step_fs_mount, step_mkdir_host, step_write_host,
    step_mount_host, step_umount_host, step_state, step_name, step_cgroup, step_cgroup_set, step_cgroup_enter,
    step_cgroup_oom, step_proc_write, step_run, step_idmap, step_bind_namespace, step_self_write, step_setns,
    step_unshare, step_fork, step_loopback, step_go, step_network_start, step_network_join, step_hostname, step_domainname, step_ids, step_keyring, step_propagation,
    step_root, step_root_detach, step_chroot, step_bind, step_mount, step_fs, step_attr, step_mask, step_deny, step_dir, step_file,
    step_symlink, step_node, step_sysctl, step_pty, step_umask, step_cwd, step_rlimit, step_oom_score, step_nice,
    step_scheduler, step_io_priority, step_affinity, step_personality, step_parent_death, step_session,
    step_capabilities, step_securebits, step_no_new_privs, step_landlock, step_seccomp, step_exec, step_keep_fd, step_fchdir, step_join,
    step_file_server, step_companion, step_run_inside,
    step_say, step_hold_fd, step_info_fd, step_wait_fd, step_file_fd, step_data_mount, step_bind_fd, step_seccomp_fd, step_keep_fds,
    step_chmod, step_nest_users, step_no_users, step_environment, step_cwd_first, step_lock_file,
    step_watch,
    step_machine, step_lock_host, step_cgroup_own, step_uuid_file, step_replace, step_notify, step_setsid,
    step_unpack, step_pack, step_container, step_image;

#endif
