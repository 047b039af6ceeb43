import { spawnSync } from "node:child_process";
import { lstatSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { runEnclosed } from "./run-enclosed.js";

/**
 * Removes a tree whose files may belong to any of the caller's ids. rm(1) walks by descriptors and follows no links;
 * nothing that is mounted in the tree is entered.
 * @throws BrigError BRIG_CANNOT_REMOVE
 */
export async function removeTree(path: string): Promise<void> {
  const args = ["/bin/rm", "-rf", "--one-file-system", "--", path];
  if (process.geteuid?.() === 0 || !(await removeAsMapped(args))) spawnSync(args[0]!, args.slice(1), { stdio: "ignore" });
  if (lstatSync(path, { throwIfNoEntry: false })) throw new BrigError(`cannot remove ${path}`, { code: "BRIG_CANNOT_REMOVE", hint: `look at what keeps it: rm -r ${path}` });
}

async function removeAsMapped(args: string[]): Promise<boolean> {
  try {
    return (await runEnclosed({ args, env: ["PATH=/usr/bin:/bin"], cwd: "/" })).status === 0;
  } catch (error) {
    if (!(error instanceof BrigError)) throw error;
    return false;
  }
}
