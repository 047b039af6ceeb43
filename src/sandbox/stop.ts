import { constants } from "node:os";
import { BrigError } from "../error/brig-error.js";
import { killSandbox, parseSignal } from "./kill.js";
import { undoPause } from "./pause.js";
import { isLive, readSandbox, type Sandbox } from "./sandbox.js";
import { awaitEnd } from "./wait.js";

const KILL_TAKES_MS = 10_000;

/**
 * Asks the payload to end with the sandbox's stop signal (SIGTERM unless it says otherwise), and ends it with SIGKILL
 * when it has not within the time. One that runs no more is left alone.
 * @throws BrigError BRIG_CANNOT_STOP when it does not even die of SIGKILL (a process in an uninterruptible state)
 */
export async function stopSandbox(sandbox: Sandbox, timeoutMs = 10_000): Promise<void> {
  if (!isLive(sandbox)) return;
  if (sandbox.state === "paused") undoPause(sandbox);
  if (timeoutMs > 0 && (await stopWith(sandbox, parseSignal(sandbox.extension.stopSignal ?? "TERM"), timeoutMs))) return;
  if (await stopWith(sandbox, constants.signals.SIGKILL, KILL_TAKES_MS)) return;
  throw new BrigError(`sandbox ${sandbox.id} does not die`, {
    code: "BRIG_CANNOT_STOP", hint: "a process that waits for a disk or a network file system dies when that answers: ps -o pid,stat,wchan",
  });
}

async function stopWith(sandbox: Sandbox, signal: number, timeoutMs: number): Promise<boolean> {
  try {
    killSandbox(readSandbox(sandbox.runFolder, sandbox.id) ?? sandbox, signal);
  } catch (error) {
    if (!(error instanceof BrigError && error.code === "BRIG_NOT_RUNNING")) throw error;
  }
  return awaitEnd(sandbox, timeoutMs);
}
