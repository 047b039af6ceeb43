import { readdirSync, readlinkSync } from "node:fs";
import { readText } from "../host/read-text.js";

/** A process for good: its number on this host and its start time (field 22 of /proc/PID/stat), which no successor has. */
export interface ProcessId {
  pid: number;
  start: string;
}

/** What is used of /proc/PID/stat (proc_pid_stat(5)); times in clock ticks, of which a second has 100. */
export interface ProcessStat extends ProcessId {
  state: string;
  parent: number;
  userTicks: number;
  systemTicks: number;
  threads: number;
  /** Bytes. */
  resident: number;
}

const PAGE = 4096;

/** Undefined when there is no such process, or only a zombie of it. The name in field 2 may hold anything. */
export function readProcess(pid: number): ProcessStat | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const at = (field: number): number => Number(fields[field - 3]);
  const state = fields[0] ?? "X";
  if (state === "Z" || state === "X") return undefined;
  return { pid, state, parent: at(4), start: fields[19] ?? "0", userTicks: at(14), systemTicks: at(15), threads: at(20), resident: at(24) * PAGE };
}

export function isAlive({ pid, start }: ProcessId): boolean {
  return readProcess(pid)?.start === start;
}

/** Sends it to that very process. False when it is gone; other failures are thrown as node:process has them. */
export function signalProcess(process_: ProcessId, signal: number | NodeJS.Signals): boolean {
  if (!isAlive(process_)) return false;
  try {
    process.kill(process_.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Every process of this host that can be seen, by number. */
export function readAllProcesses(): Map<number, ProcessStat> {
  const found = new Map<number, ProcessStat>();
  for (const name of readdirSync("/proc")) {
    const read = /^\d+$/.test(name) ? readProcess(Number(name)) : undefined;
    if (read) found.set(read.pid, read);
  }
  return found;
}

/** "pid:[4026531836]", or undefined when the process is gone or closed to this user. */
export function readNamespace(pid: number | "self", name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${name}`);
  } catch {
    return undefined;
  }
}
