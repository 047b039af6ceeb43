import { posix } from "node:path";
import type { Resolved, SourceRoot } from "../elf/source-root.js";

/** Where programs are looked for in a root whose user's PATH is not known (what Debian's login gives root). */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface FoundProgram {
  path: string;
  file: Resolved;
}

/**
 * The executable that execvp(3) would start for a bare name; a name with a slash is a path. Relative and empty
 * elements of `searchPath` are left out: they depend on where somebody stands.
 */
export function findProgram(root: SourceRoot, name: string, searchPath: string, cwd = "/"): FoundProgram | undefined {
  if (name.includes("\0") || name === "") return undefined;
  if (name.includes("/")) return findAt(root, posix.resolve(cwd, name));
  for (const folder of searchPath.split(":").filter((element) => element.startsWith("/"))) {
    const found = findAt(root, posix.join(folder, name));
    if (found && (found.file.stat.mode & 0o111) !== 0) return found;
  }
  return undefined;
}

function findAt(root: SourceRoot, path: string): FoundProgram | undefined {
  const file = root.resolve(path);
  return file?.stat.isFile() ? { path, file } : undefined;
}
