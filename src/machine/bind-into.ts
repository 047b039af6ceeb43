import { statSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import type { HostFacts } from "../host/facts.js";
import { CREATE, MOUNT_ATTR, RUN } from "../plan/format.js";
import { makeEmptyPlan, type Plan } from "../plan/plan.js";
import { planJoin } from "../sandbox/join.js";
import { readNamespace } from "../sandbox/process.js";
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

/**
 * Mounts a file or folder of the host in a running machine: its mount is cloned here and moved there, where the target
 * is looked up within the machine's own root.
 * @throws BrigError BRIG_CANNOT_BIND
 */
export function planBind({ sandbox, leader }: Machine, { source, target, readonly, make }: BindWish, host: HostFacts): Plan {
  const stat = statSync(source, { throwIfNoEntry: false });
  if (!stat) throw refuse(`Source file ${source} does not exist`, "it is a path on the host");
  if (leader && readNamespace(leader.pid, "user") !== readNamespace("self", "user"))
    throw refuse("Can't bind mount on container with user namespacing applied", "--bind= when it is started maps the owners");
  if (!host.capabilities.has("CAP_SYS_ADMIN")) throw refuse("Operation not permitted", "it takes root");
  const plan = makeEmptyPlan();
  const slot = 0;
  plan.steps.host.push({ op: "OPEN_TREE", slot, path: source, recursive: 0, nofollow: 0 });
  if (readonly) plan.steps.host.push({ op: "MOUNT_ATTR", slot, set: MOUNT_ATTR.RDONLY, clear: 0, propagation: 0, recursive: 0 });
  plan.steps.child.push(planJoin(sandbox).step);
  plan.steps.child.push({ op: "MOUNT", slot, target, create: make ? CREATE.SAME : CREATE.NOTHING });
  plan.run.flags |= RUN.IN_PLACE;
  return plan;
}

function refuse(message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_CANNOT_BIND", exitCode: 1, hint });
}
