import { listSandboxes } from "../../sandbox/list.js";
import { isLive } from "../../sandbox/sandbox.js";

/** Whether the sandbox of this id, a container's, is there. */
export function isRunningContainer(id: string): boolean {
  return listSandboxes().some((sandbox) => isLive(sandbox) && (sandbox.id === id || id.startsWith(sandbox.id)));
}
