import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { z } from "zod";
import { readText } from "../host/read-text.js";
import type { Spec } from "../spec/oci.js";
import { readStartTime } from "./read-start-time.js";

const recordShape = z.looseObject({ spec: z.looseObject({ ociVersion: z.string() }).optional(), ociVersion: z.string().optional() });

/**
 * The spec that brig started a process's sandbox from, out of its folder in the run folder; undefined for a process
 * that is in none. What a folder says is believed only when nobody but root and the caller can have written it, and
 * the process it names is the one that started then and is in the same pid namespace.
 */
export function readRecord(proc: string, pid: number, runFolder: string): Spec | undefined {
  if (!isTrusted(runFolder)) return undefined;
  for (const entry of readdirSync(runFolder, { withFileTypes: true })) {
    const folder = `${runFolder}/${entry.name}`;
    if (entry.isDirectory() && isTrusted(folder) && isSandboxOf(proc, pid, folder)) return parseRecord(readText(`${folder}/config.json`));
  }
  return undefined;
}

function isTrusted(folder: string): boolean {
  try {
    const stats = lstatSync(folder);
    return stats.isDirectory() && (stats.uid === 0 || stats.uid === process.geteuid?.()) && (stats.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

function isSandboxOf(proc: string, pid: number, folder: string): boolean {
  const [first, start] = (readText(`${folder}/process`) ?? "").split(/\s+/).map(Number);
  if (!first || readStartTime(`${proc}${first}`) !== start) return false;
  return pid === first || isSamePidNamespace(proc, pid, first);
}

function isSamePidNamespace(proc: string, pid: number, first: number): boolean {
  try {
    const own = readlinkSync(`${proc}${first}/ns/pid`);
    return own !== readlinkSync(`${proc}self/ns/pid`) && own === readlinkSync(`${proc}${pid}/ns/pid`);
  } catch {
    return false;
  }
}

/** The record is the spec itself, or holds it under "spec". */
function parseRecord(text: string | undefined): Spec | undefined {
  try {
    const record = recordShape.parse(JSON.parse(text ?? ""));
    return (record.spec ?? (record.ociVersion === undefined ? undefined : record)) as Spec | undefined;
  } catch {
    return undefined;
  }
}
