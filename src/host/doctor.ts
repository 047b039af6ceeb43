import { checkCgroup } from "./doctor/check-cgroup.js";
import { checkKernel } from "./doctor/check-kernel.js";
import { checkNamespaces } from "./doctor/check-namespaces.js";
import { checkSurroundings } from "./doctor/check-surroundings.js";
import { checkTools } from "./doctor/check-tools.js";
import type { Checkup, Finding } from "./doctor/finding.js";
import { readHostFacts } from "./facts.js";
import { runProbe } from "./probe.js";

export type { Finding } from "./doctor/finding.js";

/** Where a diagnosis takes its facts from; all of it has the real host as default. */
export interface DiagnoseOptions extends Partial<Checkup> {
  /** The launcher, which finds out by trying what files do not tell. */
  launcher?: string | undefined;
}

/** What this host offers and lacks for sandboxes, each with what it means and what to do about it. */
export function diagnose(options: DiagnoseOptions = {}): Finding[] {
  const { root = "/", env = process.env } = options;
  const facts = options.facts ?? readHostFacts(root, env);
  const checkup: Checkup = { root, env, facts, probe: options.probe ?? runProbe(options.launcher) };
  return [checkNamespaces, checkKernel, checkCgroup, checkSurroundings, checkTools].flatMap((check) => check(checkup));
}

/** Whether `brig run` without further words works here. */
export function canRunSafeDefault(findings: readonly Finding[]): boolean {
  return findings.every((finding) => !finding.required || finding.state !== "missing");
}
