import { chmodSync, lchownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

const COUNT = 65_536;

/**
 * Gives all files of a tree to the range of ids that begins at `base`: whose number was N in a range of 65536 is N in
 * this one. It can be done again, and goes on where it was interrupted; the tree's own folder comes last, since its
 * owner tells which range it is. What is mounted in it is left alone, and so are ids in ACLs and file capabilities.
 */
export function shiftOwners(tree: string, base: number): void {
  const { dev } = lstatSync(tree);
  shiftBelow(tree, base, dev);
}

function shiftBelow(path: string, base: number, device: number): void {
  const stat = lstatSync(path);
  if (stat.dev !== device) return;
  if (stat.isDirectory()) for (const name of readdirSync(path)) shiftBelow(join(path, name), base, device);
  const uid = base + (stat.uid % COUNT);
  const gid = base + (stat.gid % COUNT);
  if (uid === stat.uid && gid === stat.gid) return;
  lchownSync(path, uid, gid);
  // a change of owner takes the setuid bits away (chown(2))
  if (!stat.isSymbolicLink() && (stat.mode & 0o6000) !== 0) chmodSync(path, stat.mode & 0o7777);
}
