import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECIPES, type RootKind } from "./recipes.js";

/** Where a root is once it is built; it appears there whole. The folder is the caller's own. */
export function findCachedRoot(kind: RootKind): string {
  const key = createHash("sha256").update(JSON.stringify(RECIPES[kind])).digest("hex").slice(0, 12);
  return join(openCache(), `${kind}-${key}`);
}

function openCache(): string {
  const folder = join(tmpdir(), `brig-test-roots-${process.geteuid?.()}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.geteuid?.() || (stat.mode & 0o022) !== 0) throw new Error(`${folder} is not one's own`);
  return folder;
}
