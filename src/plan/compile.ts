import type { HostFacts } from "../host/facts.js";
import { type Extension, type Origin, readExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { findOrigin } from "../spec/origin.js";
import { compileCgroups } from "./compile/cgroups.js";
import { attachesNetwork, type CompileOptions, type Context } from "./compile/context.js";
import { compileTelling } from "./compile/descriptors.js";
import { compileNestedUsers, prepareNestedUsers } from "./compile/nested-users.js";
import { compileDisplay } from "./compile/display.js";
import { compileHooks } from "./compile/hooks.js";
import { compileMachine } from "./compile/machine.js";
import { compileInnerIds, compileMaps, type Identity, readIdentity } from "./compile/identity.js";
import { compileFork, compileNames, compileNamespaces, compileTimeOffsets, type Namespaces, readNamespaces } from "./compile/namespaces.js";
import { compileNetwork } from "./compile/network.js";
import { compileFirstProcess, compilePayload } from "./compile/payload.js";
import { compileRoot } from "./compile/root.js";
import { compilePersistence, compileRun, compileState, completeState, deferState } from "./compile/state.js";
import { dependsOnTerminals } from "./compile/terminal.js";
import { compileWitnesses } from "./compile/witnesses.js";
import { listSteps, makeEmptyPlan, type Plan } from "./plan.js";

export type { CompileOptions } from "./compile/context.js";

/**
 * The kernel steps that make the sandbox of an OCI runtime spec (1.2, Linux) on this host.
 *
 * The order is the launcher's: sanitise first, restrict last. Everything in the spec becomes a step or an error;
 * nothing is dropped, but a limit whose origin is "default" and that this host cannot set, which `plan.note.leftOut`
 * tells.
 *
 * @param host of `readHostFacts()`
 * @throws BrigError BRIG_CANNOT_… for a rule that this host cannot enforce, BRIG_BAD_SPEC for one that makes no sense,
 *   BRIG_NO_USER_NAMESPACE
 */
export function compilePlan(spec: Spec, host: HostFacts, options: CompileOptions = {}): Plan {
  const context = makeContext(spec, host, options);
  compileMachine(context);
  compileState(context);
  const entersCgroup = compileCgroups(context);
  compileNamespaces(context, entersCgroup);
  compileMaps(context);
  compileTelling(context);
  compileHooks(context);
  compileTimeOffsets(context);
  compileFirstProcess(context);
  compileInnerIds(context);
  compileFork(context);
  compileNames(context);
  const proc = prepareNestedUsers(context);
  compileDisplay(context, compilePlan);
  compileRoot(context);
  compileNetwork(context);
  compilePersistence(context);
  compileNestedUsers(context, proc);
  compilePayload(context);
  compileRun(context);
  completeState(context);
  context.plan.witnesses = compileWitnesses(options, host, dependsOnTerminals(context));
  completeNote(context);
  deferState(context);
  return context.plan;
}

function makeContext(spec: Spec, host: HostFacts, options: CompileOptions): Context {
  const extension = readExtension(spec);
  const namespaces = readNamespaces(spec);
  const identity = readIdentity(spec, extension, host, namespaces);
  const inPlace = runsInPlace(extension, identity, namespaces);
  const plan = makeEmptyPlan();
  plan.build = options.build ?? plan.build;
  return { spec, extension, host, options, plan, namespaces, identity, inPlace, slots: 0 };
}

/** What somebody outside has to do while the process waits cannot be done in place: it is cloned all the same. */
function runsInPlace(extension: Extension, identity: Identity, namespaces: Namespaces): boolean {
  if (!extension.inPlace) return false;
  const mapsOutside = namespaces.user === "new" && (identity.map === "direct" || identity.map === "tools");
  return !mapsOutside && !extension.persist?.length && !attachesNetwork(extension) && !extension.display;
}

function completeNote({ plan, options, extension, spec }: Context): void {
  const { note } = plan;
  if (options.words) note.words = options.words;
  if (options.cwd !== undefined) note.cwd = options.cwd;
  if (extension.voice) note.voice = extension.voice;
  // the state folder's copy, where there is one, is in the plan already
  if (!plan.steps.host.some((step) => step.op === "STATE")) note.spec = spec;
  const origins: Record<string, Origin> = {};
  for (const { step } of listSteps(plan)) {
    const origin = step.origin === undefined ? undefined : findOrigin(extension.origins, step.origin);
    if (origin && step.origin !== undefined) origins[step.origin] = origin;
  }
  note.origins = origins;
}
