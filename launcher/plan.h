/*
 * The contract between src/plan (TypeScript, which writes plans) and the launcher (which runs them).
 *
 * A plan is one file or memory block, little-endian, made of
 *
 *     header | steps | witnesses | data | note
 *
 * The launcher checks all of it before it does any of it. `data` holds NUL-terminated strings and raw blobs; a
 * string argument is the offset of its first byte in `data`, a list of strings is the offset of `u32 count`
 * followed by that many offsets, a blob is two arguments: offset and size. Offset 0 holds an empty string, and a
 * string argument of 0 means "none". `note` is JSON for TypeScript alone (spec, origins by step, the words that
 * were compiled); the launcher never reads it.
 *
 * A plan written by `brig plan --out FILE` is preceded by `#!LAUNCHER --plan\n` padded with spaces to
 * PLAN_PREFIX bytes, so that the kernel itself hands it to the launcher.
 *
 * Phases run in this order, each in one process:
 *
 *     HOST     the supervisor, before the sandbox's first process exists
 *     PARENT   the supervisor, while that process waits
 *     CHILD    the sandbox's first process: root, mounts, names
 *     PAYLOAD  the process that becomes the payload: identity, limits, restrictions, exec
 *     INIT     the sandbox's first process, when RUN_INIT keeps it as init: what restricts it
 *
 * With RUN_IN_PLACE nothing is cloned: HOST, CHILD and PAYLOAD run in the launcher itself, which becomes the
 * payload (unshare, nsenter, chroot, netns exec).
 *
 * Steps talk to each other through slots: SLOT_COUNT descriptors, all close-on-exec, empty at the start.
 */
#ifndef BRIG_PLAN_H
#define BRIG_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC "brigplan"
#define PLAN_VERSION 1u
#define PLAN_PREFIX 512u
#define PLAN_MAX_SIZE (16u << 20)
#define SLOT_COUNT 512u
#define SLOT_NONE 0xffffffffu

enum phase { PHASE_HOST, PHASE_PARENT, PHASE_CHILD, PHASE_PAYLOAD, PHASE_INIT, PHASE_COUNT };

/* header.run_flags */
enum {
  RUN_IN_PLACE = 1 << 0,        /* no clone: the launcher becomes the payload */
  RUN_INIT = 1 << 1,            /* the first process stays as init: reaps, forwards signals, reports */
  RUN_DETACH = 1 << 2,          /* a monitor takes over; the launcher prints the id and leaves */
  RUN_DIE_WITH_PARENT = 1 << 3, /* the supervisor's parent dies: everything is killed */
  RUN_NO_PAYLOAD = 1 << 4,      /* init stays without a payload until it is killed (Sandbox.create) */
  RUN_KEEP_STATE = 1 << 5,      /* leave the state folder (exit status, log) when the payload ends */
  RUN_PLAIN_TTY = 1 << 6,       /* share the caller's session and terminal, as unshare and chroot do */
  RUN_PRINT_ID = 1 << 7,        /* with RUN_DETACH: write the id and a newline to standard output */
  RUN_OPEN_STDIN = 1 << 8,      /* with RUN_DETACH or RUN_ATTACHED: standard input stays open for attach */
  RUN_OUTLAST = 1 << 9,         /* with RUN_INIT: the sandbox ends with its last process, whose status counts */
  RUN_FIRST_STATUS = 1 << 10,   /* with RUN_OUTLAST: the payload's status counts all the same */
  RUN_ATTACHED = 1 << 11,       /* a monitor takes over and the launcher is its client, whose end is not the sandbox's */
  /* bits 16-23: the exit status when a step fails, bits 24-31: when the program can't be executed (0: 125; 127, 126) */
};
#define RUN_FAILURE_SHIFT 16
#define RUN_EXEC_FAILURE_SHIFT 24

