import { lstatSync, readFileSync } from "node:fs";
import { type Extension, readExtension } from "../spec/extension.js";
import type { SandboxRecord } from "../spec/record.js";
import { type ExitRecord, readExit, readProcessFile, readRecord } from "./record.js";
import { isAlive, type ProcessId } from "./process.js";
import { isPaused } from "./paused.js";

/**
 * "starting": the launcher has not told its first process yet. "dead": the supervisor is gone and left no exit status.
 */
export type SandboxState = "starting" | "running" | "paused" | "exited" | "dead";

/** A sandbox on this host as it was when it was looked at. */
export interface Sandbox {
  id: string;
  /** Absolute; holds config.json, process, exit, log, attach. */
  folder: string;
  runFolder: string;
  state: SandboxState;
  /** Milliseconds since the epoch. */
  createdMs: number;
  /** Missing while it is being made. */
  record: SandboxRecord | undefined;
  extension: Extension;
  name: string | undefined;
  /** The first process, which is init or the payload, and who supervises it. */
  first: ProcessId | undefined;
  supervisor: ProcessId | undefined;
  exit: ExitRecord | undefined;
}

/** Longer than the launcher needs from making the folder to locking it. */
const LOCK_WITHIN_MS = 2000;

/** Whether a folder in the run folder may be a sandbox's. */
export function isId(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name) && name !== "names";
}

/** Undefined when there is no such folder, or it is a link or somebody else's. Reads only. */
export function readSandbox(runFolder: string, id: string): Sandbox | undefined {
  const folder = `${runFolder}/${id}`;
  const stat = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  if (!stat?.isDirectory() || Number(stat.uid) !== process.geteuid?.() || Number(stat.mode & 0o022n) !== 0) return undefined;
  const record = readRecord(folder);
  const processes = readProcessFile(folder);
  const exit = readExit(folder);
  const extension = readExtensionSafely(record);
  const createdMs = Number(lstatSync(`${folder}/config.json`, { throwIfNoEntry: false })?.mtimeMs ?? stat.mtimeMs);
  const sandbox: Sandbox = {
    id, folder, runFolder, createdMs, record, extension, exit,
    name: extension.name, first: processes?.first, supervisor: processes?.supervisor, state: "dead",
  };
  sandbox.state = findState(sandbox, stat.ino, Number(stat.mtimeMs));
  return sandbox;
}

function readExtensionSafely(record: SandboxRecord | undefined): Extension {
  try {
    return record ? readExtension(record.spec) : {};
  } catch {
    return {};
  }
}

function findState(sandbox: Sandbox, inode: bigint, changedMs: number): SandboxState {
  if (sandbox.exit) return "exited";
  if (!sandbox.supervisor) return isLocked(inode) || Date.now() - changedMs < LOCK_WITHIN_MS ? "starting" : "dead";
  if (!isAlive(sandbox.supervisor)) return "dead";
  return isPaused(sandbox) ? "paused" : "running";
}

/** The launcher holds a flock(2) on the folder as long as it lives (proc_locks(5)). */
function isLocked(inode: bigint): boolean {
  try {
    return readFileSync("/proc/locks", "utf8").split("\n").some((line) => line.includes(" FLOCK ") && line.includes(`:${inode} `));
  } catch {
    return true;
  }
}

export function isLive({ state }: Sandbox): boolean {
  return state === "running" || state === "paused" || state === "starting";
}

/** The sandbox's own cgroups that there are, as folders. */
export function listOwnCgroups(sandbox: Pick<Sandbox, "id" | "record">): string[] {
  return (sandbox.record?.cgroups ?? []).map((path) => path.replaceAll("%i", sandbox.id));
}
