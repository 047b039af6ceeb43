import { readHostFacts } from "../host/facts.js";
import { writeExecutablePlan } from "../launch/cache.js";
import { findLauncher } from "../launch/find-launcher.js";
import { findRunFolder } from "../launch/run-folder.js";
import { compilePlan } from "../plan/compile.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";

/**
 * Writes a plan that a service starts: without a terminal, and as whoever systemd starts it. It holds for the host that
 * it was made on, and depends on no words that could be asked again.
 */
export async function writeServicePlan(path: string, spec: Spec, command: readonly string[]): Promise<void> {
  const host = readHostFacts();
  const forService = writeExtension(spec, { ...readExtension(spec), terminal: "never" });
  const plan = compilePlan(forService, host, { runFolder: findRunFolder(host.euid), words: ["run", "--", ...command], cwd: "/" });
  writeExecutablePlan(path, { ...plan, witnesses: plan.witnesses.filter(({ kind }) => kind === "ids") }, findLauncher());
}