struct plan_header {
  char magic[8];
  uint32_t version;
  uint32_t size;             /* of the whole plan, without the prefix */
  uint64_t checksum;         /* finds a cut or altered plan: FNV-1a 64 over eight bytes at a time from behind this field to the note, the rest bytewise */
  uint64_t build;            /* of the launcher and compiler that wrote it; another build means stale. 0: any */
  uint32_t steps[PHASE_COUNT]; /* steps of each phase; they stand one behind the other */
  uint32_t witness_count;
  uint32_t data_size;
  uint32_t note_size;
  uint32_t run_flags;
  uint32_t clone_cgroup_slot; /* a cgroup v2 folder for CLONE_INTO_CGROUP, or SLOT_NONE */
  uint64_t clone_flags;      /* CLONE_NEW*: the namespaces that are new at the clone */
  uint64_t timeout_ms;       /* 0: none. stop_signal at the end of it, SIGKILL grace_ms later */
  uint32_t grace_ms;
  uint32_t stop_signal;
  uint32_t log;              /* string: log file's name in the state folder (RUN_DETACH) */
  uint32_t log_max_bytes;    /* rotate to NAME.1 beyond this; 0: never */
  uint32_t id;               /* string: the sandbox's id, or 0: the launcher draws twelve hex digits */
  uint32_t detach_keys;      /* string: raw bytes typed to detach from a terminal, e.g. "\x10\x11" */
};

/* What a step may be told. */
enum {
  STEP_OPTIONAL = 1 << 0, /* a failure is passed over */
  STEP_ID = 1 << 1,       /* "%i" in its strings stands for the sandbox's id, "%p" for the first process's pid,
                        * "%%" for "%"; in OP_RUN's standard input too */
};

struct plan_step {
  uint16_t op;
  uint16_t flags;
  uint32_t a[7];
};

/* A plan is fresh while all of its witnesses hold. */
enum witness_kind {
  WITNESS_FILE = 1, /* path; mode, dev, ino, size, mtime and ctime as lstat gave them; all 0: must not exist */
  WITNESS_ENV = 2,  /* name; value, or 0: must be unset */
  WITNESS_WORDS = 3,/* value: list of strings: the command line behind the command's name */
  WITNESS_CWD = 4,  /* value: the working folder */
  WITNESS_IDS = 5,  /* dev = uid, ino = gid, size = FNV-1a 64 of the supplementary groups but gid, as sorted u32 */
  WITNESS_TTY = 6,  /* dev = a bit for each of descriptors 0, 1, 2 that is a terminal */
  /* what a call of the compiler's was answered; size = the errno of a failure, where it has one */
  WITNESS_ACCESS = 7, /* path; mode as for access(2); dev = whether it is granted */
  WITNESS_STAT = 8,   /* path, links followed: mode, dev, size = uid, ino (0: any); mode 0: a failure */
  WITNESS_LSTAT = 9,  /* the same of a link itself */
  WITNESS_LINK = 10,  /* path; value: what the link says, or 0: none that can be read */
  WITNESS_REAL = 11,  /* path; value: where it leads (realpath(3)), or 0: nowhere */
  WITNESS_NAMES = 12, /* folder; value: a prefix; size = sum of FNV-1a 64 of each name with it; mode 0: unreadable.
                       * dev, ino and mtime_ns are the folder's, or 0: unchanged ones make it needless to look */
  WITNESS_CONTENT = 13, /* as FILE, links followed; mode 0: cannot be read */
  WITNESS_TEXT = 14,  /* path; size = FNV-1a 64 of the text (a file of the kernel's); mode 0: cannot be read */
  WITNESS_CAPS = 15,  /* size = the effective capabilities, CAP_X as bit X */
  WITNESS_ABSENT = 16, /* folder; value: names that are not in it, "/" between them. dev, ino and mtime_ns as for NAMES */
};
struct plan_witness {
  uint32_t kind;
  uint32_t path;   /* string: path or name */
  uint32_t value;  /* string or list */
  uint32_t mode;
  uint64_t dev, ino, size;
  int64_t mtime_ns, ctime_ns;
};

/*
 * Operations. Arguments in order; `str`, `list` and `blob` (two arguments) as above, `slot` a slot's number,
 * u64 two arguments, low half first. Letters say in which phases: H P C L (payload) I.
 *
 * Paths in CHILD are looked up in the new root after ROOT, in the host's before. In the new root every path is
 * resolved with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, and a missing target is made when `create` says so.
 */
