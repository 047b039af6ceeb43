import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { posix } from "node:path";
import { type MountEntry, resolveMount } from "../host/mountinfo.js";

const MOST_LINKS = 40;
const MOST_NAMES = 4096;

/** Files as a sandbox's payload sees them. */
export interface View {
  /** What lies at a path, links followed; undefined when nothing does or it is not for us to see. */
  stat(path: string): { path: string; stats: Stats } | undefined;
  /** The entries of a folder; none when it cannot be read. */
  list(path: string): ViewEntry[];
}

export interface ViewEntry {
  name: string;
  kind: "folder" | "device" | "other";
}

/** What a folder's entry is, as it stands in the folder: a link is "other". */
export function describeEntry(entry: Pick<Dirent, "name" | "isDirectory" | "isCharacterDevice" | "isBlockDevice">): ViewEntry {
  const device = entry.isCharacterDevice() || entry.isBlockDevice();
  return { name: entry.name, kind: entry.isDirectory() ? "folder" : device ? "device" : "other" };
}

/**
 * Looks at files as a process sees them. What is seen belongs to the payload, so links are followed here, inside its
 * root, as RESOLVE_IN_ROOT does, and a FUSE file system is not touched: its owner could keep the answer back for ever.
 * A payload that changes links meanwhile can make the answer wrong, and nothing else.
 */
export class RootView implements View {
  /** FUSE mounts that were met. */
  readonly untouched = new Set<string>();
  readonly #root: string;
  readonly #mounts: readonly MountEntry[];

  /** `root`: what stands before a path, such as "/proc/7/root"; `mounts`: the process's own. */
  constructor(root: string, mounts: readonly MountEntry[]) {
    this.#root = root;
    this.#mounts = mounts;
  }

  stat(path: string): { path: string; stats: Stats } | undefined {
    let links = 0;
    let at = "/";
    const left = path.split("/").filter(Boolean);
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const next = posix.join(at, name);
      const stats = this.#lstat(next);
      if (!stats) return undefined;
      if (!stats.isSymbolicLink()) at = next;
      else {
        const target = this.#readlink(next);
        if (target === undefined || ++links > MOST_LINKS) return undefined;
        if (target.startsWith("/")) at = "/";
        left.unshift(...target.split("/").filter(Boolean));
      }
    }
    const stats = this.#lstat(at);
    return stats && { path: at, stats };
  }

  list(path: string): ViewEntry[] {
    const found = this.stat(path);
    if (!found?.stats.isDirectory()) return [];
    try {
      return readdirSync(this.#root + found.path, { withFileTypes: true }).slice(0, MOST_NAMES).map((entry) => this.#describe(found.path, entry));
    } catch {
      return [];
    }
  }

  /** A folder tells of an entry what lies below a mount on it, not what is mounted. */
  #describe(folder: string, entry: Dirent): ViewEntry {
    const path = posix.join(folder, entry.name);
    if (!this.#mounts.some((mount) => mount.point === path)) return describeEntry(entry);
    const stats = this.#lstat(path);
    return stats ? describeEntry(Object.assign(stats, { name: entry.name })) : { name: entry.name, kind: "other" };
  }

  #lstat(path: string): Stats | undefined {
    const mount = resolveMount(this.#mounts, path);
    if (mount?.type.startsWith("fuse")) {
      this.untouched.add(mount.point);
      return undefined;
    }
    try {
      return lstatSync(this.#root + path);
    } catch {
      return undefined;
    }
  }

  #readlink(path: string): string | undefined {
    try {
      return readlinkSync(this.#root + path);
    } catch {
      return undefined;
    }
  }
}
