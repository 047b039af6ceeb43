import { readText } from "../host/read-text.js";
import type { ProcessId } from "../sandbox/process.js";

const PF_EXITING = 0x4; // include/linux/sched.h

/**
 * Whether a sandbox's first process is gone or on its way: it waits for everything in its pid namespace to be reaped
 * before it is seen to end, so that what was killed with it is heard of earlier.
 */
export function isEnding({ pid, start }: ProcessId): boolean {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return true;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" || fields[19] !== start || (Number(fields[6]) & PF_EXITING) !== 0;
}
