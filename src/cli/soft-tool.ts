import { writeCachedPlan } from "../launch/cache.js";
import { handOverPlan } from "../launch/hand-over.js";
import { type Recording, recordInputs } from "../launch/record-inputs.js";
import { findRunFolder } from "../launch/run-folder.js";
import { witnessFile } from "../launch/witness.js";
import { readHostFacts, type HostFacts } from "../host/facts.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import type { Plan } from "../plan/plan.js";
import { readExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { printError } from "./output/print.js";
import { build } from "./version.js";

/** What a command for a tool with its own grammar works with. */
export interface ToolRun {
  /** The command's name: "unshare". */
  tool: string;
  words: string[];
  host: HostFacts;
  /** What the command asks of the host, from its beginning on. */
  recording: Recording;
}

/**
 * Runs a command that stands for another tool, and tells its failures as that tool does: "unshare: MESSAGE" and the
 * tool's exit status. `prefix` is what its messages begin with.
 */
export async function runAsTool(
  tool: string,
  prefix: string,
  words: string[],
  run: (run: ToolRun) => number | Promise<number>,
): Promise<number> {
  const recording = recordInputs();
  try {
    return await run({ tool, words, host: readHostFacts(), recording });
  } catch (error) {
    if (!(error instanceof Error && error.name === "BrigError")) throw error;
    return tellFailure(error as Error & ToolFailure, prefix);
  } finally {
    recording.stop();
  }
}

/** The fields of a BrigError; each bundle has a copy of that class. */
interface ToolFailure {
  hint?: string | undefined;
  exitCode: number;
}

function tellFailure(error: Error & ToolFailure, prefix: string): number {
  const lines = error.message.split("\n").map((line) => `${prefix}${line}`);
  if (error.hint !== undefined) lines.push(error.hint.startsWith("Try '") ? error.hint : `  hint: ${error.hint}`);
  printError(lines.join("\n"));
  return error.exitCode;
}

/** Compiles a tool's spec and gives it to the launcher, which becomes the program. */
export async function launchSpec(run: ToolRun, spec: Spec): Promise<number> {
  return await handOverPlan(sealPlan(run, compileToolPlan(run, spec)));
}

/** A spec of a tool as bytes for the launcher. */
export function compileSpec(run: ToolRun, spec: Spec): Uint8Array {
  return encodePlan(compileToolPlan(run, spec));
}

export function compileToolPlan({ tool, words, host }: ToolRun, spec: Spec): Plan {
  // a display's files are in a state folder
  const place = readExtension(spec).display ? { runFolder: findRunFolder(host.euid) } : {};
  return compilePlan(spec, host, { words: [tool, ...words], cwd: process.cwd(), build, ...place });
}

/**
 * The plan's bytes, kept for the next time that the same words are typed: it holds while everything that was asked of
 * the host up to here has the same answer. A command that did or said something beside its plan is not kept.
 */
export function sealPlan({ tool, words, host, recording }: ToolRun, plan: Plan): Uint8Array {
  const { euid, egid, terminals } = host;
  const answers = recording.stop();
  if (!Array.isArray(answers)) return encodePlan(plan);
  const script = process.argv[1];
  plan.witnesses.push({ kind: "tty", bits: terminals }, ...(script?.endsWith(".cjs") ? [witnessFile(script)] : []), ...answers);
  const bytes = encodePlan(plan);
  writeCachedPlan({ words: [tool, ...words], cwd: process.cwd(), euid, egid, terminals }, bytes);
  return bytes;
}
