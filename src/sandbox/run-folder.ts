import { lstatSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { findRunFolder } from "../launch/run-folder.js";

/**
 * The folder that holds this user's sandboxes; undefined when there is none yet. Whoever may write into it decides
 * what is killed, joined and removed, so nobody else may.
 * @throws BrigError BRIG_UNSAFE_RUN_FOLDER
 */
export function openRunFolder(folder = findRunFolder(process.geteuid?.() ?? -1)): string | undefined {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if (stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0) return folder;
  const what = stat.isDirectory() ? `it belongs to uid ${stat.uid} and has mode ${(stat.mode & 0o777).toString(8)}` : "it is no folder";
  throw new BrigError(`the folder of sandboxes ${folder} cannot be trusted: ${what}`, {
    code: "BRIG_UNSAFE_RUN_FOLDER",
    hint: `remove it (rm -r ${folder}), or set XDG_RUNTIME_DIR to a folder of your own`,
  });
}
