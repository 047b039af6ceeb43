import { spawnSync } from "node:child_process";
import { chmodSync, lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../../error/brig-error.js";

/** What a payload did to one path of a folder, read from the upper side of the overlay over it. */
export interface Change {
  kind: "added" | "changed" | "deleted";
  /** Within the folder. */
  path: string;
  type: "file" | "folder" | "link" | "other";
  /** Of what is there now, as the payload set it. */
  mode: number;
}

/**
 * Lists the changes, a folder before what is in it.
 *
 * @param launcher reads the overlay's attributes, which Node cannot
 * @throws BrigError BRIG_CANNOT_READ_CHANGES
 */
export function listChanges(lower: string, upper: string, launcher: string): Change[] {
  const modes = new Map<string, number>();
  const changes: Change[] = [];
  let opaque = new Set<string>();
  const walk = (path: string): void => {
    const names = readdirSync(join(upper, path)).sort();
    const hidden = opaque.has(path) ? listNames(join(lower, path)).filter((name) => !names.includes(name)) : [];
    for (const name of hidden) changes.push({ kind: "deleted", path: join(path, name), type: typeOf(lstatSync(join(lower, path, name))), mode: 0 });
    for (const name of names) visit(join(path, name));
  };
  const visit = (path: string): void => {
    const above = lstatSync(join(upper, path));
    const below = lstatSync(join(lower, path), { throwIfNoEntry: false });
    if (isWhiteout(above)) {
      if (below) changes.push({ kind: "deleted", path, type: typeOf(below), mode: 0 });
      return;
    }
    const mode = (modes.get(path) ?? above.mode) & 0o7777;
    const isSame = above.isDirectory() && below?.isDirectory() && mode === (below.mode & 0o7777);
    if (!isSame) changes.push({ kind: below ? "changed" : "added", path, type: typeOf(above), mode });
    if (above.isDirectory()) walk(path);
  };
  try {
    const folders = listFolders(upper, "", modes);
    opaque = findOpaque(upper, folders, launcher);
    walk("");
  } catch (error) {
    throw new BrigError(`cannot read what was written: ${(error as Error).message}`, { code: "BRIG_CANNOT_READ_CHANGES", cause: error });
  }
  return changes;
}

/** A character device 0:0 stands for a removed name (Documentation/filesystems/overlayfs.rst). */
function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

function typeOf(stat: Stats): Change["type"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "other";
}

function listNames(folder: string): string[] {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() ? readdirSync(folder).sort() : [];
}

/** The folders whose lower side is hidden, by path within. */
function findOpaque(upper: string, folders: readonly string[], launcher: string): Set<string> {
  const input = folders.map((path) => `${join(upper, path)}\0`).join("");
  const { stdout, status } = spawnSync(launcher, ["--opaque"], { input, encoding: "latin1", maxBuffer: 2 ** 28 });
  if (status !== 0 || stdout.length !== folders.length)
    throw new BrigError(`cannot read which folders in ${upper} were replaced`, { code: "BRIG_CANNOT_READ_CHANGES", hint: "is the launcher of the same version?" });
  return new Set(folders.filter((_, index) => stdout[index] === "y"));
}

/** Folders that their maker locked are opened, and their modes noted. */
function listFolders(upper: string, path: string, modes: Map<string, number>): string[] {
  const folder = join(upper, path);
  const { mode } = lstatSync(folder);
  if ((mode & 0o700) !== 0o700) {
    modes.set(path, mode);
    chmodSync(folder, mode | 0o700);
  }
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [path, ...entries.flatMap((entry) => listFolders(upper, join(path, entry.name), modes))];
}
