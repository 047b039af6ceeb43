import { dirname, join } from "node:path";
import { findLauncher } from "../launch/find-launcher.js";
import { runPlan } from "../launch/run-plan.js";
import { MAPPED_BASE } from "../policy/identity.js";
import type { SandboxOptions } from "../policy/options.js";
import { listChanges } from "../rootfs/overlay/changes.js";
import { commitChanges } from "../rootfs/overlay/commit.js";
import { dropMountPoints } from "../rootfs/overlay/mount-points.js";
import { makeScratch, removeScratch, removeStale } from "../rootfs/overlay/scratch.js";
import { type Extension, readExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { letters, showPath } from "./output/changes.js";
import { printError } from "./output/print.js";

type Overlay = NonNullable<Extension["overlay"]>[number];

/**
 * Runs a plan whose writes go to overlays in a scratch folder, then drops, lists or keeps them. Returns the status.
 *
 * @param run does so with the plan, in the foreground
 */
export async function runEphemeral(bytes: Uint8Array, spec: Spec, mode: NonNullable<SandboxOptions["ephemeral"]>, run = runPlan): Promise<number> {
  const overlays = readExtension(spec).overlay ?? [];
  const [first] = overlays;
  if (!first) return run(bytes);
  const scratch = dirname(dirname(first.upper));
  const shift = first.place === undefined ? 0 : MAPPED_BASE;
  removeStale(dirname(scratch));
  try {
    makeScratch(scratch, overlays, shift);
    const status = await run(bytes);
    if (mode === "diff") showChanges(overlays, spec);
    if (mode === "commit") keepChanges(overlays, spec, status, shift);
    return status;
  } finally {
    removeScratch(scratch);
  }
}

/** As `docker diff` prints them, on standard error: standard output is the payload's. */
function showChanges(overlays: readonly Overlay[], spec: Spec): void {
  const launcher = findLauncher();
  const lines = overlays.flatMap(({ lower, upper, destination }) => dropMountPoints(listChanges(lower, upper, launcher), destination, spec).map(({ kind, path }) => `${letters[kind]} ${showPath(join(lower, path))}`));
  if (lines.length > 0) printError(lines.join("\n"));
}

function keepChanges(overlays: readonly Overlay[], spec: Spec, status: number, shift: number): void {
  if (status !== 0) return printError(`brig: nothing was kept, since the command ended with status ${status}`);
  const launcher = findLauncher();
  for (const { lower, upper, destination } of overlays) {
    const skipped = commitChanges(lower, upper, dropMountPoints(listChanges(lower, upper, launcher), destination, spec), shift);
    for (const path of skipped) printError(`brig: ${showPath(join(lower, path))} was not kept: it is no file, folder or link`);
  }
}
