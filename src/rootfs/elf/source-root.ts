import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";

/** A link met on the way to a file: both as paths in the root, the target as it is written in the link. */
export interface LinkOnTheWay {
  path: string;
  target: string;
}

/** Where a path leads within a root. */
export interface Resolved {
  /** Absolute in the root, free of links. */
  real: string;
  /** On this host. */
  host: string;
  links: LinkOnTheWay[];
  stat: Stats;
}

/** A folder seen as `/`: the host's own root, a debootstrap tree, a jail. */
export interface SourceRoot {
  folder: string;
  /** Follows links as a process with this root would: an absolute target or `..` never leads outside. */
  resolve(path: string): Resolved | undefined;
}

const PATH_MAX = 4096;
const MAX_LINKS = 40; // path_resolution(7)

/** Looks at a folder as a root. What lstat(2) said is remembered: make a new one when the folder may have changed. */
export function openSourceRoot(folder: string): SourceRoot {
  const seen = new Map<string, Stats | undefined>();
  const look = (path: string) => {
    if (!seen.has(path)) seen.set(path, lstat(join(folder, path)));
    return seen.get(path);
  };
  return { folder, resolve: (path) => resolveWithin(folder, path, look) };
}

function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ERR_INVALID_ARG_VALUE") return undefined;
    throw new BrigError(`cannot look at ${JSON.stringify(path)}: ${(error as Error).message}`, { code: "BRIG_JAIL_UNREADABLE", cause: error });
  }
}

function resolveWithin(folder: string, path: string, look: (path: string) => Stats | undefined): Resolved | undefined {
  if (path.length > PATH_MAX) return undefined;
  const links: LinkOnTheWay[] = [];
  const pending = path.split("/").reverse();
  let real = "/";
  let stat = look("/");
  while (pending.length > 0 && stat !== undefined) {
    const name = pending.pop()!;
    if (name === "" && pending.length > 0) continue;
    if (!stat.isDirectory()) return undefined;
    real = posix.join(real, name);
    stat = look(real);
    if (stat?.isSymbolicLink()) {
      if (links.length === MAX_LINKS) return undefined;
      const target = readlinkSync(join(folder, real));
      links.push({ path: real, target });
      pending.push(...target.split("/").reverse());
      real = target.startsWith("/") ? "/" : posix.dirname(real);
      stat = look(real);
    }
  }
  return stat === undefined ? undefined : { real, host: join(folder, real), links, stat };
}
