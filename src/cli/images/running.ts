import { existsSync } from "node:fs";
import { openContainersFolder } from "../../container/folder.js";
import { sweepContainers } from "../../container/life.js";
import { findDataFolder } from "../../sandbox/data-folder.js";
import { listSandboxes } from "../../sandbox/list.js";
import { isLive } from "../../sandbox/sandbox.js";

/** Whether the sandbox of this id, a container's, is there. */
export function isRunningContainer(id: string): boolean {
  return listSandboxes().some((sandbox) => isLive(sandbox) && (sandbox.id === id || id.startsWith(sandbox.id)));
}

/** Containers that went by themselves use their images no more. */
export async function sweepUsers(): Promise<void> {
  if (existsSync(`${findDataFolder()}/containers`)) await sweepContainers(openContainersFolder());
}
