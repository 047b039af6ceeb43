import { closeSync, constants, copyFileSync, fstatSync, futimesSync, linkSync, lstatSync, openSync, readSync, renameSync, rmSync, type Stats, writeSync } from "node:fs";
import { posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { JailEntry } from "./plan.js";
import { attempt, explainWrite, nameTemporary, reach, type SafeFolder, setLook } from "./safe-folder.js";

export type FileEntry = Extract<JailEntry, { type: "file" }>;

/**
 * How a file gets into the jail. "hard" and "reflink" are errors where they cannot be; "auto" shares blocks where the
 * file system can (the jail then cannot change the host's file, as it could through a hard link) and copies elsewhere.
 */
export type LinkMode = "auto" | "hard" | "reflink" | "copy";

export type FileAction = "copied" | "linked" | "kept";

const CHUNK = 1 << 18;
const SPECIAL_BITS = 0o6000;

/** Puts one file into a folder of the jail; an equal one stays. @throws BrigError */
export function placeFile(folder: SafeFolder, name: string, entry: FileEntry, link: LinkMode): FileAction {
  const source = openSource(entry);
  try {
    // A hard link would carry the setuid bit and any later change of it into the jail: such a file is copied.
    const hard = link === "hard" && (fstatSync(source).mode & SPECIAL_BITS) === 0;
    if (hard) refuseShared(folder, entry);
    const old = lookAtOld(folder, name);
    if (old && (hard ? isSameInode(old, entry) : isEqual(folder, name, old, entry, source))) return "kept";
    return replace(folder, name, (temporary) => (hard ? makeHardLink(folder, temporary, entry) : makeCopy(folder, temporary, entry, source, link)));
  } finally {
    closeSync(source);
  }
}

/** Makes something under another name, then renames it: nobody ever sees half of it. */
export function replace<T>(folder: SafeFolder, name: string, make: (temporary: string) => T): T {
  const temporary = nameTemporary();
  try {
    const made = make(temporary);
    attempt(`put ${posix.join(folder.path, name)} into the jail`, () => renameSync(reach(folder, temporary), reach(folder, name)));
    return made;
  } finally {
    rmSync(reach(folder, temporary), { force: true });
  }
}

/** What stands where a file or link is to be. @throws BrigError BRIG_JAIL_UNSAFE for what is neither */
export function lookAtOld(folder: SafeFolder, name: string): Stats | undefined {
  const old = lstatSync(reach(folder, name), { throwIfNoEntry: false });
  if (old === undefined || old.isFile() || old.isSymbolicLink()) return old;
  throw new BrigError(`will not replace ${JSON.stringify(posix.join(folder.path, name))} in the jail: it is ${old.isDirectory() ? "a folder" : "no file"}`, {
    code: "BRIG_JAIL_UNSAFE",
    hint: "remove it, or build in an empty folder",
  });
}

function openSource(entry: FileEntry): number {
  const { path, dev, ino } = entry.source;
  const fd = attempt(`read ${path}`, () => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  const stat = fstatSync(fd);
  if (stat.isFile() && stat.dev === dev && stat.ino === ino) return fd;
  closeSync(fd);
  throw changed(path);
}

function changed(path: string): BrigError {
  return new BrigError(`${JSON.stringify(path)} became another file while the jail was being built`, {
    code: "BRIG_JAIL_SOURCE_CHANGED",
    hint: "an upgrade may be under way: build again when it is over",
  });
}

function refuseShared(folder: SafeFolder, entry: FileEntry): void {
  if (folder.private) return;
  throw new BrigError(`will not hard-link ${JSON.stringify(entry.path)}: others may write in its folder of the jail`, {
    code: "BRIG_JAIL_HARD_LINK",
    hint: "--link copy, or a jail whose folders belong to you and are writable by you alone",
  });
}

function isSameInode(old: Stats, entry: FileEntry): boolean {
  return old.isFile() && old.dev === entry.source.dev && old.ino === entry.source.ino;
}

function isEqual(folder: SafeFolder, name: string, old: Stats, entry: FileEntry, source: number): boolean {
  if (!old.isFile() || old.nlink !== 1 || old.size !== entry.size || (old.mode & 0o7777) !== entry.mode) return false;
  if (process.geteuid!() === 0 && (old.uid !== entry.uid || old.gid !== entry.gid)) return false;
  const fd = openSync(reach(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return hasSameContent(fd, source);
  } finally {
    closeSync(fd);
  }
}

function hasSameContent(a: number, b: number): boolean {
  const [bytesA, bytesB] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
  for (let at = 0; ; ) {
    const [gotA, gotB] = [readSync(a, bytesA, 0, CHUNK, at), readSync(b, bytesB, 0, CHUNK, at)];
    if (gotA !== gotB || !bytesA.subarray(0, gotA).equals(bytesB.subarray(0, gotB))) return false;
    if (gotA === 0) return true;
    at += gotA;
  }
}

function makeHardLink(folder: SafeFolder, temporary: string, entry: FileEntry): FileAction {
  try {
    linkSync(entry.source.path, reach(folder, temporary));
  } catch (error) {
    throw new BrigError(`cannot hard-link ${JSON.stringify(entry.source.path)}: ${(error as NodeJS.ErrnoException).code}`, {
      code: "BRIG_JAIL_HARD_LINK",
      hint: "--link copy; a hard link needs the same file system and, for an ordinary user, a file of his own (fs.protected_hardlinks)",
      cause: error,
    });
  }
  if (!isSameInode(lstatSync(reach(folder, temporary)), entry)) throw changed(entry.source.path);
  return "linked";
}

function makeCopy(folder: SafeFolder, temporary: string, entry: FileEntry, source: number, link: LinkMode): FileAction {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = attempt(`write in ${folder.path} of the jail`, () => openSync(reach(folder, temporary), flags, 0o600));
  try {
    const action = attempt(`copy ${entry.source.path} to ${entry.path} in the jail`, () => fill(fd, source, link, entry));
    const { atimeMs, mtimeMs } = fstatSync(source);
    attempt(`set the owner and mode of ${entry.path} in the jail`, () => setLook(fd, entry));
    futimesSync(fd, atimeMs / 1000, mtimeMs / 1000);
    return action;
  } finally {
    closeSync(fd);
  }
}

/** Node's copy sets the source's whole mode first: a setuid file is copied by hand so that no half-made one is setuid. */
function fill(target: number, source: number, link: LinkMode, entry: FileEntry): FileAction {
  const special = (fstatSync(source).mode & SPECIAL_BITS) !== 0;
  if (!special && link !== "copy" && tryReflink(source, target)) return "linked";
  if (link === "reflink") throw noReflink(entry);
  if (special) copyBytes(source, target);
  else copyFileSync(`/proc/self/fd/${source}`, `/proc/self/fd/${target}`);
  return "copied";
}

function tryReflink(source: number, target: number): boolean {
  try {
    copyFileSync(`/proc/self/fd/${source}`, `/proc/self/fd/${target}`, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (["ENOTSUP", "EOPNOTSUPP", "EXDEV", "EINVAL", "ENOTTY", "ENOSYS", "EBADF"].includes(code ?? "")) return false;
    throw explainWrite("share the file's blocks", error);
  }
}

function noReflink(entry: FileEntry): BrigError {
  return new BrigError(`cannot share the blocks of ${JSON.stringify(entry.source.path)} with ${JSON.stringify(entry.path)} in the jail`, {
    code: "BRIG_JAIL_NO_REFLINK",
    hint: "only btrfs, xfs and the like can, within one file system, and not for setuid files: --link copy",
  });
}

function copyBytes(source: number, target: number): void {
  const bytes = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ; ) {
    const got = readSync(source, bytes, 0, CHUNK, at);
    if (got === 0) return;
    for (let done = 0; done < got; ) done += writeSync(target, bytes, done, got - done, at + done);
    at += got;
  }
}
