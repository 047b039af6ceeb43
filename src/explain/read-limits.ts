import { dirname, join } from "node:path";
import { findCgroupMount, locateCgroup, parseCgroupPaths } from "../host/cgroup-facts.js";
import { isBeneath, type MountEntry } from "../host/mountinfo.js";
import { readNumber, readWord } from "../host/read-text.js";
import type { Posture } from "./posture.js";

/** What version 1 writes for "no limit" of memory: the largest multiple of the page size; anything near is none. */
const NO_MEMORY_LIMIT = 2 ** 62;

/**
 * The limits that a process is under: the tightest of its cgroup and those above, in either version. `cgroup` is the
 * text of /proc/PID/cgroup, `mounts` are the reader's, `root` stands before every path.
 */
export function readLimits(cgroup: string, mounts: readonly MountEntry[], root = "/"): Posture["limits"] {
  const paths = parseCgroupPaths(cgroup);
  const tightest = (controller: string, read: (folder: string) => number | undefined): number | undefined => {
    const values = listFolders(paths, mounts, controller).map((folder) => read(join(root, folder)));
    const known = values.filter((value) => value !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  };
  return { memory: tightest("memory", readMemory), pids: tightest("pids", readPids), cpus: tightest("cpu", readCpus) };
}

/** The process's cgroup and those above it: in the version 1 tree of the controller where there is one, else version 2. */
function listFolders(paths: Map<string, string>, mounts: readonly MountEntry[], controller: string): string[] {
  const name = paths.has(controller) ? controller : "";
  const mount = findCgroupMount(mounts, name);
  const own = paths.get(name);
  if (!mount || own === undefined) return [];
  const folders = [];
  for (let folder = locateCgroup(mount, own); isBeneath(folder, mount.point); folder = dirname(folder)) {
    folders.push(folder);
    if (folder === "/") break;
  }
  return folders;
}

function readMemory(folder: string): number | undefined {
  const bytes = readNumber(join(folder, "memory.max")) ?? readNumber(join(folder, "memory.limit_in_bytes"));
  return bytes !== undefined && bytes < NO_MEMORY_LIMIT ? bytes : undefined;
}

function readPids(folder: string): number | undefined {
  return readNumber(join(folder, "pids.max"));
}

function readCpus(folder: string): number | undefined {
  const [quota, period] = (readWord(join(folder, "cpu.max")) ?? "").split(" ").map(Number);
  if (quota && period) return quota / period;
  const oldQuota = readNumber(join(folder, "cpu.cfs_quota_us"));
  const oldPeriod = readNumber(join(folder, "cpu.cfs_period_us"));
  return oldQuota !== undefined && oldQuota > 0 && oldPeriod ? oldQuota / oldPeriod : undefined;
}
