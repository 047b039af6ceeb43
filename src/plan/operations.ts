import type { Phase } from "./format.js";

/**
 * What an argument is. One word each in the step, but for the blobs and `u64`, which take two:
 * `path` a string that must be there, `string` one that may be empty (0), `list` strings (may be missing), `words`
 * strings (must be there); of the blobs, `text` is UTF-8, `bytes` raw, `ids` u32s, `capabilities` five u64,
 * `landlock` struct plan_landlock with its rules.
 */
export type ArgumentKind =
  | "slot" | "slotOrNone" | "path" | "string" | "list" | "words" | "u32" | "i32" | "u64"
  | "text" | "bytes" | "ids" | "capabilities" | "landlock";

export interface Capabilities {
  bounding: bigint;
  effective: bigint;
  permitted: bigint;
  inheritable: bigint;
  ambient: bigint;
}

/** landlock(7): what is handled is refused but for the rules. */
export interface LandlockRules {
  handledFs: bigint;
  handledNet: bigint;
  scoped: bigint;
  paths: { path: string; access: bigint; optional: boolean }[];
  ports: { port: number; access: bigint }[];
}

interface Kinds {
  slot: number;
  slotOrNone: number;
  path: string;
  string: string;
  list: readonly string[];
  words: readonly string[];
  u32: number;
  i32: number;
  u64: bigint;
  text: string;
  bytes: Uint8Array;
  ids: readonly number[];
  capabilities: Capabilities;
  landlock: LandlockRules;
}

/** How wide an argument is in the step's seven words. */
export const WIDTHS: Record<ArgumentKind, 1 | 2> = {
  slot: 1, slotOrNone: 1, path: 1, string: 1, list: 1, words: 1, u32: 1, i32: 1, u64: 2,
  text: 2, bytes: 2, ids: 2, capabilities: 2, landlock: 2,
};

