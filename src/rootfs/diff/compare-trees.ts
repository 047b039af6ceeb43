import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { Change } from "../overlay/changes.js";

export interface TreeComparison {
  changes: Change[];
  /** Folders that the caller may not look into, by path within: what is in them is not told. */
  unread: string[];
}

export interface CompareOptions {
  /** Files of the same size and another time are compared byte by byte. Otherwise the time decides, as for docker. */
  content?: boolean;
}

interface Entry {
  /** Leads to it through its folder's descriptor. */
  path: string;
  stat: BigIntStats;
}

/** A folder of each tree, held; undefined where a tree has none there. */
interface Pair {
  path: string;
  old: number | undefined;
  now: number | undefined;
}

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Beyond this many folders in one another a tree is a trap; each takes two descriptors. */
const MAX_DEPTH = 400;

/**
 * What became of a tree: added, changed, deleted, a folder before what is in it, and as docker tells it with each folder
 * in which something came or went. A name that is of another type now is changed. Either tree may be hostile and alive:
 * folders are held by descriptors, and no link is followed.
 *
 * @throws BrigError BRIG_CANNOT_COMPARE
 */
export function compareTrees(before: string, after: string, options: CompareOptions = {}): TreeComparison {
  const comparison: TreeComparison = { changes: [], unread: [] };
  const walk = (pair: Pair, depth: number): void => {
    if (depth > MAX_DEPTH) throw new Error(`${pair.path} is too deep`);
    const old = readEntries(pair.old);
    const now = readEntries(pair.now);
    for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) visit(join(pair.path, name), old.get(name), now.get(name), depth);
  };
  const visit = (path: string, old: Entry | undefined, now: Entry | undefined, depth: number): void => {
    const { changes } = comparison;
    const at = changes.length;
    const kind = judge(old, now, options);
    if (kind) changes.push(makeChange(kind, path, (now ?? old)!.stat));
    if (!now?.stat.isDirectory()) return;
    descend(path, old?.stat.isDirectory() ? old : undefined, now, depth);
    if (!kind && changes.slice(at).some((change) => isIn(path, change))) changes.splice(at, 0, makeChange("changed", path, now.stat));
  };
  const descend = (path: string, old: Entry | undefined, now: Entry, depth: number): void => {
    const [oldFd, nowFd] = [old, now].map((entry) => (entry ? openFolder(entry.path) : undefined));
    try {
      if ((old && oldFd === undefined) || nowFd === undefined) comparison.unread.push(path);
      else walk({ path, old: oldFd, now: nowFd }, depth + 1);
    } finally {
      for (const fd of [oldFd, nowFd]) if (fd !== undefined) closeSync(fd);
    }
  };
  try {
    const [old, now] = [before, after].map((folder) => openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY));
    try {
      walk({ path: "/", old, now }, 0);
    } finally {
      for (const fd of [old, now]) closeSync(fd!);
    }
  } catch (error) {
    throw new BrigError(`cannot compare ${before} with ${after}: ${(error as Error).message}`, { code: "BRIG_CANNOT_COMPARE", cause: error });
  }
  return comparison;
}

/** Something that makes its folder another one: docker names every folder on the way. */
function isIn(folder: string, { path }: Change): boolean {
  return path !== folder && path.startsWith(`${folder}/`);
}

function makeChange(kind: Change["kind"], path: string, stat: BigIntStats): Change {
  const type = stat.isFile() ? "file" : stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "other";
  return { kind, path, type, mode: kind === "deleted" ? 0 : Number(stat.mode & 0o7777n) };
}

function readEntries(fd: number | undefined): Map<string, Entry> {
  if (fd === undefined) return new Map();
  return new Map(readdirSync(`/proc/self/fd/${fd}`).flatMap((name) => {
    const path = `/proc/self/fd/${fd}/${name}`;
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stat ? [[name, { path, stat }] as const] : [];
  }));
}

/** Undefined where the caller may not, or it is gone or no folder any more. */
function openFolder(path: string): number | undefined {
  try {
    return openSync(path, OPEN_FOLDER);
  } catch (error) {
    if (["EACCES", "ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function judge(old: Entry | undefined, now: Entry | undefined, options: CompareOptions): Change["kind"] | undefined {
  if (!now) return "deleted";
  if (!old) return "added";
  const [a, b] = [old.stat, now.stat];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return "changed";
  if (a.isSymbolicLink()) return readlinkSync(old.path) === readlinkSync(now.path) ? undefined : "changed";
  if (!a.isFile() || (a.size === b.size && a.mtimeNs === b.mtimeNs)) return undefined;
  return options.content === true && a.size === b.size && hasSameBytes(old.path, now.path) ? undefined : "changed";
}

const CHUNK = 2 ** 18;

function hasSameBytes(a: string, b: string): boolean {
  const fds: number[] = [];
  try {
    for (const path of [a, b]) fds.push(openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
    const [one, two] = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)];
    for (;;) {
      const [n, m] = [readSync(fds[0]!, one, 0, CHUNK, null), readSync(fds[1]!, two, 0, CHUNK, null)];
      if (n !== m || !one.subarray(0, n).equals(two.subarray(0, m))) return false;
      if (n === 0) return true;
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
