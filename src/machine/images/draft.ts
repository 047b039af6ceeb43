import { lstatSync, readdirSync, rmSync } from "node:fs";
import { isAlive, readProcess } from "../../sandbox/process.js";
import { runWork } from "./workshop.js";

/** ".#brig-NAME.PID.START": what an import or clone is made as, by whom; it gets its name when it is whole. */
const DRAFT = /^\.#brig-.*\.(\d+)\.(\d+)(?:\.in|\.out)?$/;

/** A path in the pool for something that becomes an image; nothing lists it. */
export function nameDraft(pool: string, name: string): string {
  return `${pool}/.#brig-${name.slice(0, 100)}.${process.pid}.${readProcess(process.pid)?.start ?? "0"}`;
}

/** Removes what commands left that were killed half-way. */
export async function removeStaleDrafts(pool: string): Promise<void> {
  for (const name of readdirSync(pool)) {
    const [, pid, start] = DRAFT.exec(name) ?? [];
    if (pid !== undefined && start !== undefined && !isAlive({ pid: Number(pid), start })) await removeTree(`${pool}/${name}`);
  }
}

/**
 * Removes a file or folder, with whatever is in it: rm(1) walks by descriptors, follows no link and stays on the file
 * system. In a user's folders there are owners that only a user namespace can act for.
 */
export async function removeTree(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isDirectory()) await runWork({ command: ["find", "/image", "-xdev", "-mindepth", "1", "-delete"], write: { "/image": path } });
  rmSync(path, { recursive: true, force: true });
}
