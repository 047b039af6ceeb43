import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../rootfs/enclosed/remove-tree.js";

/**
 * Removes what a container wrote. Its folders may have no rights, as overlayfs' own has none, and its files may belong to
 * subordinate ids, over which only the root of a user namespace has power.
 * @throws BrigError BRIG_CANNOT_REMOVE
 */
export async function removeFolder(path: string): Promise<void> {
  if (process.geteuid?.() !== 0) unlockFolders(path);
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EACCES", "EPERM", "ENOTEMPTY"].includes(code)) throw error;
    await removeTree(path);
  }
}

/** The user's own ones; nobody else works in it any more, and no link is followed. */
function unlockFolders(path: string): void {
  const is = lstatSync(path, { throwIfNoEntry: false });
  if (!is?.isDirectory() || is.uid !== process.geteuid?.()) return;
  if ((is.mode & 0o700) !== 0o700) chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) unlockFolders(join(path, entry.name));
}
