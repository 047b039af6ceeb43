import { realpathSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { isFolder } from "../../host/is-folder.js";
import { findSnapshot, listSnapshots } from "../clone/snapshots.js";

/** Two trees, as folders on the host. */
export interface Trees {
  before: string;
  after: string;
}

/**
 * A folder, or the name of a snapshot; of both the folder counts.
 * @throws BrigError BRIG_NO_SUCH_ROOT
 */
export function findTree(word: string): string {
  const found = findFolder(word) ?? findSnapshot(word)?.root;
  if (found !== undefined) return found;
  throw new BrigError(`${JSON.stringify(word)} is no folder, and no snapshot has that name`, { code: "BRIG_NO_SUCH_ROOT", hint: "brig snapshot --list" });
}

/** With one word: a snapshot and what it was taken of, or a root and its last snapshot. @throws BrigError BRIG_NO_SUCH_ROOT */
export function findTrees(first: string, second?: string): Trees {
  if (second !== undefined) return { before: findTree(first), after: findTree(second) };
  const folder = findFolder(first);
  const snapshot = folder === undefined ? findSnapshot(first) : listSnapshots().findLast(({ source }) => source === folder);
  if (snapshot) return { before: snapshot.root, after: findTree(snapshot.source) };
  if (folder === undefined) findTree(first);
  throw new BrigError(`there is no snapshot of ${first} to compare it with`, { code: "BRIG_NO_SUCH_SNAPSHOT", hint: `brig snapshot ${first} takes one; brig diff A B compares two folders` });
}

function findFolder(word: string): string | undefined {
  return isFolder(word) ? realpathSync.native(word) : undefined;
}