/** Every operation of launcher/plan.h: number, phases (H P C L I, as there), and arguments in order. */
export const OPERATIONS = {
  OPEN: { number: 1, phases: "HC", arguments: { slot: "slot", path: "path", flags: "u32" } },
  OPEN_TREE: { number: 2, phases: "HC", arguments: { slot: "slot", path: "path", recursive: "u32", nofollow: "u32" } },
  MOUNT_ATTR: { number: 3, phases: "HC", arguments: { slot: "slot", set: "u32", clear: "u32", propagation: "u32", recursive: "u32" } },
  FS_MOUNT: { number: 4, phases: "HC", arguments: { slot: "slot", type: "path", options: "list", attributes: "u32" } },
  MKDIR_HOST: { number: 5, phases: "HC", arguments: { path: "path", mode: "u32", existOk: "u32" } },
  WRITE_HOST: { number: 6, phases: "HPC", arguments: { path: "path", content: "text", flags: "u32", mode: "u32" } },
  MOUNT_HOST: { number: 7, phases: "HC", arguments: { source: "string", target: "path", type: "string", flags: "u32", data: "string" } },
  UMOUNT_HOST: { number: 8, phases: "HC", arguments: { target: "path", flags: "u32" } },
  STATE: { number: 9, phases: "HP", arguments: { folder: "path", config: "text" } },
  NAME: { number: 10, phases: "H", arguments: { link: "path" } },
  CGROUP: { number: 11, phases: "H", arguments: { slot: "slot", parent: "path", name: "path" } },
  CGROUP_SET: { number: 12, phases: "H", arguments: { slot: "slot", file: "path", value: "path" } },
  CGROUP_ENTER: { number: 13, phases: "PC", arguments: { slot: "slot" } },
  CGROUP_OOM: { number: 14, phases: "H", arguments: { slot: "slot", file: "path" } },
  PROC_WRITE: { number: 15, phases: "P", arguments: { file: "path", content: "text" } },
  RUN: { number: 16, phases: "HP", arguments: { argv: "words", input: "text", timeoutMs: "u32" } },
  IDMAP: { number: 17, phases: "P", arguments: { slot: "slot", namespace: "slotOrNone" } },
  BIND_NAMESPACE: { number: 18, phases: "P", arguments: { name: "path", target: "path" } },
  SELF_WRITE: { number: 19, phases: "CL", arguments: { file: "path", content: "text" } },
  SETNS: { number: 20, phases: "HC", arguments: { slot: "slot", flags: "u32" } },
  UNSHARE: { number: 21, phases: "C", arguments: { flags: "u32" } },
  FORK: { number: 22, phases: "C", arguments: {} },
  LOOPBACK: { number: 23, phases: "C", arguments: {} },
  HOSTNAME: { number: 24, phases: "C", arguments: { name: "string" } },
  DOMAINNAME: { number: 25, phases: "C", arguments: { name: "string" } },
  IDS: { number: 26, phases: "CL", arguments: { uid: "u32", gid: "u32", groups: "ids", keepGroups: "u32", keepCapabilities: "u32" } },
  KEYRING: { number: 27, phases: "CL", arguments: {} },
  PROPAGATION: { number: 28, phases: "C", arguments: { flags: "u32" } },
  ROOT: { number: 29, phases: "C", arguments: { slot: "slot" } },
  ROOT_DETACH: { number: 30, phases: "C", arguments: {} },
  CHROOT: { number: 31, phases: "CL", arguments: { path: "path", skipChdir: "u32" } },
  BIND: { number: 32, phases: "C", arguments: { source: "path", target: "path", set: "u32", clear: "u32", flags: "u32", propagation: "u32" } },
  MOUNT: { number: 33, phases: "C", arguments: { slot: "slot", target: "path", create: "u32" } },
  FS: { number: 34, phases: "C", arguments: { type: "path", target: "path", options: "list", attributes: "u32", create: "u32" } },
  ATTR: { number: 35, phases: "C", arguments: { target: "path", set: "u32", clear: "u32", propagation: "u32", recursive: "u32" } },
  MASK: { number: 36, phases: "C", arguments: { path: "path" } },
  DIR: { number: 37, phases: "C", arguments: { path: "path", mode: "u32", uid: "u32", gid: "u32" } },
  FILE: { number: 38, phases: "C", arguments: { path: "path", mode: "u32", content: "text" } },
  SYMLINK: { number: 39, phases: "C", arguments: { target: "path", path: "path" } },
  NODE: { number: 40, phases: "C", arguments: { path: "path", mode: "u32", major: "u32", minor: "u32", uid: "u32", gid: "u32" } },
  SYSCTL: { number: 41, phases: "C", arguments: { name: "path", value: "path" } },
  PTY: { number: 42, phases: "HC", arguments: { mask: "u32", host: "u32" } },
  UMASK: { number: 43, phases: "CLI", arguments: { mask: "u32" } },
  CWD: { number: 44, phases: "CL", arguments: { path: "path", create: "u32" } },
  RLIMIT: { number: 45, phases: "LI", arguments: { resource: "u32", soft: "u64", hard: "u64" } },
  OOM_SCORE: { number: 46, phases: "HCL", arguments: { value: "path" } },
  NICE: { number: 47, phases: "L", arguments: { nice: "i32" } },
  SCHEDULER: { number: 48, phases: "L", arguments: { attributes: "bytes" } },
  IO_PRIORITY: { number: 49, phases: "L", arguments: { value: "u32" } },
  AFFINITY: { number: 50, phases: "L", arguments: { mask: "bytes" } },
  PERSONALITY: { number: 51, phases: "L", arguments: { value: "u32" } },
  PARENT_DEATH: { number: 52, phases: "L", arguments: { signal: "u32" } },
  SESSION: { number: 53, phases: "L", arguments: {} },
  CAPABILITIES: { number: 54, phases: "CLI", arguments: { sets: "capabilities" } },
  SECUREBITS: { number: 55, phases: "LI", arguments: { bits: "u32" } },
  NO_NEW_PRIVS: { number: 56, phases: "CLI", arguments: {} },
  LANDLOCK: { number: 57, phases: "LI", arguments: { rules: "landlock" } },
  SECCOMP: { number: 58, phases: "LI", arguments: { filter: "bytes", flags: "u32", listener: "slotOrNone" } },
  EXEC: { number: 59, phases: "L", arguments: { candidates: "words", argv: "words", environment: "list", saying: "string" } },
  KEEP_FD: { number: 60, phases: "L", arguments: { descriptor: "u32" } },
  FCHDIR: { number: 61, phases: "CL", arguments: { slot: "slot" } },
  FILE_SERVER: { number: 62, phases: "L", arguments: {} },
  JOIN: { number: 63, phases: "C", arguments: { pid: "u32", start: "path", flags: "u32", files: "list" } },
  NETWORK_START: { number: 64, phases: "C", arguments: { loopback: "u32" } },
  NETWORK_JOIN: { number: 65, phases: "C", arguments: {} },
  GO: { number: 66, phases: "P", arguments: {} },
  COMPANION: { number: 67, phases: "P", arguments: { argv: "words", input: "text", timeoutMs: "u32", sockets: "bytes", endSignal: "u32" } },
  HOLD_FD: { number: 68, phases: "H", arguments: { descriptor: "u32" } },
  INFO_FD: { number: 69, phases: "P", arguments: { descriptor: "u32", form: "u32", namespaces: "u32" } },
  WAIT_FD: { number: 70, phases: "PL", arguments: { descriptor: "u32" } },
  FILE_FD: { number: 71, phases: "C", arguments: { path: "path", mode: "u32", descriptor: "u32" } },
  DATA_MOUNT: { number: 72, phases: "C", arguments: { target: "path", mode: "u32", descriptor: "u32", attributes: "u32" } },
  BIND_FD: { number: 73, phases: "C", arguments: { descriptor: "u32", target: "path", set: "u32", propagation: "u32" } },
  SECCOMP_FD: { number: 74, phases: "L", arguments: { descriptor: "u32" } },
  KEEP_FDS: { number: 75, phases: "L", arguments: { except: "ids" } },
  CHMOD: { number: 76, phases: "C", arguments: { path: "path", mode: "u32" } },
  NEST_USERS: { number: 77, phases: "C", arguments: { proc: "slot", last: "u32", uidMap: "text", gidMap: "text" } },
  NO_USERS: { number: 78, phases: "C", arguments: {} },
  ENVIRONMENT: { number: 79, phases: "L", arguments: { inherit: "u32", set: "list", unset: "list" } },
  CWD_FIRST: { number: 80, phases: "L", arguments: { paths: "words" } },
  LOCK_FILE: { number: 81, phases: "I", arguments: { path: "path" } },
  RUN_INSIDE: { number: 83, phases: "P", arguments: { argv: "words", input: "text", timeoutMs: "u32" } },
  SAY: { number: 84, phases: "H", arguments: { text: "text" } },
  DENY: { number: 85, phases: "C", arguments: { path: "path" } },
  MACHINE: { number: 86, phases: "H", arguments: { flags: "u32", sayings: "words", signal: "u32" } },
  LOCK_HOST: { number: 87, phases: "H", arguments: { path: "path", exclusive: "u32" } },
  CGROUP_OWN: { number: 88, phases: "H", arguments: { slot: "slot", uid: "u32", gid: "u32" } },
  UUID_FILE: { number: 89, phases: "C", arguments: { path: "path", mode: "u32" } },
  REPLACE: { number: 90, phases: "C", arguments: { path: "path", content: "text", kind: "u32" } },
  NOTIFY: { number: 91, phases: "C", arguments: { path: "path" } },
  SETSID: { number: 92, phases: "L", arguments: {} },
  UNPACK: { number: 93, phases: "L", arguments: { flags: "u32", entries: "u64", bytes: "u64" } },
  PACK: { number: 96, phases: "L", arguments: { flags: "u32", path: "path", name: "string" } },
  IMAGE: { number: 95, phases: "H", arguments: { slot: "slot", path: "path", type: "path", image: "bytes" } },
  WATCH: { number: 82, phases: "H", arguments: { descriptor: "u32", calls: "bytes", filter: "bytes", flags: "u32" } },
  CONTAINER: { number: 94, phases: "H", arguments: { folder: "path", restart: "u32", retries: "u32", link: "string" } },
} as const satisfies Record<string, { number: number; phases: string; arguments: Record<string, ArgumentKind> }>;

