import { existsSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import type { HostFacts } from "../host/facts.js";
import { parseCgroupPaths } from "../host/cgroup-facts.js";
import { readText } from "../host/read-text.js";
import { addStep, type Context } from "../plan/compile/context.js";
import { compileFirstProcess, compilePayload } from "../plan/compile/payload.js";
import { compileRun } from "../plan/compile/state.js";
import { findTerminalMask } from "../plan/compile/terminal.js";
import type { Namespaces } from "../plan/compile/namespaces.js";
import type { Step, StepOf } from "../plan/operations.js";
import { makeEmptyPlan, type Plan } from "../plan/plan.js";
import { CAPABILITY_NAMES } from "../host/capabilities.js";
import type { Extension } from "../spec/extension.js";
import { writeExtension } from "../spec/extension.js";
import type { SandboxRecord } from "../spec/record.js";
import type { NamespaceType, Spec } from "../spec/oci.js";
import { type Joining, planJoin } from "./join.js";
import { listOwnCgroups, type Sandbox } from "./sandbox.js";

/** One more command in a running sandbox. */
export interface ExecOptions {
  /** Program and arguments; the program is looked for in the sandbox's PATH. */
  command: readonly string[];
  /** "NAME=VALUE", on top of the sandbox's own. */
  env?: readonly string[];
  /** Absolute, inside; the sandbox's own working folder without it. */
  cwd?: string;
  /** The sandbox's own user without it. */
  user?: { uid: number; gid: number };
  /** Its other groups; with a user of its own, none without it. */
  groups?: readonly number[];
  /** A terminal of its own: "auto" where the caller's descriptors are one. */
  terminal?: "auto" | "always" | "never";
  /** All capabilities that the sandbox's user namespace has, and no filters. The namespaces stay. */
  privileged?: boolean;
  /** Goes on without the caller, its output dropped. */
  detach?: boolean;
  timeoutMs?: number;
  /** A process of brig's stands over the command and adopts what it leaves, so that all of it can be ended with it. */
  keeper?: boolean;
}

const O_PATH_DIRECTORY = 0o10000000 | 0o200000;

/**
 * A plan that joins a running sandbox and executes a command with its identity, limits and walls: they are compiled
 * anew from its record. The process is of the sandbox's cgroups and namespaces, and dies with the sandbox; what it
 * leaves in the background is adopted by the sandbox's first process.
 *
 * @throws BrigError BRIG_NOT_RUNNING, BRIG_PAUSED, BRIG_CANNOT_JOIN, and errors of the compiler
 */
export function planCommand(sandbox: Sandbox, options: ExecOptions, host: HostFacts): Plan {
  const record = checkRunning(sandbox);
  const joining = planJoin(sandbox);
  const spec = deriveSpec(sandbox, record, options, host, joining.joined);
  const context = makeContext(spec, host, joining.joined);
  enterCgroups(context, sandbox);
  compileFirstProcess(context);
  compilePayload(context);
  placeIdentity(context, joining);
  compileTerminal(context, record);
  insertLimits(context.plan.steps.payload, record);
  compileRun(context);
  context.plan.note.origins = context.extension.origins ?? {};
  return context.plan;
}

function checkRunning({ id, state, record }: Sandbox): SandboxRecord {
  if (state === "paused") throw new BrigError(`sandbox ${id} is paused`, { code: "BRIG_PAUSED", hint: `brig unpause ${id}` });
  if (state === "running" && record) return record;
  throw new BrigError(`sandbox ${id} is not running`, { code: "BRIG_NOT_RUNNING", hint: "brig ps lists what runs" });
}

/** The record's spec with another command, and without what has been done once for the whole sandbox. */
function deriveSpec(sandbox: Sandbox, { spec }: SandboxRecord, options: ExecOptions, host: HostFacts, joined: ReadonlySet<NamespaceType>): Spec {
  const own = spec.process ?? { cwd: "/" };
  const { seccomp, personality } = spec.linux ?? {};
  const kept = seccomp && !options.privileged ? { seccomp } : {};
  const derived: Spec = {
    ociVersion: spec.ociVersion,
    process: {
      ...own,
      args: [...options.command],
      env: mergeEnvironment(own.env ?? [], options),
      cwd: options.cwd ?? own.cwd,
      user: { ...own.user, ...(options.user ?? own.user ?? { uid: 0, gid: 0 }) },
      rlimits: [],
      ...(options.privileged ? { capabilities: listAllCapabilities(host), noNewPrivileges: false } : {}),
    },
    linux: { ...kept, ...(personality ? { personality } : {}) },
  };
  if (options.user && derived.process?.user) derived.process.user.additionalGids = [...(options.groups ?? [])];
  return writeExtension(derived, deriveExtension(sandbox, options, joined));
}

function mergeEnvironment(own: readonly string[], { env = [], terminal }: ExecOptions): string[] {
  const merged = new Map<string, string>();
  const put = (text: string): void => void merged.set(text.split("=", 1)[0]!, text);
  const term = process.env["TERM"];
  if (terminal !== "never" && term !== undefined) put(`TERM=${term}`);
  for (const text of [...own, ...env]) put(text);
  return [...merged.values()];
}

function listAllCapabilities(host: HostFacts): Record<"bounding" | "effective" | "permitted" | "inheritable" | "ambient", string[]> {
  const all = CAPABILITY_NAMES.slice(0, host.capLast + 1);
  // ambient too: who is not root inside would lose the others at the exec (capabilities(7))
  return { bounding: all, effective: all, permitted: all, inheritable: all, ambient: all };
}

function deriveExtension({ folder, extension }: Sandbox, options: ExecOptions, joined: ReadonlySet<NamespaceType>): Extension {
  const { landlock, keyring, securebits, environment } = extension;
  // the namespaces keep these inside already; a second domain of Landlock would part the command from the payload
  const scopes = (landlock?.scopes ?? []).filter((scope) => !joined.has(scope === "signal" ? "pid" : "network"));
  return {
    ...(landlock && !options.privileged ? { landlock: { ...landlock, scopes } } : {}),
    ...(keyring ? { keyring } : {}),
    ...(environment ? { environment } : {}),
    ...(securebits === undefined || options.privileged ? {} : { securebits }),
    terminal: options.detach ? "never" : (options.terminal ?? "auto"),
    dieWithParent: !options.detach,
    ...(options.detach ? { detach: true } : {}),
    ...(options.keeper ? { init: true } : {}),
    ...(options.timeoutMs === undefined ? {} : { timeout: { ms: options.timeoutMs } }),
    origins: { "": { kind: "config", text: "", file: `${folder}/config.json` }, "/process/args": { kind: "flag", text: "brig exec" }, "/process/cwd": { kind: "flag", text: "the working folder" } },
  };
}

function makeContext(spec: Spec, host: HostFacts, joined: ReadonlySet<NamespaceType>): Context {
  const namespaces = Object.fromEntries(
    (["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"] as const).map((type) => [type, joined.has(type) ? { path: "", pointer: "" } : "host"]),
  ) as Namespaces;
  // no init: the sandbox has one; no keys to detach: nobody could find it again
  return { spec, extension: readBack(spec), host, options: { detachKeys: "" }, plan: makeEmptyPlan(), namespaces, identity: { map: "none", uids: [], gids: [] }, inPlace: false, slots: 0 };
}

function readBack(spec: Spec): Extension {
  return Object.fromEntries(Object.entries(spec.annotations ?? {}).map(([name, value]) => [name.slice("dev.brig.".length), JSON.parse(value)]));
}

/** Version 1 by the process itself, version 2 at its birth; both before it joins anything. */
function enterCgroups(context: Context, sandbox: Sandbox): void {
  for (const path of listOwnCgroups(sandbox)) {
    const slot = context.slots++;
    const { steps, run } = context.plan;
    steps.host.push({ op: "OPEN", slot, path: findDelegated(context, sandbox, path), flags: O_PATH_DIRECTORY });
    if (existsSync(`${path}/cgroup.controllers`)) run.cloneCgroupSlot = slot;
    else steps.child.push({ op: "CGROUP_ENTER", slot });
  }
}

/** In a cgroup whose children have controllers no process may be: who manages a machine's has one of its own for itself. */
function findDelegated({ host }: Context, { extension, first }: Sandbox, path: string): string {
  const { unified } = host.cgroup;
  if (!extension.machine?.delegate || !first || !unified) return path;
  const own = parseCgroupPaths(readText(`/proc/${first.pid}/cgroup`) ?? "").get("");
  const folder = `${unified.mount}${own ?? ""}`;
  return folder.startsWith(`${path}/`) && !folder.includes("/../") ? folder : path;
}

/**
 * Joining, then the identity, then the fork into the pid namespace: what can be seen from inside has no rights left of
 * the caller's, and changes its identity no more, which could make it dumpable again.
 */
function placeIdentity({ plan, host }: Context, { step, joined, target }: Joining): void {
  const { child, payload } = plan.steps;
  const index = payload.findIndex(({ op }) => op === "IDS");
  const [ids] = index < 0 ? [] : (payload.splice(index, 1) as StepOf<"IDS">[]);
  const denied = joined.has("user") && (readText(`/proc/${target.pid}/setgroups`) ?? "").startsWith("deny");
  if (denied && host.capabilities.has("CAP_SETGID"))
    child.push({ op: "IDS", uid: host.euid, gid: host.egid, groups: [], keepGroups: 0, keepCapabilities: 0 });
  child.push(step);
  if (ids) child.push({ ...ids, keepGroups: ids.groups.length === 0 && (denied || ids.keepGroups) ? 1 : 0 });
  if (joined.has("pid")) child.push({ op: "FORK" });
}

/** Of the sandbox's own devpts where it has one, as the payload's, so that ttyname(3) works. */
function compileTerminal(context: Context, { spec }: SandboxRecord): void {
  const mask = findTerminalMask(context);
  if (mask === 0) return;
  const own = spec.mounts?.some(({ destination, type }) => destination === "/dev/pts" && type === "devpts") ?? false;
  addStep(context, own ? "child" : "host", { op: "PTY", mask, host: own ? 0 : 1 });
}

/** As the payload got them, whatever this command's caller could limit. */
function insertLimits(payload: Step[], { rlimits }: SandboxRecord): void {
  const steps = rlimits.map(({ resource, soft, hard }): Step => ({ op: "RLIMIT", resource, soft: BigInt(soft), hard: BigInt(hard) }));
  payload.splice(payload.findIndex(({ op }) => op === "SESSION") + 1, 0, ...steps);
}
