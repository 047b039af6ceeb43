import { chmodSync, constants, copyFileSync, lchownSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, type Stats, symlinkSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { Change } from "./changes.js";

/**
 * Makes a payload's changes true. The upper side is the payload's work: no link in it is followed, setuid and setgid
 * bits are dropped, and only files, folders and links come over. Each file is whole or not there at all.
 *
 * @param shift what mapped ids are above the ones that they stand for
 * @returns paths that were left out since they are sockets, pipes or devices
 * @throws BrigError BRIG_CANNOT_COMMIT
 */
export function commitChanges(lower: string, upper: string, changes: readonly Change[], shift: number): string[] {
  const skipped: string[] = [];
  try {
    for (const change of changes) if (!commitChange(lower, upper, change, shift)) skipped.push(change.path);
    for (const { kind, type, path, mode } of changes.toReversed())
      if (kind !== "deleted" && type === "folder") finishFolder(join(lower, path), lstatSync(join(upper, path)), mode, shift);
  } catch (error) {
    throw new BrigError(`cannot keep what was written: ${(error as Error).message}`, { code: "BRIG_CANNOT_COMMIT", hint: "some of the changes may have been kept already", cause: error });
  }
  return skipped;
}

function commitChange(lower: string, upper: string, { kind, path, type }: Change, shift: number): boolean {
  const target = join(lower, path);
  checkParents(lower, dirname(path));
  if (kind === "deleted") rmSync(target, { recursive: true, force: true });
  else if (type === "folder") makeFolder(target);
  else if (type === "other") return false;
  else replace(join(upper, path), target, type, shift);
  return true;
}

/** Every folder on the way is one, and no link: nothing outside is reached. */
function checkParents(lower: string, path: string): void {
  if (path === "." || path === "") return;
  checkParents(lower, dirname(path));
  if (!lstatSync(join(lower, path)).isDirectory()) throw new Error(`${join(lower, path)} is no folder any more`);
}

function makeFolder(target: string): void {
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (there?.isDirectory()) return;
  if (there) rmSync(target);
  mkdirSync(target, { mode: 0o700 });
}

function finishFolder(target: string, stat: Stats, mode: number, shift: number): void {
  if (shift > 0) lchownSync(target, stat.uid - shift, stat.gid - shift);
  chmodSync(target, mode & 0o1777);
}

function replace(source: string, target: string, type: "file" | "link", shift: number): void {
  const stat = lstatSync(source);
  const fresh = join(dirname(target), `.brig-commit-${process.pid}`);
  rmSync(fresh, { force: true });
  if (type === "link") symlinkSync(readlinkSync(source), fresh);
  else copyFile(source, stat, fresh);
  if (shift > 0) lchownSync(fresh, stat.uid - shift, stat.gid - shift);
  if (type === "file") {
    chmodSync(fresh, stat.mode & 0o777);
    utimesSync(fresh, stat.atime, stat.mtime);
  }
  if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) rmSync(target, { recursive: true });
  renameSync(fresh, target);
}

/** A file that its maker may not read is copied all the same. */
function copyFile(source: string, { mode }: Stats, fresh: string): void {
  if ((mode & 0o400) === 0) chmodSync(source, mode | 0o400);
  copyFileSync(source, fresh, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}
