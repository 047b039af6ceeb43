import { addStep, type Context, refuse } from "./context.js";
import { RUN } from "../format.js";
import type { PlannedMount } from "./mounts.js";

const POINTER = "/annotations/dev.brig.terminal";

/** Which of descriptors 0, 1, 2 become the payload's own terminal, as bits. */
export function findTerminalMask(context: Context): number {
  const { extension, spec, host } = context;
  const word = extension.terminal ?? (spec.process?.terminal ? "always" : "never");
  if (word === "always") return 7;
  return word === "auto" && !extension.detach ? host.terminals : 0;
}

/** The caller's terminals decide about this plan: it is another one when they are others. */
export function dependsOnTerminals(context: Context): boolean {
  return context.extension.terminal === "auto";
}

/** A terminal of the sandbox's own devpts when it has one, so that ttyname(3) works; of the host's otherwise. */
export function compilePty(context: Context, mounts: PlannedMount[], rooted: boolean): void {
  const mask = findTerminalMask(context);
  if (mask === 0) return;
  if (context.inPlace) throw refuse(context.extension, POINTER, "BRIG_BAD_SPEC", "a process that becomes the payload in place has the caller's terminal", 'say terminal "plain", or leave inPlace out');
  const own = rooted && mounts.some(({ destination, mount }) => destination === "/dev/pts" && mount.type === "devpts");
  addStep(context, own ? "child" : "host", { op: "PTY", mask, host: own ? 0 : 1 }, POINTER);
}

/** A session of its own has no controlling terminal, so that nothing inside can type into the caller's (TIOCSTI). */
export function compileSession(context: Context): void {
  const plain = context.extension.terminal === "plain" || context.inPlace;
  if (plain) context.plan.run.flags |= RUN.PLAIN_TTY;
  // an init gives its terminal to others, who could not have it as long as it controls a session
  else if (context.extension.machine?.boot) addStep(context, "payload", { op: "SETSID" }, POINTER);
  else addStep(context, "payload", { op: "SESSION" }, POINTER);
}
