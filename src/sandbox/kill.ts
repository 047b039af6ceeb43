import { constants } from "node:os";
import { BrigError } from "../error/brig-error.js";
import { findPayload, listMembers } from "./members.js";
import { undoPause } from "./pause.js";
import { signalProcess } from "./process.js";
import type { Sandbox } from "./sandbox.js";

/** "TERM", "SIGTERM", "term" or "15". @throws BrigError BRIG_BAD_SIGNAL */
export function parseSignal(text: string): number {
  const name = text.toUpperCase();
  const signals: Record<string, number> = constants.signals;
  const number = signals[name] ?? signals[`SIG${name}`] ?? (/^\d+$/.test(text) ? Number(text) : NaN);
  if (number >= 1 && number <= 64) return number;
  throw new BrigError(`there is no signal ${JSON.stringify(text)}`, { code: "BRIG_BAD_SIGNAL", hint: "such as TERM, KILL, HUP or 15; kill -l lists them" });
}

/**
 * Sends a signal to what was started in the sandbox, or to every process in it. SIGKILL ends the whole sandbox.
 * @throws BrigError BRIG_NOT_RUNNING
 */
export function killSandbox(sandbox: Sandbox, signal: number, everything = false): void {
  const { id, state, first } = sandbox;
  if ((state !== "running" && state !== "paused") || !first) throw refuse(id);
  if (everything && signal !== constants.signals.SIGKILL) {
    for (const member of listTargets(sandbox)) signalProcess(member, signal);
    return;
  }
  const target = signal === constants.signals.SIGKILL ? first : (findPayload(sandbox) ?? first);
  if (!signalProcess(target, signal)) throw refuse(id);
  // a frozen process of cgroup version 1 dies only when it is let go
  if (state === "paused" && signal === constants.signals.SIGKILL) undoPause(sandbox);
}

/** All but brig's own init, which would pass the signal on once more. */
function listTargets(sandbox: Sandbox) {
  const members = listMembers(sandbox);
  return sandbox.extension.init ? members.filter(({ pid }) => pid !== sandbox.first?.pid) : members;
}

function refuse(id: string): BrigError {
  return new BrigError(`sandbox ${id} is not running`, { code: "BRIG_NOT_RUNNING", hint: "brig ps lists what runs" });
}