export type OperationName = keyof typeof OPERATIONS;

type ArgumentsOf<Name extends OperationName> = {
  -readonly [Key in keyof (typeof OPERATIONS)[Name]["arguments"]]: (typeof OPERATIONS)[Name]["arguments"][Key] extends keyof Kinds
    ? Kinds[(typeof OPERATIONS)[Name]["arguments"][Key]]
    : never;
};

/** What any step may carry beside its arguments. */
export interface StepExtras {
  /** JSON pointer of the spec setting that it comes from. */
  origin?: string;
  /** A failure is passed over. */
  optional?: boolean;
  /** "%i" in its strings stands for the sandbox's id, "%p" for the first process's pid. */
  substitute?: boolean;
}

/** One kernel step: `{ op: "MASK", path: "/proc/keys" }`. */
export type Step = { [Name in OperationName]: { op: Name } & ArgumentsOf<Name> & StepExtras }[OperationName];
export type StepOf<Name extends OperationName> = Extract<Step, { op: Name }>;

/** A description without its literal types, for code that goes over any operation. */
export interface Operation {
  name: OperationName;
  number: number;
  phases: string;
  arguments: readonly (readonly [string, ArgumentKind])[];
}

const described = Object.entries(OPERATIONS).map(([name, operation]): Operation => ({
  name: name as OperationName,
  number: operation.number,
  phases: operation.phases,
  arguments: Object.entries(operation.arguments) as [string, ArgumentKind][],
}));

const byNumber: (Operation | undefined)[] = [];
const byName = new Map<string, Operation>();
for (const operation of described) {
  byNumber[operation.number] = operation;
  byName.set(operation.name, operation);
}

export function operationByNumber(number: number): Operation | undefined {
  return byNumber[number];
}

export function operationByName(name: OperationName): Operation {
  return byName.get(name) as Operation;
}

const LETTERS: Record<Phase, string> = { host: "H", parent: "P", child: "C", payload: "L", init: "I" };

export function mayStandIn(operation: Operation, phase: Phase): boolean {
  return operation.phases.includes(LETTERS[phase]);
}
