import { closeSync, constants, fchmodSync, fchownSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, type Stats } from "node:fs";
import { posix, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";

/**
 * A folder of the jail held by its descriptor. Whatever is done in it goes through /proc/self/fd/N/NAME, one name at
 * a time, so that no link below the jail is ever followed, even by someone who swaps folders meanwhile.
 */
export interface SafeFolder {
  fd: number;
  /** In the jail, for errors. */
  path: string;
  /** Nobody but the caller and root can write in it or in a folder above it within the jail. */
  private: boolean;
}

export interface FolderLook {
  mode: number;
  uid: number;
  gid: number;
}

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const TEMPORARY = /^\.brig-jail\.(\d+)\.(\d+)\.\d+$/;

/** The path under which `name` in a held folder can be handed to any system call. */
export function reach(folder: SafeFolder, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`;
}

/** Makes the jail's folder where it is missing and opens it. @throws BrigError BRIG_JAIL_UNSAFE, BRIG_JAIL_WRITE */
export function openJailFolder(dir: string): SafeFolder {
  const path = resolve(dir);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) throw unsafe(path, "it is a link", "name the folder itself");
  if (stat === undefined) attempt(`make ${path}`, () => mkdirSync(path, { recursive: true, mode: 0o755 }));
  const fd = attempt(`open ${path}`, () => openSync(path, OPEN_FOLDER));
  const own = fstatSync(fd);
  const root = lstatSync("/");
  if (own.dev === root.dev && own.ino === root.ino) {
    closeSync(fd);
    throw unsafe(path, "it is this host's own root", "name an empty folder");
  }
  return { fd, path: "/", private: isPrivate(own) };
}

/** Opens a folder below another without following a link. @throws BrigError BRIG_JAIL_UNSAFE */
export function openChild(parent: SafeFolder, name: string): SafeFolder {
  const path = posix.join(parent.path, name);
  const stat = lstatSync(reach(parent, name), { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) throw unsafe(path, "a folder of the jail is a link, which may lead out of it", "remove the link, or build in an empty folder");
  if (stat !== undefined && !stat.isDirectory()) throw unsafe(path, "it is in the place of a folder", "remove it, or build in an empty folder");
  const fd = attempt(`open ${path} of the jail`, () => openSync(reach(parent, name), OPEN_FOLDER));
  return { fd, path, private: parent.private && isPrivate(fstatSync(fd)) };
}

/** Makes a folder that is missing, with its mode and, as root, its owner; one that is there stays as it is. */
export function makeChild(parent: SafeFolder, name: string, look: FolderLook): boolean {
  if (lstatSync(reach(parent, name), { throwIfNoEntry: false }) !== undefined) {
    closeSync(openChild(parent, name).fd);
    return false;
  }
  attempt(`make ${posix.join(parent.path, name)} in the jail`, () => mkdirSync(reach(parent, name), { mode: 0o700 }));
  const { fd, path } = openChild(parent, name);
  try {
    attempt(`set the owner and mode of ${path} in the jail`, () => setLook(fd, { ...look, mode: look.mode | 0o700 }));
  } finally {
    closeSync(fd);
  }
  return true;
}

/** Owner first: chown(2) clears the setuid and setgid bits. An ordinary user's files are his own. */
export function setLook(fd: number, look: FolderLook): void {
  if (process.geteuid!() === 0) fchownSync(fd, look.uid, look.gid);
  fchmodSync(fd, look.mode);
}

/** Opens the folder at a path of the jail, from its top, one name at a time. */
export function openPath(top: SafeFolder, path: string): SafeFolder {
  let folder: SafeFolder = { ...top, fd: openSync(`/proc/self/fd/${top.fd}`, constants.O_RDONLY | constants.O_DIRECTORY) };
  for (const name of path.split("/").filter((part) => part !== "")) {
    const above = folder;
    try {
      folder = openChild(above, name);
    } finally {
      closeSync(above.fd);
    }
  }
  return folder;
}

let counter = 0;

/** A name for a file that is renamed when it is whole: who writes it, told apart from a later process by its start. */
export function nameTemporary(): string {
  return `.brig-jail.${process.pid}.${readStart(process.pid) ?? 0}.${counter++}`;
}

/** Removes what a build that was killed left in this folder. */
export function removeStale(folder: SafeFolder): void {
  for (const name of readdirSync(reach(folder, "."))) {
    const [, pid, start] = TEMPORARY.exec(name) ?? [];
    if (pid === undefined || readStart(Number(pid)) === start) continue;
    if (!lstatSync(reach(folder, name), { throwIfNoEntry: false })?.isDirectory()) rmSync(reach(folder, name), { force: true });
  }
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); undefined for no process and for one that is dead but not reaped. */
export function readStart(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function isPrivate(stat: Stats): boolean {
  return (stat.uid === 0 || stat.uid === process.geteuid!()) && (stat.mode & 0o022) === 0;
}

function unsafe(path: string, why: string, hint: string): BrigError {
  return new BrigError(`will not write below ${JSON.stringify(path)}: ${why}`, { code: "BRIG_JAIL_UNSAFE", hint });
}

/** Does something in the jail, and says what when the kernel refuses. @throws BrigError BRIG_JAIL_WRITE */
export function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof BrigError) throw error;
    throw explainWrite(what, error);
  }
}

const HINTS: Record<string, string> = {
  EACCES: "build in a folder that you may write",
  EPERM: "the kernel or the file system forbids it; run as root, or build elsewhere",
  ENOSPC: "free some space there, or build elsewhere",
  EROFS: "that file system is read-only; build elsewhere",
  EINVAL: "an owner may have no number in this user namespace",
};

export function explainWrite(what: string, error: unknown): BrigError {
  const { code, message } = error as NodeJS.ErrnoException;
  // Node's message names /proc/self/fd paths, which help nobody.
  const reason = code === undefined ? message : message.replace(/, \w+ '.*$/s, "");
  return new BrigError(`cannot ${what}: ${reason}`, { code: "BRIG_JAIL_WRITE", hint: HINTS[code ?? ""], cause: error });
}
