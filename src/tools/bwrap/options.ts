/** One operation on the new root, in the order of the words; `text` is what asked for it. */
export type RootOperation = { text: string } & (
  | { kind: "bind"; access: "write" | "read" | "device"; source: string; dest: string; optional: boolean }
  | { kind: "bind-fd"; access: "write" | "read"; fd: number; dest: string }
  | { kind: "overlay"; lower: string[]; upper: "none" | "tmpfs" | { upper: string; work: string }; dest: string }
  | { kind: "tmpfs"; dest: string; perms?: number; size?: bigint }
  | { kind: "proc" | "dev" | "mqueue" | "remount-ro"; dest: string }
  | { kind: "dir"; dest: string; perms?: number }
  | { kind: "file"; fd: number; dest: string; perms?: number }
  | { kind: "data"; access: "write" | "read"; fd: number; dest: string; perms?: number }
  | { kind: "symlink"; target: string; dest: string }
  | { kind: "chmod"; dest: string; perms: number }
);

/** A word for the environment, in order. */
export type EnvironmentOperation = { kind: "clear" } | { kind: "set"; name: string; value: string } | { kind: "unset"; name: string };

/** Capabilities by name, or "ALL", in order. */
export interface CapabilityOperation {
  add: boolean;
  name: string;
}

export type UnsharedType = "user" | "ipc" | "pid" | "network" | "uts" | "cgroup";

/** What bwrap was asked for. Descriptors are the caller's, by number. */
export interface BwrapOptions {
  operations: RootOperation[];
  environment: EnvironmentOperation[];
  capabilities: CapabilityOperation[];
  /** New namespaces with the words that asked for them. */
  unshare: Map<UnsharedType, string>;
  /** New where that is possible. */
  userTry?: string;
  cgroupTry?: string;
  userns?: number;
  userns2?: number;
  pidns?: number;
  disableUserns: boolean;
  assertUsernsDisabled: boolean;
  uid?: number;
  gid?: number;
  hostname?: string;
  chdir?: string;
  argv0?: string;
  locks: string[];
  syncFd?: number;
  blockFd?: number;
  usernsBlockFd?: number;
  infoFd?: number;
  jsonStatusFd?: number;
  seccomp: number[];
  newSession: boolean;
  dieWithParent: boolean;
  asPid1: boolean;
  levelPrefix: boolean;
  /** Descriptors from which words were read. */
  argsFds: number[];
  warnings: string[];
  command: string[];
}

export const EXIT_FAILURE = 1;
