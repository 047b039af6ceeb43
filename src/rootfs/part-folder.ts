import { spawnSync } from "node:child_process";
import { lstatSync, readdirSync, renameSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { isFolder } from "../host/is-folder.js";
import { findTool } from "../host/tools.js";
import { isAlive, readProcess } from "../sandbox/process.js";
import { removeTree } from "./enclosed/remove-tree.js";

/**
 * A tree in the making stands beside its place as `NAME.brig-part-PID.START` (START: field 22 of /proc/PID/stat), and gets
 * its name when it is whole. Whoever makes one in the same folder later removes those whose maker is dead.
 */
export async function makeWhole(place: string, make: (part: string) => Promise<void>): Promise<void> {
  const target = resolve(place);
  checkFree(target);
  await removeDeadParts(dirname(target));
  const part = `${target}.brig-part-${process.pid}.${readProcess(process.pid)?.start ?? 0}`;
  try {
    await make(part);
    renameSync(part, target);
  } catch (error) {
    await removeTree(part);
    if ((error as NodeJS.ErrnoException).code === "ENOTEMPTY") throw refuseTaken(target);
    throw error;
  }
}

/** Everything of its file system is on disk, so that no name stands for half a tree after a power failure (syncfs(2)). */
export function syncTree(folder: string): void {
  spawnSync(findTool("sync") ?? "sync", ["-f", "--", folder], { stdio: "ignore" });
}

/** @throws BrigError BRIG_FOLDER_TAKEN, BRIG_NO_SUCH_PATH */
function checkFree(target: string): void {
  if (!isFolder(dirname(target))) throw new BrigError(`there is no folder ${dirname(target)} to make ${basename(target)} in`, { code: "BRIG_NO_SUCH_PATH", hint: `mkdir -p ${dirname(target)}` });
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat && !(stat.isDirectory() && readdirSync(target).length === 0)) throw refuseTaken(target);
}

function refuseTaken(target: string): BrigError {
  return new BrigError(`${target} is there already, and not empty`, { code: "BRIG_FOLDER_TAKEN", hint: "name another folder, or remove it" });
}

/** Only one's own: anybody can make such a name in a folder like /tmp. */
async function removeDeadParts(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const [, pid, start] = /\.brig-part-(\d+)\.(\d+)$/.exec(name) ?? [];
    if (pid === undefined || start === undefined || isAlive({ pid: Number(pid), start })) continue;
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false });
    if (stat?.isDirectory() && stat.uid === process.geteuid?.()) await removeTree(join(folder, name));
  }
}
