import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { homedir } from "node:os";
import { findLauncher } from "../../launch/find-launcher.js";
import type { HostFacts } from "../../host/facts.js";
import { leadsToFolder } from "./base.js";
import { readConfig, SYSTEM_FOLDER } from "./config.js";
import type { JailContext } from "./draft.js";
import { openFolders } from "./glob.js";
import { makeXdgFinder, type Places } from "./macros.js";

/** Where the caller's macros lead. */
export function findPlaces(host: HostFacts, env: NodeJS.ProcessEnv = process.env): Places {
  const { HOME } = env;
  const home = HOME?.startsWith("/") ? resolve(HOME) : homedir();
  return { home, runUser: `/run/user/${host.euid}`, system: SYSTEM_FOLDER, findXdgFolder: makeXdgFinder(home, leadsToFolder) };
}

/**
 * Everything that rules are understood against.
 * @param own folders of brig's own: sandboxes' sockets, plans, staged files
 */
export function readJailContext(host: HostFacts, places: Places, stage: string, own: readonly string[]): JailContext {
  return { cwd: process.cwd(), env: process.env, places, config: readConfig(places.system), host, folders: openFolders(), stage, own, launcher: readLauncher() };
}

function readLauncher(): string | undefined {
  try {
    return realpathSync(findLauncher());
  } catch {
    return undefined;
  }
}