enum op {
  /* descriptors and host files */
  OP_OPEN = 1,         /* HC  slot, str path, u32 open(2) flags                                             */
  OP_OPEN_TREE,        /* HC  slot, str path, u32 recursive, u32 nofollow: a detached clone of a host mount */
  OP_MOUNT_ATTR,       /* HC  slot, u32 set, u32 clear, u32 propagation, u32 recursive: mount_setattr(2)    */
  OP_FS_MOUNT,         /* HC  slot, str type, list options "key=value" or "key", u32 mount attributes       */
  OP_MKDIR_HOST,       /* HC  str path, u32 mode, u32 exist_ok                                              */
  OP_WRITE_HOST,       /* HPC str path, blob, u32 open(2) flags, u32 mode                                   */
  OP_MOUNT_HOST,       /* HC  str source, str target, str type, u32 flags, str data: mount(2)               */
  OP_UMOUNT_HOST,      /* HC  str target, u32 flags: umount2(2)                                             */

  /* the sandbox's place on the host */
  OP_STATE,            /* HP  str run folder, blob: makes RUN/ID and RUN/ID/config.json, removes both at the end */
  OP_NAME,             /* H   str link: symlink to the id, exclusive; EEXIST means the name is taken        */
  OP_CGROUP,           /* H   slot, str parent, str name: mkdir PARENT/NAME, removed at the end             */
  OP_CGROUP_SET,       /* H   slot, str file, str value                                                     */
  OP_CGROUP_ENTER,     /* PC  slot: the first process's pid into cgroup.procs; in CHILD, itself into tasks (v1) */
  OP_CGROUP_OOM,       /* H   slot, str file: at the end, a line "oom_kill N" with N > 0 means OOM-killed   */

  /* the first process, from outside */
  OP_PROC_WRITE,       /* P   str file, blob: into /proc/PID/FILE (uid_map, gid_map, setgroups, timens_offsets) */
  OP_RUN,              /* HP  list argv, blob standard input, u32 timeout_ms: a host program that must exit 0  */
  OP_IDMAP,            /* P   slot of a detached mount, slot of a user namespace or SLOT_NONE (the child's)  */
  OP_BIND_NAMESPACE,   /* P   str name in /proc/PID/ns, str target: keeps a namespace alive by a bind mount */

  /* namespaces, from inside */
  OP_SELF_WRITE,       /* CL  str file, blob: into /proc/self/FILE                                          */
  OP_SETNS,            /* HC  slot, u32 CLONE_NEW*; with a pidfd in the slot several at once                */
  OP_UNSHARE,          /* C   u32 CLONE_NEW*                                                                */
  OP_FORK,             /* C   go on in a child (needed behind joining or unsharing a pid namespace)         */
  OP_LOOPBACK,         /* C   lo up                                                                         */
  OP_HOSTNAME,         /* C   str                                                                           */
  OP_DOMAINNAME,       /* C   str                                                                           */
  OP_IDS,              /* CL  u32 uid, u32 gid, blob of u32 groups, u32 keep_groups, u32 keep_capabilities   */
  OP_KEYRING,          /* CL  a new session keyring                                                         */

  /* the root and its mounts */
  OP_PROPAGATION,      /* C   u32 MS_* flags for "/" (MS_REC|MS_SLAVE …)                                     */
  OP_ROOT,             /* C   slot of a detached mount: becomes "/", the host's root stays reachable to steps */
  OP_ROOT_DETACH,      /* C   lets go of the host's root                                                    */
  OP_CHROOT,           /* CL  str path: chroot(2), which is no wall; u32 skip_chdir                          */
  OP_BIND,             /* C   str source, str target, u32 set, u32 clear, u32 bind flags, u32 propagation    */
  OP_MOUNT,            /* C   slot of a detached mount, str target, u32 create                              */
  OP_FS,               /* C   str type, str target, list options, u32 attributes, u32 create                */
  OP_ATTR,             /* C   str target, u32 set, u32 clear, u32 propagation, u32 recursive                 */
  OP_MASK,             /* C   str path: an empty read-only folder, or /dev/null; a missing path needs no mask */
  OP_DIR,              /* C   str path, u32 mode, u32 uid, u32 gid (0xffffffff: leave); parents are made 0755 */
  OP_FILE,             /* C   str path, u32 mode, blob                                                       */
  OP_SYMLINK,          /* C   str target, str path                                                           */
  OP_NODE,             /* C   str path, u32 mode with type, u32 major, u32 minor, u32 uid, u32 gid           */
  OP_SYSCTL,           /* C   str dotted or slashed name, str value                                          */
  OP_PTY,              /* HC  u32 mask of descriptors 0-2 that become its terminal side, u32 host: take the  */
                       /*     host's /dev/ptmx and not the sandbox's                                         */

