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
  const { place, there } = followInRoot(root, path);
  return there ? join(root, place) : undefined;
}

/**
 * Where a path leads in a root once its links are followed, and whether something is there: what a link names need not
 * be. A loop of links leads nowhere.
 */
export function followInRoot(root: string, path: string): { place: string; there: boolean } {
  const todo = splitPath(path);
  const done: string[] = [];
  let links = 0;
  let there = true;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "..") {
      done.pop();
      continue;
    }
    const target: { link: string } | "missing" | undefined = there ? readLink(join(root, ...done, name)) : "missing";
    if (typeof target === "object") {
      if (++links > MOST_LINKS) return { place: join("/", ...done, name), there: false };
      if (target.link.startsWith("/")) done.length = 0;
      todo.unshift(...splitPath(target.link));
    } else {
      done.push(name);
      there = target === undefined;
    }
  }
  return { place: join("/", ...done), there };
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
