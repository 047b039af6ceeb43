import { join } from "node:path";
import { findRunFolder } from "../../launch/run-folder.js";
import { findDataFolder } from "../../sandbox/data-folder.js";

/** The definitions: a folder for each network. */
export function findDefinitions(): string {
  return join(findDataFolder(), "networks");
}

/**
 * What there is of networks as long as somebody is on them: "/run/brig-networks", beside the folder of sandboxes, in
 * which every folder is a sandbox's.
 */
export function findNetworkRun(runFolder = findRunFolder(process.geteuid?.() ?? -1)): string {
  return `${runFolder}-networks`;
}
