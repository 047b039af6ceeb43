import { readWord } from "../host/read-text.js";
import type { ProcessId } from "./process.js";
import { readProcess } from "./process.js";
import { readStateFile } from "./record.js";
import type { Sandbox } from "./sandbox.js";

/** How a sandbox was paused, in its folder's file `pause`: what has to be undone. */
export type Pause =
  /** By a cgroup, version 2 or 1. `back`: the folder was made for it, and its processes came from here. */
  | { way: "cgroup"; folder: string; back?: string }
  /** By SIGSTOP to these. */
  | { way: "signal"; stopped: ProcessId[] };

export function readPause(folder: string): Pause | undefined {
  try {
    const pause = JSON.parse(readStateFile(folder, "pause") ?? "") as Pause;
    return pause.way === "cgroup" || pause.way === "signal" ? pause : undefined;
  } catch {
    return undefined;
  }
}

/** What the kernel says now, whoever stopped it. */
export function isPaused(sandbox: Pick<Sandbox, "folder" | "first">): boolean {
  const pause = readPause(sandbox.folder);
  if (pause?.way === "cgroup") return isFrozen(pause.folder);
  return sandbox.first !== undefined && readProcess(sandbox.first.pid)?.state === "T";
}

/** cgroup-v2.rst, "cgroup.freeze"; cgroup-v1/freezer-subsystem.rst. */
export function isFrozen(folder: string): boolean {
  if (readWord(`${folder}/freezer.state`) !== undefined) return readWord(`${folder}/freezer.state`) === "FROZEN";
  return /^frozen 1$/m.test(readWord(`${folder}/cgroup.events`) ?? "");
}
