import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import type { Capabilities } from "../operations.js";
import { addStep, type Context, leaveOut, refuse } from "./context.js";
import { findCurrentIds } from "./identity.js";
import { isNew } from "./namespaces.js";

const ALL = (1n << 64n) - 1n;
const CAP_KILL = 1n << 5n;
const POINTER = "/process/capabilities";

/** Whether the payload's capabilities are set: always, but for a tool that says nothing of them. */
export function setsCapabilities(context: Context): boolean {
  return context.spec.process?.capabilities !== undefined || (!context.extension.stateless && !context.extension.inPlace);
}

/** The payload's five sets; without `process.capabilities` they are empty. */
export function compileCapabilities(context: Context): void {
  if (!setsCapabilities(context)) return;
  const { bounding, effective, permitted, inheritable, ambient } = context.spec.process?.capabilities ?? {};
  const encode = (names: string[] | undefined): bigint => encodeSet(context, names ?? []);
  const sets = { bounding: encode(bounding), effective: encode(effective), permitted: encode(permitted), inheritable: encode(inheritable), ambient: encode(ambient) };
  const phase = restrictsEarly(context) ? "child" : "payload";
  addStep(context, phase, { op: "CAPABILITIES", sets: adaptBounding(context, adaptAmbient(context, sets)) }, POINTER);
}

/**
 * Whether init and payload end up with the same: no capability, and no way to any. Then both are restricted at once,
 * before they part. Not without a new user namespace, where limits may still have to be raised.
 */
export function restrictsEarly(context: Context): boolean {
  const { spec, extension } = context;
  const { user, noNewPrivileges, capabilities = {} } = spec.process ?? {};
  const current = findCurrentIds(context);
  const same = (user === undefined || (user.uid === current?.uid && user.gid === current.gid && !user.additionalGids?.length)) && current !== undefined;
  const none = setsCapabilities(context) && Object.values(capabilities).every((set: string[]) => set.length === 0);
  return same && none && noNewPrivileges === true && extension.init === true && !context.inPlace && isNew(context, "user") && extension.securebits === undefined;
}

/**
 * The kernel holds a capability in the ambient set only while it is permitted and inheritable (capabilities(7)); the
 * config.json that `runc spec` writes asks for more, which has no effect with any runtime.
 */
function adaptAmbient(context: Context, sets: Capabilities): Capabilities {
  const ambient = sets.ambient & sets.permitted & sets.inheritable;
  if (ambient !== sets.ambient) leaveOut(context, "ambient capabilities that are not both permitted and inheritable: there is no such thing");
  return { ...sets, ambient };
}

/**
 * Dropping from the bounding set takes CAP_SETPCAP. Who lacks it and has no new user namespace keeps his set, which is
 * harmless as long as no program can gain from it: with no_new_privs.
 */
function adaptBounding(context: Context, sets: Capabilities): Capabilities {
  const { host, spec } = context;
  if (context.namespaces.user !== "host" || host.capabilities.has("CAP_SETPCAP")) return sets;
  if (spec.process?.noNewPrivileges) {
    leaveOut(context, "the capability bounding set stays as it is: it takes CAP_SETPCAP to drop from it (no_new_privs keeps it from being used)");
    return { ...sets, bounding: ALL };
  }
  throw refuse(context.extension, POINTER, "BRIG_CANNOT_DROP_CAPABILITIES", "the capability bounding set cannot be dropped without CAP_SETPCAP", "give the sandbox a user namespace, or set process.noNewPrivileges");
}

function encodeSet(context: Context, names: string[]): bigint {
  let set = 0n;
  for (const name of names) {
    const number = CAPABILITY_NAMES.indexOf(name);
    if (number < 0 || number > context.host.capLast)
      throw refuse(context.extension, POINTER, "BRIG_CANNOT_CAPABILITY", number < 0 ? `there is no capability ${name}` : `this kernel has no ${name}`, "see capabilities(7)");
    set |= 1n << BigInt(number);
  }
  return set;
}

/** Init executes nothing, so that its bounding set does not matter; it needs CAP_KILL to signal another user. */
export function compileInitRestrictions(context: Context): void {
  if (restrictsEarly(context)) return;
  const user = context.spec.process?.user?.uid;
  const current = findCurrentIds(context)?.uid;
  const other = user !== undefined && user !== current;
  const keep = other ? CAP_KILL : 0n;
  if (context.namespaces.user !== "host" || context.host.capabilities.size > 0)
    addStep(context, "init", { op: "CAPABILITIES", sets: { bounding: ALL, effective: keep, permitted: keep, inheritable: 0n, ambient: 0n } }, POINTER);
  addStep(context, "init", { op: "NO_NEW_PRIVS" });
}
