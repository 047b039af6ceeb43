import { readText } from "../host/read-text.js";

/** Field 22 of /proc/PID/stat, in clock ticks since boot: with the pid it names one process for good. */
export function readStartTime(folder: string): number | undefined {
  const text = readText(`${folder}/stat`);
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[19]);
}
