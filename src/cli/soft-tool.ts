import { handOverPlan } from "../launch/hand-over.js";
import { readHostFacts, type HostFacts } from "../host/facts.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import type { Witness } from "../plan/plan.js";
import type { Spec } from "../spec/oci.js";
import { printError } from "./output/print.js";

/** What a command for a tool with its own grammar works with. */
export interface ToolRun {
  /** The command's name: "unshare". */
  tool: string;
  words: string[];
  host: HostFacts;
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
  try {
    return await run({ tool, words, host: readHostFacts() });
  } catch (error) {
    if (!(error instanceof Error && error.name === "BrigError")) throw error;
    return tellFailure(error as Error & ToolFailure, prefix);
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
export async function launchSpec(run: ToolRun, spec: Spec, witnesses: Witness[] = []): Promise<number> {
  return await handOverPlan(compileSpec(run, spec, witnesses));
}

/** A spec of a tool as bytes for the launcher. */
export function compileSpec({ tool, words, host }: ToolRun, spec: Spec, witnesses: Witness[] = []): Uint8Array {
  return encodePlan(compilePlan(spec, host, { words: [tool, ...words], cwd: process.cwd(), witnesses }));
}
