import { existsSync, rmdirSync, writeFileSync } from "node:fs";
import { readText } from "../host/read-text.js";
import { listBelow, readCgroupProcesses } from "./members.js";
import { sleepSync } from "./sleep.js";

/** Writes to a cgroup's file; false when the kernel, or its absence, refuses. */
export function tryWrite(file: string, value: string): boolean {
  try {
    writeFileSync(file, value, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

/** Lets the processes of a cgroup run on, in both versions. */
export function thawCgroup(folder: string): void {
  if (existsSync(`${folder}/cgroup.freeze`)) tryWrite(`${folder}/cgroup.freeze`, "0");
  if (existsSync(`${folder}/freezer.state`)) tryWrite(`${folder}/freezer.state`, "THAWED");
}

/**
 * Ends what is in a sandbox's cgroup and removes it with what is below. True when it is gone. A process leaves its
 * cgroup a moment after it was killed, so this waits up to a second.
 */
export function destroyCgroup(folder: string): boolean {
  for (let round = 0; round < 100 && existsSync(folder); round++) {
    thawCgroup(folder);
    for (const pid of readCgroupProcesses(folder)) tryKill(pid);
    removeTree(folder);
    if (existsSync(folder)) sleepSync(round < 20 ? 2 : 12);
  }
  return !existsSync(folder);
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it was quicker
  }
}

function removeTree(folder: string): void {
  for (const below of listBelow(folder)) removeTree(below);
  try {
    rmdirSync(folder);
  } catch {
    // still populated, or gone already
  }
}

/** Moves every process from one cgroup to another, those too that are forked meanwhile. */
export function moveProcesses(from: string, to: string): void {
  for (let round = 0; round < 50; round++) {
    const pids = (readText(`${from}/cgroup.procs`) ?? "").split("\n").filter((line) => line !== "");
    if (pids.length === 0) return;
    for (const pid of pids) tryWrite(`${to}/cgroup.procs`, pid);
  }
}
