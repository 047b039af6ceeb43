import { dirname, join } from "node:path";
import { findCgroupMount, locateCgroup, parseCgroupPaths } from "../host/cgroup-facts.js";
import { isBeneath, type MountEntry } from "../host/mountinfo.js";
import { readNumber, readText, readWord } from "../host/read-text.js";
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

/**
 * RLIMIT_NPROC as a limit of the whole sandbox. Since Linux 5.14 it is counted for each user in each user namespace
 * and those below it, so that it holds where the process has one of its own, is not root outside, and cannot become
 * another of its users. One that is as high as the reference's was not set for the sandbox.
 */
export function readProcessLimit(folder: string, reference: string, posture: Pick<Posture, "namespaces" | "identity" | "capabilities" | "noNewPrivileges">): number | undefined {
  const { namespaces, identity, capabilities, noNewPrivileges } = posture;
  if (namespaces.user.state !== "own" || identity.outsideUid === undefined || identity.outsideUid === 0) return undefined;
  const isOne = identity.uidMap.reduce((sum, entry) => sum + entry.size, 0) === 1;
  if (!isOne && (!noNewPrivileges || capabilities.permitted.includes("CAP_SETUID"))) return undefined;
  const limit = readHardLimit(folder);
  return limit !== undefined && limit < (readHardLimit(reference) ?? Infinity) ? limit : undefined;
}

/** The hard limit in /proc/PID/limits (proc_pid_limits(5)). */
function readHardLimit(folder: string): number | undefined {
  const hard = /^Max processes\s+\S+\s+(\d+)/m.exec(readText(`${folder}/limits`) ?? "")?.[1];
  return hard === undefined ? undefined : Number(hard);
}
