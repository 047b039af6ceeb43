import { type HostFacts, readHostFacts } from "../host/facts.js";
import { findRunFolder } from "../launch/run-folder.js";
import { witnessEnv, witnessFile } from "../launch/witness.js";
import { compilePlan } from "../plan/compile.js";
import type { Plan } from "../plan/plan.js";
import type { SandboxOptions } from "../policy/options.js";
import { readExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { readAskedSandbox } from "./asked-sandbox.js";
import type { ParsedWords } from "./grammar.js";
import { build } from "./version.js";

/** A compiled sandbox and the options that front-ends act on beside it. */
export interface CompiledRun {
  plan: Plan;
  spec: Spec;
  options: SandboxOptions;
  host: HostFacts;
}

/**
 * The plan of `brig run WORDS…`; `typed` is the whole command line, by which the launcher finds it in its cache.
 * `change` has the last word on the spec.
 */
export async function compileAsked(words: ParsedWords, typed: readonly string[], change: (spec: Spec) => Spec = (spec) => spec): Promise<CompiledRun> {
  const host = readHostFacts();
  const { spec: asked, options, consulted } = await readAskedSandbox(words, host);
  const spec = change(asked);
  const extension = readExtension(spec);
  const plan = compilePlan(spec, host, {
    runFolder: findRunFolder(host.euid),
    words: [...typed],
    cwd: process.cwd(),
    build,
    keepState: extension.keep ?? false,
    printId: extension.detach ?? false,
    witnesses: [...[...listOwnFiles(), ...consulted.files].map((path) => witnessFile(path)), ...[...consulted.env].map((name) => witnessEnv(name))],
  });
  return { plan, spec, options, host };
}

/** A rebuilt or upgraded brig compiles anew. */
function listOwnFiles(): string[] {
  const script = process.argv[1];
  return script?.endsWith(".cjs") ? [script] : [];
}
