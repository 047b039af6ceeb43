import { constants, copyFileSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync, type Dirent } from "node:fs";
import { join, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { isFolder } from "../../host/is-folder.js";
import { runWork } from "../../machine/images/workshop.js";
import { makeWhole, syncTree } from "../part-folder.js";

/** How a tree was copied: "reflink": blocks are shared until one side changes them (ioctl_ficlone(2)). */
export type CloneMethod = "reflink" | "copy";

/**
 * Copies a root: owners, modes, times, hard links, extended attributes (ACLs and file capabilities are such), holes,
 * device nodes. What is mounted in it stays behind. The copy appears whole, or not at all.
 *
 * @throws BrigError BRIG_NO_SUCH_ROOT, BRIG_FOLDER_TAKEN, BRIG_CANNOT_CLONE, BRIG_CANNOT_MAP_IDS, BRIG_INTERRUPTED
 */
export async function cloneRoot(root: string, dir: string): Promise<CloneMethod> {
  let method: CloneMethod = "copy";
  await makeWhole(dir, async (part) => {
    mkdirSync(part, { mode: 0o700 });
    method = await copyRoot(root, part);
  });
  return method;
}

/** The same into an empty folder. */
export async function copyRoot(root: string, into: string): Promise<CloneMethod> {
  const source = realpathRoot(root);
  if (`${resolve(into)}/`.startsWith(`${source === "/" ? "" : source}/`)) throw new BrigError(`${into} lies in ${root}: a copy would hold itself`, { code: "BRIG_CANNOT_CLONE", hint: "name a folder beside it" });
  const method = canShareBlocks(source, into) ? "reflink" : "copy";
  const command = ["cp", "-a", "--reflink=auto", "--one-file-system", "/source/.", "/image/"];
  const status = await runWork({ command, read: { "/source": source }, write: { "/image": into }, devices: process.geteuid?.() === 0 });
  if (status > 128) throw new BrigError(`copying ${root} was interrupted, and nothing is left of the copy`, { code: "BRIG_INTERRUPTED", exitCode: status });
  if (status !== 0) throw new BrigError(`cannot copy ${root}: cp ended with status ${status}`, { code: "BRIG_CANNOT_CLONE", hint: "nothing is left of the copy" });
  syncTree(into);
  return method;
}

/** @throws BrigError BRIG_NO_SUCH_ROOT */
export function realpathRoot(root: string): string {
  if (isFolder(root)) return realpathSync.native(root);
  throw new BrigError(`${JSON.stringify(root)} is no folder`, { code: "BRIG_NO_SUCH_ROOT", hint: "name the folder of a root" });
}

/** Tried with a file of the root, since only the file system knows. */
function canShareBlocks(source: string, into: string): boolean {
  const file = findFile(source, 4);
  if (file === undefined) return false;
  const probe = join(into, ".brig-probe");
  try {
    copyFileSync(file, probe, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Some file with content that can be read. */
function findFile(folder: string, depth: number): string | undefined {
  const entries = list(folder);
  const file = entries.find((entry) => entry.isFile() && (lstatSync(join(folder, entry.name), { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (file) return join(folder, file.name);
  if (depth === 0) return undefined;
  for (const entry of entries) {
    const found = entry.isDirectory() ? findFile(join(folder, entry.name), depth - 1) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
