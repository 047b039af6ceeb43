import { spawnSync } from "node:child_process";
import { renderSweep } from "../../plan/compile/named-network.js";
import { networkError } from "./errors.js";
import { findNetworkRun } from "./folders.js";
import { hasLeavings } from "./members.js";

/** Undoes what those have left who were killed together with who stood beside them. */
export function sweepNetworks(run = findNetworkRun()): void {
  if (hasLeavings(run)) runScript(renderSweep(run), "what killed sandboxes have left of networks cannot be undone");
}

/** @throws BrigError BRIG_CANNOT_NETWORK, with what the shell said last */
export function runScript(script: string, failing: string): void {
  const { status, stderr, error } = spawnSync("/bin/sh", ["-s"], { input: script, encoding: "utf8" });
  if (status !== 0) throw networkError("BRIG_CANNOT_NETWORK", `${failing}: ${lastLine(stderr) || error?.message || `status ${status}`}`);
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
