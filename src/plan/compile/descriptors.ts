import { CLONE } from "../format.js";
import { addStep, type Context } from "./context.js";
import { isNew } from "./namespaces.js";

const POINTER = "/annotations/dev.brig.descriptors";
const TOLD = ["cgroup", "ipc", "mount", "network", "pid", "uts"] as const;

/** What is held and told while the first process waits, and what that waits for. */
export function compileTelling(context: Context): void {
  const { hold = [], info, status, waitForMaps } = context.extension.descriptors ?? {};
  const namespaces = TOLD.reduce((flags, type) => flags + (isNew(context, type) ? CLONE[type] : 0), 0);
  const { says = [] } = context.extension;
  if (says.length > 0) addStep(context, "host", { op: "SAY", text: says.map((line) => `${line}\n`).join("") }, "/annotations/dev.brig.says");
  for (const descriptor of [...hold, ...(status === undefined ? [] : [status])]) addStep(context, "host", { op: "HOLD_FD", descriptor }, `${POINTER}/hold`);
  if (info !== undefined) addStep(context, "parent", { op: "INFO_FD", descriptor: info, form: 0, namespaces }, `${POINTER}/info`);
  if (status !== undefined) addStep(context, "parent", { op: "INFO_FD", descriptor: status, form: 1, namespaces }, `${POINTER}/status`);
  if (waitForMaps !== undefined) addStep(context, "parent", { op: "WAIT_FD", descriptor: waitForMaps }, `${POINTER}/waitForMaps`);
}

export function compileWait(context: Context): void {
  const descriptor = context.extension.descriptors?.waitFor;
  if (descriptor !== undefined) addStep(context, "payload", { op: "WAIT_FD", descriptor }, `${POINTER}/waitFor`);
}

/** Before the working folder, which sets PWD in it. */
export function compileEnvironment({ extension, spec, plan }: Context): void {
  if (!extension.environment) return;
  plan.steps.payload.push({ op: "ENVIRONMENT", inherit: extension.environment.inherit ? 1 : 0, set: spec.process?.env ?? [], unset: extension.environment.unset, origin: "/process/env" });
}

/** Last: a filter may refuse anything but the exec. */
export function compileHandedOn(context: Context): void {
  const { passAllBut, seccomp = [] } = context.extension.descriptors ?? {};
  if (passAllBut) addStep(context, "payload", { op: "KEEP_FDS", except: passAllBut }, `${POINTER}/passAllBut`);
  seccomp.forEach((descriptor, index) => addStep(context, "payload", { op: "SECCOMP_FD", descriptor }, `${POINTER}/seccomp/${index}`));
}

export function compileLocks(context: Context): void {
  context.extension.locks?.forEach((path, index) => addStep(context, "init", { op: "LOCK_FILE", path }, `/annotations/dev.brig.locks/${index}`));
}
