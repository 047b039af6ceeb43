import { CLONE, RUN } from "../plan/format.js";
import type { Step, StepOf } from "../plan/operations.js";
import { makeEmptyPlan, type Plan } from "../plan/plan.js";
import type { NamespaceType, Spec } from "../spec/oci.js";

/** A running sandbox, as far as a process that joins it must know it. */
export interface ExecTarget {
  /** Where each of its namespaces can be opened: "/proc/7/ns/user". See `locateNamespaces`. */
  namespaces: (name: NamespaceFile) => string;
  spec: Spec;
  /** `compilePlan` of that spec with the words to execute as `process.args`: the walls of the payload are taken from it. */
  plan: Plan;
  cgroups: readonly JoinedCgroup[];
}

/** A cgroup of the sandbox, by its absolute folder. */
export interface JoinedCgroup {
  path: string;
  version: 1 | 2;
}

export interface ExecWay {
  /** Joins as the owner of the user namespace, who has no rights before: false for who has CAP_SYS_ADMIN. */
  unprivileged: boolean;
  /** Which of descriptors 0, 1, 2 become a terminal of the sandbox's, as bits. */
  terminalMask?: number;
  /** Milliseconds; see struct plan_header. */
  timeoutMs?: number;
  graceMs?: number;
  /** In place of the program: serve box.fs, without the seccomp filter, which is there to hold what the payload executes. */
  fileServer?: boolean;
}

/** As in /proc/PID/ns; the order is that of launcher/status.h's NAMESPACE_NAMES. */
export const NAMESPACE_FILES = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] as const;
export type NamespaceFile = (typeof NAMESPACE_FILES)[number];
const NAMESPACE_FD = 64;

/**
 * The namespaces that a supervisor holds for who owns the sandbox: its init hides from everybody but the host's root.
 * @param supervisor "/proc/PID", or the path of a descriptor of that folder, which stays that process's for good
 */
export function locateNamespaces(supervisor: string): (name: NamespaceFile) => string {
  return (name) => `${supervisor}/fd/${NAMESPACE_FD + NAMESPACE_FILES.indexOf(name)}`;
}

const NAMES: Record<NamespaceType, NamespaceFile> = { user: "user", cgroup: "cgroup", ipc: "ipc", uts: "uts", network: "net", pid: "pid", time: "time", mount: "mnt" };

/** The mount namespace last, since it brings the root; the user namespace last by who has rights outside, first by who gets them there. */
const JOINED: NamespaceType[] = ["cgroup", "ipc", "uts", "network", "pid", "time", "mount"];

/**
 * A plan for one more process in a running sandbox, with the identity and the walls of its payload. A keeper stands
 * over it that adopts what it leaves, so that all of it can be ended (launcher/init.c).
 */
export function planExec(target: ExecTarget, way: ExecWay): Plan {
  const plan = makeEmptyPlan();
  enterCgroups(plan, target.cgroups);
  joinNamespaces(plan, target, way.unprivileged);
  plan.steps.child.push(...target.plan.steps.child.filter(belongsToJoiner).map(copyStep));
  if (way.terminalMask) plan.steps.child.push({ op: "PTY", mask: way.terminalMask, host: 0 });
  plan.steps.payload = listPayloadSteps(target.plan, way.fileServer ?? false);
  plan.steps.init = target.plan.steps.init.map(copyStep);
  plan.run.flags = RUN.INIT;
  plan.run.timeoutMs = way.timeoutMs ?? 0;
  plan.run.graceMs = way.graceMs ?? plan.run.graceMs;
  plan.note = { ...(target.plan.note.origins ? { origins: target.plan.note.origins } : {}) };
  return plan;
}

/** Version 1 by the process itself, as compile/cgroups.ts says why. */
function enterCgroups(plan: Plan, cgroups: readonly JoinedCgroup[]): void {
  for (const { path, version } of cgroups) {
    const slot = countSlots(plan);
    plan.steps.host.push({ op: "OPEN", slot, path, flags: O_PATH | O_DIRECTORY });
    plan.steps[version === 1 ? "child" : "parent"].push({ op: "CGROUP_ENTER", slot });
  }
}

const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;

function joinNamespaces(plan: Plan, { namespaces, spec }: ExecTarget, unprivileged: boolean): void {
  const separate = new Set(spec.linux?.namespaces?.map(({ type }) => type));
  const order: NamespaceType[] = unprivileged ? ["user", ...JOINED] : [...JOINED, "user"];
  for (const type of order.filter((each) => separate.has(each))) {
    const slot = countSlots(plan);
    plan.steps.host.push({ op: "OPEN", slot, path: namespaces(NAMES[type]), flags: 0 });
    plan.steps.child.push({ op: "SETNS", slot, flags: CLONE[type] });
  }
  if (separate.has("pid")) plan.steps.child.push({ op: "FORK" });
}

function countSlots(plan: Plan): number {
  return plan.steps.host.filter(({ op }) => op === "OPEN").length;
}

/** What the first process did to itself and not to the sandbox. */
function belongsToJoiner({ op }: Step): boolean {
  return op === "IDS" || op === "KEYRING" || op === "OOM_SCORE";
}

function listPayloadSteps(plan: Plan, fileServer: boolean): Step[] {
  const steps = plan.steps.payload.map(copyStep);
  if (!fileServer) return steps;
  return [...steps.filter(({ op }) => op !== "EXEC" && op !== "SECCOMP"), { op: "FILE_SERVER" }];
}

/** A step's place in its plan makes it another's: who asked for it is kept. */
function copyStep<S extends Step>(step: S): S {
  return { ...step };
}

/** The cgroups that a plan makes for the sandbox with this id. */
export function listCgroups(plan: Plan, id: string): JoinedCgroup[] {
  const made = plan.steps.host.filter((step): step is StepOf<"CGROUP"> => step.op === "CGROUP");
  return made.map(({ parent, name, slot }) => ({
    path: `${parent}/${name.replaceAll("%i", id).replaceAll("%%", "%")}`,
    version: slot === plan.run.cloneCgroupSlot ? 2 : 1,
  }));
}

/** Whether joining goes through the sandbox's own user namespace: it holds all the rights there are. */
export function joinsUnprivileged(capabilities: ReadonlySet<string>): boolean {
  return !capabilities.has("CAP_SYS_ADMIN");
}

export const NO_CGROUP = SLOT_NONE;
