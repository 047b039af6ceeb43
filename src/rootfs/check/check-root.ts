import { resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { isFolder } from "../../host/is-folder.js";
import { openSourceRoot, type SourceRoot } from "../elf/source-root.js";
import { findFiles } from "./files.js";
import { findOwners } from "./owners.js";
import { findPrograms } from "./programs.js";

/** Something that a root lacks. */
export interface RootFinding {
  /** "missing": it cannot be entered, or what runs in it will fail; "hint": worth knowing. */
  weight: "missing" | "hint";
  /** In the root. */
  path: string;
  what: string;
  /** What to do about it. */
  fix: string;
}

/** A root that is looked at. */
export interface LookedAt {
  /** Absolute, on the host. */
  dir: string;
  root: SourceRoot;
}

export interface RootReport {
  dir: string;
  /** Nothing is missing; hints do not count. */
  ok: boolean;
  /** "x86_64": what its shell is made for; undefined without a shell that can be read. */
  machine: string | undefined;
  /** How many programs were looked at. */
  programs: number;
  findings: RootFinding[];
}

/**
 * Says what a folder lacks to be entered as a root. Nothing in it is run, and no link leads out of it.
 * @throws BrigError BRIG_NO_SUCH_ROOT, BRIG_JAIL_UNREADABLE
 */
export function checkRoot(folder: string): RootReport {
  const dir = resolve(folder);
  if (!isFolder(dir)) {
    throw new BrigError(`${JSON.stringify(folder)} is no folder`, { code: "BRIG_NO_SUCH_ROOT", hint: "brig rootfs debootstrap DIR makes a root" });
  }
  const looked = { dir, root: openSourceRoot(dir) };
  const { findings, machine, programs } = findPrograms(looked);
  const all = [...findings, ...findFiles(looked), ...findOwners(looked)];
  return { dir, ok: all.every(({ weight }) => weight !== "missing"), machine, programs, findings: all };
}
