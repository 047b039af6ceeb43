/** The numbers of the plan format. `launcher/plan.h` is the source; a test holds the two together. */

export const PLAN_MAGIC = "brigplan";
export const PLAN_VERSION = 1;
/** Bytes that stand before an executable plan: "#!LAUNCHER --plan\n", padded with spaces. */
export const PLAN_PREFIX = 512;
export const PLAN_MAX_SIZE = 16 << 20;
export const SLOT_COUNT = 512;
export const SLOT_NONE = 0xffffffff;

/** In the order in which their steps stand in a plan. */
export const PHASES = ["host", "parent", "child", "payload", "init"] as const;
export type Phase = (typeof PHASES)[number];

export const RUN = {
  IN_PLACE: 1 << 0,
  INIT: 1 << 1,
  DETACH: 1 << 2,
  DIE_WITH_PARENT: 1 << 3,
  NO_PAYLOAD: 1 << 4,
  KEEP_STATE: 1 << 5,
  PLAIN_TTY: 1 << 6,
  PRINT_ID: 1 << 7,
  OPEN_STDIN: 1 << 8,
  OUTLAST: 1 << 9,
  FIRST_STATUS: 1 << 10,
  ATTACHED: 1 << 11,
} as const;

/** Where exit statuses stand in the flags: of a step's failure, and of a program that cannot be executed. */
export const RUN_FAILURE_SHIFT = 16;
export const RUN_EXEC_FAILURE_SHIFT = 24;

export const STEP_OPTIONAL = 1 << 0;
export const STEP_ID = 1 << 1;

export const BIND = { RECURSIVE: 1 << 0, FROM_NEW_ROOT: 1 << 1, CREATE: 1 << 2, NOFOLLOW: 1 << 3, MISSING_OK: 1 << 4 } as const;
export const CREATE = { NOTHING: 0, DIR: 1, FILE: 2, SAME: 3 } as const;

/** In a descriptor's place in DATA_MOUNT: a new machine-id. */
export const DATA_MACHINE_ID = 0xffffffff;

export const WITNESS = { FILE: 1, ENV: 2, WORDS: 3, CWD: 4, IDS: 5, TTY: 6, ACCESS: 7, STAT: 8, LSTAT: 9, LINK: 10, REAL: 11, NAMES: 12, CONTENT: 13, TEXT: 14, CAPS: 15, ABSENT: 16 } as const;
export const MACHINE = { QUIET: 1 << 0, INPUT: 1 << 1, OUTPUT: 1 << 2, REBOOTS: 1 << 3 } as const;
export const REPLACE = { FILE: 0, LINK: 1, UNLESS_LINK: 2, REMOVE: 3 } as const;


/** Byte offsets in struct plan_header. */
export const HEADER = {
  magic: 0,
  version: 8,
  size: 12,
  checksum: 16,
  build: 24,
  steps: 32,
  witness_count: 52,
  data_size: 56,
  note_size: 60,
  run_flags: 64,
  clone_cgroup_slot: 68,
  clone_flags: 72,
  timeout_ms: 80,
  grace_ms: 88,
  stop_signal: 92,
  log: 96,
  log_max_bytes: 100,
  id: 104,
  detach_keys: 108,
} as const;
export const HEADER_SIZE = 112;
export const STEP_SIZE = 32;
export const STEP_WORDS = 7;

/** Byte offsets in struct plan_witness. */
export const WITNESS_FIELDS = { kind: 0, path: 4, value: 8, mode: 12, dev: 16, ino: 24, size: 32, mtime_ns: 40, ctime_ns: 48 } as const;
export const WITNESS_SIZE = 56;

/** Byte offsets in struct plan_landlock and struct plan_landlock_rule. */
export const LANDLOCK_FIELDS = { handled_fs: 0, handled_net: 8, scoped: 16, rule_count: 24 } as const;
export const LANDLOCK_SIZE = 32;
export const LANDLOCK_RULE_FIELDS = { access: 0, type: 8, path: 12, port: 16, optional: 24 } as const;
export const LANDLOCK_RULE_SIZE = 32;

/** struct record_failed, as the launcher writes it when a step failed. */
export const FAILED_FIELDS = { step: 0, op: 4, error: 8, operation: 16, argument: 48 } as const;
export const FAILED_SIZE = 304;

/** linux/mount.h */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  ATIME: 0x70,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  NODIRATIME: 0x80,
  NOSYMFOLLOW: 0x200000,
} as const;

/** MS_* of mount(2), as far as propagation needs them. */
export const MS = { REC: 0x4000, UNBINDABLE: 1 << 17, PRIVATE: 1 << 18, SLAVE: 1 << 19, SHARED: 1 << 20 } as const;

/** linux/sched.h, by the name that OCI gives the namespace. */
export const CLONE = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;
