import { readdirSync } from "node:fs";
import { findNetworkRun } from "../network/named/folders.js";
import { sweepNetworks } from "../network/named/sweep.js";
import { openRunFolder } from "./run-folder.js";
import { isId, readSandbox, type Sandbox } from "./sandbox.js";
import { sweepSandboxes } from "./sweep.js";

/**
 * This user's sandboxes, running and ended, newest first. What dead supervisors have left is cleaned up before.
 * @throws BrigError BRIG_UNSAFE_RUN_FOLDER
 */
export function listSandboxes(folder?: string): Sandbox[] {
  const runFolder = openRunFolder(folder);
  if (runFolder === undefined) return [];
  sweepSandboxes(runFolder);
  sweepNetworks(findNetworkRun(runFolder));
  return readSandboxes(runFolder).sort((a, b) => b.createdMs - a.createdMs);
}

/** The same as they stand, in no order. */
export function readSandboxes(runFolder: string): Sandbox[] {
  return readdirSync(runFolder).filter(isId).flatMap((id) => readSandbox(runFolder, id) ?? []);
}
