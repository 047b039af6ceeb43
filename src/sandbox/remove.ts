import { BrigError } from "../error/brig-error.js";
import { isLive, type Sandbox } from "./sandbox.js";
import { stopSandbox } from "./stop.js";
import { removeState } from "./sweep.js";
import { awaitEnd } from "./wait.js";

/**
 * Removes the record, log and name of a sandbox that has ended; with `force` of a running one too, which is killed.
 * @throws BrigError BRIG_RUNNING
 */
export async function removeSandbox(sandbox: Sandbox, force = false): Promise<void> {
  if (isLive(sandbox) && !force)
    throw new BrigError(`sandbox ${sandbox.id} is ${sandbox.state}`, { code: "BRIG_RUNNING", hint: `brig stop ${sandbox.id}, or brig rm -f` });
  if (isLive(sandbox)) await stopSandbox(sandbox, 0);
  // its supervisor may be busy with the last of its cgroups
  await awaitEnd(sandbox, 5000);
  removeState(sandbox);
}
