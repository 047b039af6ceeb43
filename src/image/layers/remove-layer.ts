import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readHostFacts } from "../../host/facts.js";
import { chooseOwners } from "./owners.js";
import { runUnpacker } from "./run-unpacker.js";

/**
 * Removes a layer's folder with all in it. Its files may be other users' and its trees deeper than a path can be long:
 * a sandbox whose root it is empties it.
 */
export async function removeLayerFolder(home: string): Promise<void> {
  const root = join(home, "root");
  if (existsSync(root)) await runUnpacker(root, { owners: chooseOwners(readHostFacts()), mode: "wipe" }, async ({ stdin }) => void stdin!.end());
  rmSync(home, { recursive: true, force: true });
}

/** Takes a layer's folder out of sight at once; what it holds is removed with `removeLayerFolder` later. */
export function hideLayerFolder(home: string): string {
  const hidden = `${home}.dead-${process.pid}-${process.hrtime.bigint().toString(36)}`;
  renameSync(home, hidden);
  return hidden;
}
