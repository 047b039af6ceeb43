import { readdirSync, readlinkSync, statSync } from "node:fs";
import type { MountEntry } from "../host/mountinfo.js";
import { readText } from "../host/read-text.js";
import { type Descriptor, isHarmlessDevice } from "./posture.js";

const MOST_DESCRIPTORS = 4096;

/**
 * Open descriptors that lead outside: files whose mount is not among the process's own (proc_pid_fdinfo(5), mnt_id).
 * Undefined when the process does not let itself be read.
 */
export function readLeadingOut(proc: string, mounts: readonly MountEntry[]): Descriptor[] | undefined {
  let names: string[];
  try {
    names = readdirSync(`${proc}/fd`).slice(0, MOST_DESCRIPTORS);
  } catch {
    return undefined;
  }
  const own = new Set(mounts.map((mount) => mount.id));
  return names.flatMap((name) => describeDescriptor(proc, name, own) ?? []);
}

function describeDescriptor(proc: string, name: string, own: ReadonlySet<number>): Descriptor | undefined {
  const target = readTarget(`${proc}/fd/${name}`);
  if (target === undefined || !target.startsWith("/") || target.startsWith("/memfd:") || isHarmlessDevice(target)) return undefined;
  const info = readText(`${proc}/fdinfo/${name}`) ?? "";
  const mount = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
  if (mount === undefined || own.has(Number(mount))) return undefined;
  const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "0", 8);
  return { fd: Number(name), target, folder: isFolder(`${proc}/fd/${name}`), writable: (flags & 3) !== 0 };
}

function readTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function isFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    return false;
  }
}
