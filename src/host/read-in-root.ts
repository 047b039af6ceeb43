import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { readText } from "./read-text.js";

/** As the kernel: more links than this in one path is a loop (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The text of a file below a folder, with links followed as if that folder were "/": a link to /etc/passwd in it never
 * leads to the host's.
 * @returns undefined when it is not there or not readable
 */
export function readTextInRoot(root: string, path: string): string | undefined {
  const found = resolveInRoot(root, path);
  return found === undefined ? undefined : readText(found);
}

/** The host's path of a file below a folder, without links behind `root`; undefined when it is not there. */
export function resolveInRoot(root: string, path: string): string | undefined {
  const todo = splitPath(path);
  const done: string[] = [];
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "..") {
      done.pop();
      continue;
    }
    const target = readLink(join(root, ...done, name));
    if (target === undefined) done.push(name);
    else {
      if (target === "missing" || ++links > MOST_LINKS) return undefined;
      if (target.link.startsWith("/")) done.length = 0;
      todo.unshift(...splitPath(target.link));
    }
  }
  return join(root, ...done);
}

function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function readLink(path: string): { link: string } | "missing" | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? { link: readlinkSync(path) } : undefined;
  } catch {
    return "missing";
  }
}
