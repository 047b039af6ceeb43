import { spawnSync } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { describeErrno } from "../error/errno.js";
import type { HostFacts } from "../host/facts.js";
import { findLauncher } from "../launch/find-launcher.js";
import { holdPlan } from "../launch/run-plan.js";
import { encodePlan } from "../plan/encode.js";
import { CLONE, CREATE, MOUNT_ATTR, RUN } from "../plan/format.js";
import { makeEmptyPlan, type Plan } from "../plan/plan.js";
import { isAlive, readNamespace } from "../sandbox/process.js";
import type { Machine } from "./find.js";

export interface BindWish {
  /** Absolute, on the host. */
  source: string;
  /** Absolute, in the machine. */
  target: string;
  readonly: boolean;
  /** Make the target where it is missing. */
  make: boolean;
}

/** The descriptor behind the plan's: the machine's mount namespace. */
const NAMESPACE = "/proc/self/fd/4";

/**
 * Mounts a file or folder of the host in a running machine: its mount is cloned here and moved there, where the target
 * is looked up within the machine's own mounts.
 * @throws BrigError BRIG_CANNOT_BIND
 */
export async function bindInto(machine: Machine, wish: BindWish, host: HostFacts): Promise<void> {
  const { leader } = machine;
  if (!leader) throw refuse(`machine ${machine.name} is just being started`, "try again");
  check(leader.pid, wish, host);
  const namespace = openSync(`/proc/${leader.pid}/ns/mnt`, "r");
  try {
    // its number could have been another process's by now
    if (!isAlive(leader)) throw refuse(`machine ${machine.name} has ended`, "brig machinectl lists those that run");
    const { status, stderr } = await holdPlan(encodePlan(planBind(wish)), async (plan) => spawnSync(findLauncher(), ["--plan-fd", "3"], { encoding: "utf8", stdio: ["ignore", "ignore", "pipe", plan, namespace] }));
    if (status !== 0) throw refuse(readComplaint(stderr), `${wish.target} is meant in the machine; --mkdir makes what is missing`);
  } finally {
    closeSync(namespace);
  }
}

function check(leader: number, { source }: BindWish, host: HostFacts): void {
  if (!statSync(source, { throwIfNoEntry: false })) throw refuse(`Source file ${source} does not exist`, "it is a path on the host");
  if (!host.capabilities.has("CAP_SYS_ADMIN")) throw refuse("Operation not permitted", "it takes root");
  if (readNamespace(leader, "user") !== readNamespace("self", "user"))
    throw refuse("Can't bind mount on container with user namespacing applied", "--bind= when it is started maps the owners");
}

function planBind({ source, target, readonly, make }: BindWish): Plan {
  const plan = makeEmptyPlan();
  const [tree, namespace] = [0, 1];
  plan.steps.host.push({ op: "OPEN_TREE", slot: tree, path: source, recursive: 0, nofollow: 0 });
  if (readonly) plan.steps.host.push({ op: "MOUNT_ATTR", slot: tree, set: MOUNT_ATTR.RDONLY, clear: 0, propagation: 0, recursive: 0 });
  plan.steps.host.push({ op: "OPEN", slot: namespace, path: NAMESPACE, flags: 0 });
  plan.steps.child.push({ op: "SETNS", slot: namespace, flags: CLONE.mount });
  plan.steps.child.push({ op: "MOUNT", slot: tree, target, create: make ? CREATE.SAME : CREATE.NOTHING });
  plan.run.flags |= RUN.IN_PLACE;
  return plan;
}

/** In the machine's mounts there is no Node that could word it: "brig: open /x: errno 2 (step 2, operation 33)". */
function readComplaint(stderr: string): string {
  const [, , errno] = /^brig: (.*): errno (\d+) /m.exec(stderr) ?? [];
  return errno === undefined ? (stderr.trim().split("\n")[0] ?? "") : describeErrno(Number(errno));
}

function refuse(message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_CANNOT_BIND", exitCode: 1, hint });
}
