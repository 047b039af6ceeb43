import { closeSync, constants, fstatSync, openSync, readFileSync, readlinkSync, symlinkSync, writeSync } from "node:fs";
import { posix } from "node:path";
import { type CacheEntry, encodeCache, parseCache } from "../elf/ld-cache.js";
import { type FileAction, type LinkMode, lookAtOld, placeFile, replace } from "./place-file.js";
import type { JailEntry, JailPlan } from "./plan.js";
import { attempt, makeChild, openJailFolder, openPath, reach, removeStale, type SafeFolder, setLook } from "./safe-folder.js";

export interface BuildOptions {
  /** "auto" when left out: blocks shared where the file system can, else copies. Never a hard link unasked. */
  link?: LinkMode | undefined;
  onProgress?: ((progress: JailProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface JailProgress {
  /** Entries done and to do. */
  done: number;
  total: number;
  path: string;
}

export interface JailReport {
  /** Files in the jail by this plan, and their size in bytes. */
  files: number;
  bytes: number;
  /** Files that share the host's blocks: hard links or reflinks. */
  linked: number;
  copied: number;
  /** Files that were there already. */
  kept: number;
  /** Bytes that were copied now. */
  copiedBytes: number;
  /** Every entry and what became of it. */
  entries: { path: string; type: JailEntry["type"]; action: Action; bytes: number; reason: string }[];
}

export type Action = FileAction | "made";

/**
 * Makes a planned jail in `dir`, which is made when missing. What is in it and equal stays, what differs is replaced
 * whole, nothing else is touched; no link within it is followed. Files take their place by rename.
 *
 * @throws BrigError BRIG_JAIL_UNSAFE, BRIG_JAIL_WRITE, BRIG_JAIL_HARD_LINK, BRIG_JAIL_NO_REFLINK, BRIG_JAIL_SOURCE_CHANGED
 */
export async function buildJail(dir: string, plan: JailPlan, options: BuildOptions = {}): Promise<JailReport> {
  const top = openJailFolder(dir);
  const report: JailReport = { files: 0, bytes: 0, linked: 0, copied: 0, kept: 0, copiedBytes: 0, entries: [] };
  let folder: SafeFolder | undefined;
  try {
    for (const [done, entry] of plan.entries.entries()) {
      if (done % 64 === 0) await new Promise(setImmediate);
      options.signal?.throwIfAborted();
      const at: SafeFolder = attempt(`make ${entry.path} in the jail`, () => enter(top, folder, posix.dirname(entry.path)));
      folder = at;
      record(report, entry, attempt(`make ${entry.path} in the jail`, () => place(at, entry, options.link ?? "auto")));
      options.onProgress?.({ done: done + 1, total: plan.entries.length, path: entry.path });
    }
  } finally {
    if (folder) closeSync(folder.fd);
    closeSync(top.fd);
  }
  return report;
}

function enter(top: SafeFolder, current: SafeFolder | undefined, path: string): SafeFolder {
  if (current?.path === path) return current;
  const next = openPath(top, path);
  if (current) closeSync(current.fd);
  removeStale(next);
  return next;
}

function place(folder: SafeFolder, entry: JailEntry, link: LinkMode): Action {
  const name = posix.basename(entry.path);
  if (entry.type === "folder") return makeChild(folder, name, entry) ? "made" : "kept";
  if (entry.type === "file") return placeFile(folder, name, entry, link);
  if (entry.type === "link") return placeLink(folder, name, entry.target);
  if (entry.type === "text") return placeText(folder, name, Buffer.from(entry.content), entry.mode);
  const merged = mergeCache(readOld(folder, name), entry.entries);
  return placeText(folder, name, encodeCache(merged, entry.littleEndian), 0o644);
}

function placeLink(folder: SafeFolder, name: string, target: string): Action {
  const old = lookAtOld(folder, name);
  if (old?.isSymbolicLink() && readlinkSync(reach(folder, name)) === target) return "kept";
  return replace(folder, name, (temporary) => {
    attempt(`make a link in ${folder.path} of the jail`, () => symlinkSync(target, reach(folder, temporary)));
    return "made";
  });
}

function placeText(folder: SafeFolder, name: string, content: Buffer, mode: number): Action {
  const old = lookAtOld(folder, name);
  if (old?.isFile() && (old.mode & 0o7777) === mode && readOld(folder, name)?.equals(content)) return "kept";
  return replace(folder, name, (temporary) => {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const fd = attempt(`write in ${folder.path} of the jail`, () => openSync(reach(folder, temporary), flags, 0o600));
    try {
      attempt(`write ${posix.join(folder.path, name)} in the jail`, () => {
        for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
        setLook(fd, { mode, uid: 0, gid: 0 });
      });
    } finally {
      closeSync(fd);
    }
    return "made";
  });
}

const MAX_TEXT = 16 << 20;

function readOld(folder: SafeFolder, name: string): Buffer | undefined {
  if (!lookAtOld(folder, name)?.isFile()) return undefined;
  const fd = openSync(reach(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_TEXT ? readFileSync(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Lines that an earlier build for other programs made stay. */
function mergeCache(old: Buffer | undefined, entries: CacheEntry[]): CacheEntry[] {
  const isNew = new Set(entries.map(({ name, flags }) => `${name} ${flags}`));
  return [...entries, ...((old && parseCache(old)) ?? []).filter(({ name, flags }) => !isNew.has(`${name} ${flags}`))];
}

function record(report: JailReport, entry: JailEntry, action: Action): void {
  const bytes = entry.type === "file" ? entry.size : 0;
  report.entries.push({ path: entry.path, type: entry.type, action, bytes, reason: entry.reason });
  if (entry.type !== "file" || action === "made") return;
  report.files++;
  report.bytes += bytes;
  report[action]++;
  if (action === "copied") report.copiedBytes += bytes;
}

