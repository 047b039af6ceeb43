import { readHostFacts } from "../../host/facts.js";
import { findRunFolder } from "../../launch/run-folder.js";
import { holdPlan, runLauncher } from "../../launch/run-plan.js";
import { disableMachine, enableMachine, listEnabled, runsSystemd, START_WORDS } from "../../machine/enabled.js";
import { listMachines } from "../../machine/find.js";
import { findImage, type MachineImage } from "../../machine/images/image.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import { readExtension, writeExtension } from "../../spec/extension.js";
import type { Spec } from "../../spec/oci.js";
import { machinectlError } from "../../tools/machinectl/errors.js";
import { readNspawnContext } from "../../tools/nspawn/context.js";
import { parseNspawn } from "../../tools/nspawn/grammar.js";
import { buildNspawnSpec } from "../../tools/nspawn/spec.js";
import { printError } from "../output/print.js";
import type { AskedVerb } from "./words.js";

/** What is kept of a machine's console. */
const LOG_BYTES = 4 << 20;

export async function runStartVerb({ verb, operands, options }: AskedVerb): Promise<number> {
  switch (verb) {
    case "start": return await startAll(verbNames(operands, options.enabled));
    case "enable": enableAll(operands, options.quiet); return 0;
    case "disable": for (const name of operands) disableMachine(name); return 0;
    default: throw new Error(verb);
  }
}

function enableAll(names: readonly string[], quiet: boolean): void {
  for (const name of names) enableMachine(requireImage(name).name);
  if (!runsSystemd() && !quiet) printError("no systemd runs here: have `brig machinectl start --enabled` run when the host starts");
}

function verbNames(names: string[], enabled: boolean): string[] {
  if (enabled) return [...new Set([...names, ...listEnabled()])];
  if (names.length === 0) throw machinectlError("Too few arguments.", "BRIG_BAD_USAGE", "or --enabled: all that were enabled");
  return names;
}

/** One that cannot be started keeps no other from it. */
async function startAll(names: readonly string[]): Promise<number> {
  let status = 0;
  for (const name of names) {
    if (listMachines().some((machine) => machine.name === name)) continue;
    const failed = await startMachine(requireImage(name));
    if (failed !== 0) status = 1;
  }
  return status;
}

function requireImage(name: string): MachineImage {
  try {
    return findImage(name);
  } catch {
    throw machinectlError(`Machine image '${name}' does not exist.`, "BRIG_NO_SUCH_IMAGE", "brig machinectl list-images lists them");
  }
}

/** As systemd-nspawn@.service would, and without anyone in front of it: its console goes to a log. */
async function startMachine({ name, type, path }: MachineImage): Promise<number> {
  const where = type === "raw" || type === "block" ? `--image=${path}` : `--directory=${path}`;
  const parsed = parseNspawn([...START_WORDS, "--console=passive", `--machine=${name}`, where]);
  if (typeof parsed === "string") throw new Error(parsed);
  for (const warning of parsed.warnings) printError(warning);
  const host = readHostFacts();
  const spec = detachMachine(buildNspawnSpec(parsed, readNspawnContext(host)));
  const plan = compilePlan(spec, host, { runFolder: findRunFolder(host.euid), words: ["machinectl", "start", name], cwd: process.cwd() });
  return await holdPlan(encodePlan(plan), (fd) => runLauncher(["--plan-fd", "3"], [fd]));
}

function detachMachine(spec: Spec): Spec {
  return writeExtension(spec, { ...readExtension(spec), detach: true, log: { maxBytes: LOG_BYTES } });
}
