import { BrigError } from "../../error/brig-error.js";
import type { HostFacts } from "../../host/facts.js";
import type { Extension, Origin } from "../../spec/extension.js";
import type { Spec } from "../../spec/oci.js";
import { describeOrigin, findOrigin } from "../../spec/origin.js";
import { type Phase, SLOT_COUNT } from "../format.js";
import type { Step } from "../operations.js";
import type { Plan, Witness } from "../plan.js";
import type { Identity } from "./identity.js";
import type { Namespaces } from "./namespaces.js";

/** What the caller of `compilePlan` decides beside the spec. */
export interface CompileOptions {
  /** The folder of sandboxes; without it the sandbox leaves no state there. */
  runFolder?: string;
  /** The sandbox's id; without it the launcher draws one. */
  id?: string;
  /** The command line that is compiled, behind the command's name; with it the plan can be cached. */
  words?: string[];
  /** The caller's working folder. */
  cwd?: string;
  /** Leave the state folder when the payload ends. */
  keepState?: boolean;
  /** With a detached sandbox: write the id to standard output; keep standard input open for attach. */
  printId?: boolean;
  openStdin?: boolean;
  /** Raw bytes typed to detach from a terminal; "" for none. */
  detachKeys?: string;
  /** 16 hex digits naming launcher and compiler. */
  build?: string;
  /** What else the plan depends on. */
  witnesses?: Witness[];
}

/** One compilation. Each part adds its steps to the plan; nothing is taken back. */
export interface Context {
  readonly spec: Spec;
  readonly extension: Extension;
  readonly host: HostFacts;
  readonly options: CompileOptions;
  readonly plan: Plan;
  readonly namespaces: Namespaces;
  readonly identity: Identity;
  /** The launcher itself becomes the payload. */
  readonly inPlace: boolean;
  slots: number;
}

/** Adds a step that comes from the setting at this JSON pointer ("": from nothing in the spec). */
export function addStep(context: Context, phase: Phase, step: Step, origin = ""): void {
  if (origin !== "") step.origin = origin;
  context.plan.steps[phase].push(step);
}

export function takeSlot(context: Context): number {
  if (context.slots < SLOT_COUNT) return context.slots++;
  throw new BrigError(`the sandbox needs more than ${SLOT_COUNT} mounts that are prepared outside of it`, {
    code: "BRIG_PLAN_TOO_LARGE",
    hint: "bind a folder above them in place of each one",
  });
}

/** Whether something outside is attached to the sandbox's network namespace while its first process waits. */
export function attachesNetwork({ network }: Extension): boolean {
  return network !== undefined && network.mode !== "none" && network.mode !== "host";
}

export function originOfSetting(extension: Extension, pointer: string): Origin | undefined {
  return findOrigin(extension.origins, pointer);
}

/** Nobody asked for it by name: a host that cannot enforce it may go without, and `explain` says so. */
export function isDefault(extension: Extension, pointer: string): boolean {
  return originOfSetting(extension, pointer)?.kind === "default";
}

/** Notes that a default is not enforced here. */
export function leaveOut(context: Context, what: string, pointer?: string): void {
  (context.plan.note.leftOut ??= []).push(what);
  if (pointer !== undefined) (context.plan.note.unset ??= []).push(pointer);
}

/** The error of a rule that cannot be enforced here: BRIG_CANNOT_… or BRIG_BAD_…. */
export function refuse(extension: Extension, pointer: string, code: string, message: string, hint: string): BrigError {
  const origin = originOfSetting(extension, pointer);
  return new BrigError(message, { code, hint, origin: origin ? describeOrigin(origin) : pointer || undefined });
}
