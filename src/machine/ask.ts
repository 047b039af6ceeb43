import { BrigError } from "../error/brig-error.js";
import { signalProcess } from "../sandbox/process.js";
import type { Machine } from "./find.js";

/** SIGRTMIN as systemd and its like count from (signal(7)). */
const SIGRTMIN = 34;

/** An init that is not like systemd has told by which signal it powers off. */
function chooseSignal(own: string | undefined, what: keyof typeof SIGNALS): number | NodeJS.Signals {
  const other = own !== undefined && own.startsWith("SIG") && !own.startsWith("SIGRTMIN") && own !== "SIGKILL";
  return other && (what === "poweroff" || what === "halt") ? (own as NodeJS.Signals) : SIGNALS[what];
}

/** What an init does when it is told (systemd(1), "Signals"). */
const SIGNALS = { halt: SIGRTMIN + 3, poweroff: SIGRTMIN + 4, reboot: 2, kexec: SIGRTMIN + 6 } as const;

/**
 * Asks a machine's init to end it. Whether it does is up to it: who waits looks at the machine.
 * @throws BrigError BRIG_NOT_RUNNING
 */
export function askMachine({ name, leader, sandbox }: Machine, what: keyof typeof SIGNALS): void {
  if (leader && signalProcess(leader, chooseSignal(sandbox.extension.stopSignal, what))) return;
  throw new BrigError(`machine ${name} is not running`, { code: "BRIG_NOT_RUNNING", exitCode: 1 });
}