  /* the payload */
  OP_UMASK,            /* CLI u32; 0xffffffff: what it was before CHILD changed it                            */
  OP_CWD,              /* CL  str path; u32 create                                                           */
  OP_RLIMIT,           /* LI  u32 resource, u64 soft, u64 hard                                               */
  OP_OOM_SCORE,        /* HCL str value                                                                      */
  OP_NICE,             /* L   i32                                                                            */
  OP_SCHEDULER,        /* L   blob: struct sched_attr                                                        */
  OP_IO_PRIORITY,      /* L   u32 ioprio_set(2) value                                                        */
  OP_AFFINITY,         /* L   blob: cpu mask                                                                 */
  OP_PERSONALITY,      /* L   u32                                                                            */
  OP_PARENT_DEATH,     /* L   u32 signal                                                                     */
  OP_SESSION,          /* L   setsid(2), and the pty's terminal side as controlling terminal where there is one */
  OP_CAPABILITIES,     /* CLI blob: five u64: bounding, effective, permitted, inheritable, ambient           */
  OP_SECUREBITS,       /* LI  u32                                                                            */
  OP_NO_NEW_PRIVS,     /* CLI                                                                                */
  OP_LANDLOCK,         /* LI  blob: struct plan_landlock and its rules                                       */
  OP_SECCOMP,          /* LI  blob: array of struct sock_filter, u32 SECCOMP_FILTER_FLAG_*, slot of a         */
                       /*     connected unix socket that gets the listener (NEW_LISTENER), or SLOT_NONE       */
  OP_EXEC,             /* L   list candidates (absolute paths, tried in order), list argv, list environment, */
                       /*     str what is said, before ": " and the kernel's answer, when none can be        */
                       /*     executed (0: Node says it; but behind a chroot there may be no Node)            */
  OP_KEEP_FD,          /* L   u32 descriptor of the caller that the payload keeps                            */
  OP_FCHDIR,           /* CL  slot of a folder that was opened before namespaces were joined                 */
  OP_FILE_SERVER,      /* L   in OP_EXEC's place: files.c serves requests for files on descriptors 0 and 1      */
  OP_JOIN,             /* C   u32 pid, str start time (field 22 of its stat), u32 CLONE_NEW*, list files in  */
                       /*     /proc/PID: joins that very process's namespaces at once, or those of the files */
                       /*     one after another; from then to the exec nobody inside can reach this process  */
  OP_NETWORK_START,    /* C   u32 loopback: a new network namespace, made by a second process meanwhile      */
  OP_NETWORK_JOIN,     /* C   waits for it and joins it                                                      */
  OP_GO,               /* P   the first process goes on; what stands behind is done meanwhile (default: at the end) */
  OP_COMPANION,        /* P   list argv, blob standard input, u32 timeout_ms, blob of struct plan_socket, u32      */
                       /*     signal that it gets at the end where it does not look at descriptor 3: a host        */
                       /*     program that stays: it writes a byte to descriptor 3 when it is ready, and undoes    */
                       /*     what it did and ends when that is closed: the sandbox has ended. Descriptors 4, 5, … */
                       /*     are sockets in the first process's network namespace, on its loopback address;      */
                       /*     an optional one that cannot be had is /dev/null. It can gain no privileges             */

  /* descriptors of the caller, by their numbers */
  OP_HOLD_FD,          /* H   u32 descriptor: the supervisor keeps it open until the sandbox's end             */
  OP_INFO_FD,          /* P   u32 descriptor, u32 form (0: one JSON object, 1: lines, the exit status at the   */
                       /*     end), u32 CLONE_NEW* of the namespaces whose numbers are told                    */
  OP_WAIT_FD,          /* PL  u32 descriptor: until it has a byte or an end                                    */
  OP_FILE_FD,          /* C   str path, u32 mode, u32 descriptor: a file with what is read from it             */
  OP_DATA_MOUNT,       /* C   str target, u32 mode, u32 descriptor, u32 mount attributes: such a file, bound;  */
                       /*     DATA_MACHINE_ID in the descriptor's place: with a new machine-id(5)              */
  OP_BIND_FD,          /* C   u32 descriptor, str target, u32 set, u32 propagation: what it stands for, bound  */
  OP_SECCOMP_FD,       /* L   u32 descriptor: a filter read from it                                            */
  OP_KEEP_FDS,         /* L   blob of u32 descriptors that the payload does not get; all others below 256      */

