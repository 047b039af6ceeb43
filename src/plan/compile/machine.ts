import type { Machine } from "../../spec/extension.js";
import { MACHINE } from "../format.js";
import { addStep, type Context, refuse } from "./context.js";
import { findSignal } from "./signals.js";

const POINTER = "/annotations/dev.brig.machine";
const NOTHING_SAID = ["", "", "", "", "", "", ""];

/** What stands around a machine: its locks, and what who started it sees of it. */
export function compileMachine(context: Context): void {
  const { machine, stopSignal } = context.extension;
  if (!machine) return;
  (machine.locks ?? []).forEach(({ path, exclusive }, index) =>
    addStep(context, "host", { op: "LOCK_HOST", path, exclusive: exclusive ? 1 : 0 }, `${POINTER}/locks/${index}`));
  checkConsole(context, machine);
  const signal = machine.boot && stopSignal ? findSignal(context.extension, "/annotations/dev.brig.stopSignal", stopSignal) : 0;
  addStep(context, "host", { op: "MACHINE", flags: encodeFlags(machine), sayings: machine.sayings ?? NOTHING_SAID, signal }, POINTER);
}

function encodeFlags({ console, reboots, sayings }: Machine): number {
  const shown = console === "interactive" || console === "read-only";
  return (sayings ? 0 : MACHINE.QUIET) | (console === "interactive" ? MACHINE.INPUT : 0) | (shown ? MACHINE.OUTPUT : 0) | (reboots ? MACHINE.REBOOTS : 0);
}

/** The console is the payload's terminal, which a monitor in the state folder holds. */
function checkConsole(context: Context, { console }: Machine): void {
  const terminal = context.extension.terminal ?? "never";
  if ((console === "pipe") === (terminal === "never")) return;
  throw refuse(context.extension, POINTER, "BRIG_BAD_SPEC", `a machine with the console "${console}" cannot have the terminal "${terminal}"`, console === "pipe" ? 'say terminal "never"' : 'say terminal "always"');
}
