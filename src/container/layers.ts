import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";

/** As the kernel: more links than this in one path is a loop (path_resolution(7)). */
const MOST_LINKS = 40;
const LARGEST = 1 << 20;

/**
 * The text of a file as an overlay of these folders (topmost first) would show it, with links followed as if the
 * overlay were "/". Whatever an image holds, nothing outside of its layers is read.
 * @returns undefined when it is not there, is no plain file, or is larger than a mebibyte
 */
export function readInLayers(layers: readonly string[], path: string): string | undefined {
  const found = resolveInLayers(layers, path);
  return found === undefined ? undefined : readPlain(found);
}

/** Where a path of the overlay is on the host; undefined when it is not there. No part of it is a link. */
export function resolveInLayers(layers: readonly string[], path: string): string | undefined {
  const todo = split(path);
  let done: string[] = [];
  let at: string[] = [...layers];
  for (let links = 0; todo.length > 0; ) {
    const name = todo.shift()!;
    if (name === "..") {
      done = done.slice(0, -1);
      at = listFolders(layers, done) ?? [];
      continue;
    }
    const found = findEntry(at, name);
    if (found === undefined) return undefined;
    if (!found.isLink) {
      done = [...done, name];
      at = found.folders;
      if (todo.length > 0 && at.length === 0) return undefined;
      if (todo.length === 0) return found.path;
      continue;
    }
    if (++links > MOST_LINKS) return undefined;
    const target = readlinkSync(found.path);
    if (target.startsWith("/")) [done, at] = [[], [...layers]];
    todo.unshift(...split(target));
  }
  return at[0];
}

/** Whether an overlay of these folders has a path, none of whose parts is followed where it is a link. */
export function isInLayers(layers: readonly string[], path: string): boolean {
  let at = [...layers];
  for (const name of split(path)) {
    const found = findEntry(at, name);
    if (!found) return false;
    at = found.folders;
  }
  return true;
}

/** The folders that make up a folder of the overlay, for a path without links. */
function listFolders(layers: readonly string[], names: readonly string[]): string[] | undefined {
  let at = [...layers];
  for (const name of names) at = findEntry(at, name)?.folders ?? [];
  return at.length > 0 ? at : undefined;
}

/** An entry of a folder that several layers make up: the topmost one counts, and folders below it are seen through it. */
function findEntry(folders: readonly string[], name: string): { path: string; isLink: boolean; folders: string[] } | undefined {
  const seen: string[] = [];
  for (const folder of folders) {
    const path = join(folder, name);
    const is = look(path);
    if (!is) continue;
    if (!is.isDirectory()) {
      if (seen.length > 0) break;
      if (is.isCharacterDevice() && is.rdev === 0) return undefined;
      return { path, isLink: is.isSymbolicLink(), folders: [] };
    }
    seen.push(path);
  }
  return seen[0] === undefined ? undefined : { path: seen[0], isLink: false, folders: seen };
}

/** What this user may not see is not there. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function split(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** A layer that is written to may have another thing at the place by now: what was opened must be what was found. */
function readPlain(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const is = fstatSync(file);
    return is.isFile() && is.size <= LARGEST && readlinkSync(`/proc/self/fd/${file}`) === path ? readFileSync(file, "utf8") : undefined;
  } finally {
    closeSync(file);
  }
}