  /* what bwrap does beyond that */
  OP_CHMOD,            /* C   str path, u32 mode                                                               */
  OP_NEST_USERS,       /* C   slot of /proc, u32 no more below it, blob uid_map, blob gid_map: a user namespace */
                       /*     in the one that owns the mounts                                                  */
  OP_NO_USERS,         /* C   fails where a user namespace can still be made                                   */
  OP_ENVIRONMENT,      /* L   u32 inherit, list set, list unset: in place of OP_EXEC's, from the caller's       */
  OP_CWD_FIRST,        /* L   list paths: the first that is there; behind OP_ENVIRONMENT, PWD says which        */
  OP_LOCK_FILE,        /* I   str path: a read lock on it (fcntl(2)) for as long as init lives                 */

  OP_WATCH,            /* H   u32 descriptor of the caller that gets a struct watch_event for each watched call, */
                       /*     blob of struct watch_call, blob: the filter that decides, u32 WATCH_ONLY; OP_SECCOMP */
                       /*     with NEW_LISTENER then has its listener served by a child of the supervisor         */
  OP_RUN_INSIDE,       /* P   as OP_RUN, in the first process's user and network namespaces with CAP_NET_ADMIN  */
                       /*     there: nft, ip and tc for the sandbox's own network                              */
  OP_SAY,              /* H   blob: written to standard error                                                  */
  OP_DENY,             /* C   str path: as OP_MASK, but whoever obeys modes cannot open what is there          */

  /* machines */
  OP_MACHINE,          /* H   u32 MACHINE_*, list of what is said: at the start, at the end with status 0, with    */
                       /*     another (its number behind it), by a signal (likewise), powered off, rebooting, asked */
                       /*     to end; u32 signal that asks the first process to (0: it is killed)               */
  OP_LOCK_HOST,        /* H   str path, u32 exclusive: a flock(2) on it that the supervisor holds to the end       */
  OP_CGROUP_OWN,       /* H   slot, u32 uid, u32 gid: the cgroup and what is written to manage it belong to them  */
  OP_UUID_FILE,        /* C   str path, u32 mode: a file with a random UUID                                      */
  OP_REPLACE,          /* C   str path, blob, u32 REPLACE_*: a file or a symbolic link in place of what is there   */
  OP_NOTIFY,           /* C   str path: a datagram socket; what is said on it as sd_notify(3) has it, the          */
                       /*     supervisor hears                                                                  */
  OP_SETSID,           /* L   setsid(2) alone: an init opens its terminal for others                              */
  OP_UNPACK,           /* L   u32 UNPACK_*, u64 entries at most, u64 bytes at most; in OP_EXEC's place: see unpack.h     */
  OP_CONTAINER,        /* H   str folder that outlives the run: the monitor writes `exit` there at the end; u32 restart */
                       /*     (0: never, 1: after a failure, 2: always; unless there is a file `stopped`) by the plan    */
                       /*     `plan` in it, u32 how often (0: no limit), str link: removed together with the folder     */
                       /*     where it does not start again (0: both stay)                                              */
  OP_IMAGE,            /* H   slot, str file or block device, str type, blob of struct plan_image: mounts it        */
  OP_PACK,             /* L   u32 PACK_*, str file or folder, str its name in the archive (0: only what is in it); in     */
                       /*     OP_EXEC's place: see pack.h                                                              */
  OP_COUNT,
};

#define DATA_MACHINE_ID 0xffffffffu

/* OP_WATCH's flag: calls that the filter refuses are told and go on all the same. */
enum { WATCH_ONLY = 1 << 0 };

/* What a watched call's arguments are, beside numbers; a path is relative to the descriptor before it, if that is AT. */
enum { WATCH_NUMBER, WATCH_AT, WATCH_PATH, WATCH_ADDRESS, WATCH_BYTES, WATCH_MESSAGE, WATCH_FD };
struct watch_call { uint32_t nr; uint8_t kinds[6], reserved[2]; };

/* A report: the call, then struct watch_part's, each with its body behind it, up to `size`. */
struct watch_event {
  uint32_t size, pid, nr, arch; /* pid: the thread, as the supervisor sees it */
  uint64_t args[6];
  uint32_t answer;              /* the filter's, SECCOMP_RET_* */
  uint32_t inner;               /* `pid` as the innermost pid namespace counts it, or 0 */
  char name[16];
};
struct watch_part { uint16_t argument, kind; uint32_t size; };

