import { join } from "node:path";
import { decodeCapabilities } from "./capabilities.js";
import { type CgroupFacts, makeCgroupReader, readCgroupFacts } from "./cgroup-facts.js";
import { type LandlockFacts, readLandlock } from "./landlock.js";
import { readLazily } from "./lazily.js";
import { readNumber, readText, readWord } from "./read-text.js";
import { parseStatusFields } from "./status-fields.js";
import { findUserName, type IdRange, parseSubordinateIds } from "./subordinate-ids.js";
import { isTerminal } from "./terminals.js";
import { findTool } from "./tools.js";
import { findUserNamespaceBlock, type UserNamespaceBlock } from "./user-namespaces.js";

/** What this host offers the caller. Each fact is read when first asked for, then kept. */
export interface HostFacts {
  readonly euid: number;
  readonly egid: number;
  /** Supplementary groups, sorted. */
  readonly groups: readonly number[];
  /** The user's name in /etc/passwd. */
  readonly userName: string | undefined;
  readonly kernel: readonly [major: number, minor: number];
  /** Whether the caller can make and use a new user namespace, as far as that can be read. */
  readonly userNamespaces: boolean;
  readonly userNamespaceBlock: UserNamespaceBlock | undefined;
  /** 0: none. */
  readonly landlockAbi: number;
  readonly landlock: LandlockFacts;
  readonly cgroup: CgroupFacts;
  /** The highest capability that the kernel knows. */
  readonly capLast: number;
  /** Effective capabilities of this process, "CAP_SYS_ADMIN". */
  readonly capabilities: ReadonlySet<string>;
  readonly subuid: readonly IdRange[];
  readonly subgid: readonly IdRange[];
  /** "allow", "errno", "user_notif", … (seccomp(2)); empty without seccomp filters. */
  readonly seccompActions: ReadonlySet<string>;
  readonly kernelLockdown: "none" | "integrity" | "confidentiality";
  /** A bit for each of descriptors 0, 1, 2 that is a terminal. */
  readonly terminals: number;
  /** The path of a program of the host. */
  hasTool(name: string): string | undefined;
}

/** The facts of this host, or of a tree of recorded files below `root`. Starts no process. */
export function readHostFacts(root = "/", env: NodeJS.ProcessEnv = process.env): HostFacts {
  const at = (path: string): string => join(root, path);
  const facts: HostFacts = readLazily<HostFacts>({
    euid: () => process.geteuid?.() ?? -1,
    egid: () => process.getegid?.() ?? -1,
    groups: () => (process.getgroups?.() ?? []).sort((a, b) => a - b),
    userName: () => findUserName(readText(at("etc/passwd")) ?? "", facts.euid),
    kernel: () => parseKernelVersion(readWord(at("proc/sys/kernel/osrelease")) ?? ""),
    userNamespaces: () => facts.userNamespaceBlock === undefined,
    userNamespaceBlock: () => findUserNamespaceBlock(root, facts.capabilities.has("CAP_SYS_ADMIN")),
    landlockAbi: () => facts.landlock.abi,
    landlock: () => readLandlock(root, facts.kernel, env),
    cgroup: () => readCgroupFacts(makeCgroupReader(root)),
    capLast: () => readNumber(at("proc/sys/kernel/cap_last_cap")) ?? 40,
    capabilities: () => readCapabilities(at("proc/self/status")),
    subuid: () => readRanges(at("etc/subuid"), facts),
    subgid: () => readRanges(at("etc/subgid"), facts),
    seccompActions: () => new Set(readWord(at("proc/sys/kernel/seccomp/actions_avail"))?.split(" ") ?? []),
    kernelLockdown: () => readLockdown(at("sys/kernel/security/lockdown")),
    terminals: () => [0, 1, 2].reduce((bits, fd) => (isTerminal(fd) ? bits | (1 << fd) : bits), 0),
    hasTool: () => (name) => findTool(name, env["PATH"], root),
  });
  return facts;
}

/** "6.1.0-18-amd64" is [6, 1]; what is no version is [0, 0]. */
export function parseKernelVersion(release: string): [major: number, minor: number] {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

function readCapabilities(path: string): ReadonlySet<string> {
  return new Set(decodeCapabilities(parseStatusFields(readText(path) ?? "").get("CapEff") ?? ""));
}

/** Ranges stand under the user in both files, subgid(5) too. */
function readRanges(path: string, facts: HostFacts): IdRange[] {
  return parseSubordinateIds(readText(path) ?? "", { name: facts.userName, uid: facts.euid });
}

/** "none [integrity] confidentiality": the active one is bracketed (kernel_lockdown(7)). */
function readLockdown(path: string): HostFacts["kernelLockdown"] {
  const mode = /\[(\w+)\]/.exec(readWord(path) ?? "")?.[1];
  return mode === "integrity" || mode === "confidentiality" ? mode : "none";
}
