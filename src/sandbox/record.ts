import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { SandboxRecord } from "../spec/record.js";
import type { Spec } from "../spec/oci.js";
import type { ProcessId } from "./process.js";

/** The end of a sandbox as the launcher wrote it (docs/architecture.md, "Names of files"). */
export interface ExitRecord {
  /** As a shell says it: the exit code, or 128 and the signal's number. */
  exitCode: number;
  oomKilled: boolean;
  timedOut: boolean;
  /** Microseconds. */
  wallUs: number;
  userUs: number;
  systemUs: number;
  maxRssKb: number;
}

const LIMIT = 16 << 20;

/** A file of a state folder; undefined when it is missing, a link, no file, too large, or somebody else's. */
export function readStateFile(folder: string, name: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(`${folder}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { size, uid } = fstatSync(descriptor);
    const own = fstatSync(descriptor).isFile() && (uid === process.geteuid?.() || uid === 0);
    return own && size <= LIMIT ? readFileSync(descriptor, "utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** config.json: a record, or a bare spec. Undefined while it is being written, or when it is not one. */
export function readRecord(folder: string): SandboxRecord | undefined {
  try {
    const read = JSON.parse(readStateFile(folder, "config.json") ?? "") as Partial<SandboxRecord> & Partial<Spec>;
    if (read.spec?.ociVersion !== undefined) return { spec: read.spec, cgroups: read.cgroups ?? [], rlimits: read.rlimits ?? [], keep: read.keep ?? false };
    return read.ociVersion === undefined ? undefined : { spec: read as Spec, cgroups: [], rlimits: [], keep: false };
  } catch {
    return undefined;
  }
}

/** `process`: the first process and the supervisor. */
export function readProcessFile(folder: string): { first: ProcessId; supervisor: ProcessId } | undefined {
  const match = /^(\d+) (\d+) (\d+) (\d+)\n$/.exec(readStateFile(folder, "process") ?? "");
  if (!match) return undefined;
  const [, pid, start, supervisor, supervisorStart] = match as unknown as [string, string, string, string, string];
  return { first: { pid: Number(pid), start }, supervisor: { pid: Number(supervisor), start: supervisorStart } };
}

export function readExit(folder: string): ExitRecord | undefined {
  const numbers = (readStateFile(folder, "exit") ?? "").trim().split(" ").map(Number);
  const [status, oom, timedOut, wallUs, userUs, systemUs, maxRssKb] = numbers;
  if (status === undefined || maxRssKb === undefined || numbers.some((number) => !Number.isFinite(number))) return undefined;
  const signal = status & 0x7f;
  return {
    exitCode: signal ? 128 + signal : (status >> 8) & 0xff,
    oomKilled: oom === 1, timedOut: timedOut === 1,
    wallUs: wallUs ?? 0, userUs: userUs ?? 0, systemUs: systemUs ?? 0, maxRssKb,
  };
}