/* WATCH_PATH's body, before two strings: the absolute path, and what was found, by its name inside. */
struct watch_path {
  int32_t error;                /* errno of looking it up inside, or 0 */
  uint32_t what, mode;          /* WATCH_FOUND_*; mode with type of what was found */
  int32_t read, write, execute; /* errno of asking for each with the payload's identity, or 0 */
};
enum { WATCH_FOUND_IT, WATCH_FOUND_LINK, WATCH_FOUND_PARENT, WATCH_FOUND_NOTHING };

/* OP_MACHINE's flags. A machine's first process is the payload; its terminal, if any, is the machine's console. */
enum {
  MACHINE_QUIET = 1 << 0,     /* nothing is said */
  MACHINE_INPUT = 1 << 1,     /* what is typed reaches the console; ^] three times within a second ends the machine */
  MACHINE_OUTPUT = 1 << 2,    /* the console is shown */
  MACHINE_REBOOTS = 1 << 3,   /* one that reboots is started again (reboot(2), in a pid namespace) */
};

/* OP_REPLACE's kinds. */
enum { REPLACE_FILE, REPLACE_LINK /* the blob is its target */, REPLACE_UNLESS_LINK /* a file, unless a link is there */, REPLACE_REMOVE };

struct plan_image { uint64_t offset, size; uint32_t readonly, reserved; }; /* bytes; a size of 0: to the end */

struct plan_socket { uint16_t family, type, port, optional; }; /* AF_INET or AF_INET6; SOCK_STREAM listens, SOCK_DGRAM */

/* OP_BIND's flags. */
enum {
  BIND_RECURSIVE = 1 << 0,
  BIND_FROM_NEW_ROOT = 1 << 1, /* the source is looked up in the new root, not the host's */
  BIND_CREATE = 1 << 2,        /* make a missing target: a folder or an empty file, as the source is */
  BIND_NOFOLLOW = 1 << 3,      /* a source that is a symbolic link is an error */
  BIND_MISSING_OK = 1 << 4,    /* a source that is missing needs no bind: a read-only path that is not there */
};

/* OP_MOUNT's and OP_FS's `create`. */
enum { CREATE_NOTHING, CREATE_DIR, CREATE_FILE, CREATE_SAME /* OP_MOUNT: a folder or a file, as the mount's root is */ };

struct plan_landlock {
  uint64_t handled_fs, handled_net, scoped;
  uint32_t rule_count, reserved;
};
struct plan_landlock_rule {
  uint64_t access;
  uint32_t type;   /* 1: path beneath, 2: port */
  uint32_t path;   /* string, looked up in the payload's root; a missing path is passed over when optional is set */
  uint64_t port;
  uint32_t optional, reserved;
};

/*
 * Records: what the launcher says on the status descriptor (--status FD) and what its processes tell each other.
 * Each is one struct record followed by `size` bytes.
 */
enum record_type {
  RECORD_CREATED = 1, /* the sandbox exists: struct record_created */
  RECORD_STARTED = 2, /* the payload's exec succeeded */
  RECORD_EXITED = 3,  /* struct record_exited */
  RECORD_FAILED = 4,  /* struct record_failed: brig could not do a step */
  RECORD_STOPPED = 5, /* the payload was stopped by a signal (i32 signal follows): job control */
  RECORD_FORKED = 6,  /* between processes: i32 pid */
  RECORD_PTY = 7,     /* between processes: a descriptor comes along */
  RECORD_GO = 8,      /* between processes: the parent's phase is done */
};
struct record { uint32_t type, size; };
struct record_created { char id[64]; int32_t pid; /* first process, as the supervisor sees it */ };
struct record_exited {
  int32_t status;    /* as waitpid(2) gives it */
  uint32_t oom_killed, timed_out, reserved;
  uint64_t wall_us, user_us, system_us, max_rss_kb; /* of the whole sandbox */
};
struct record_failed {
  uint32_t step;      /* index over all phases, or 0xffffffff: outside of any step */
  uint32_t op;
  int32_t error;      /* errno */
  uint32_t reserved;
  char operation[32]; /* the kernel's call or the check that failed: "move_mount" */
  char argument[256]; /* on what, cut */
};

#endif
