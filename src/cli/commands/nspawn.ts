import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { writeCachedPlan } from "../../launch/cache.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { findRunFolder } from "../../launch/run-folder.js";
import { witnessEnv, witnessFile } from "../../launch/witness.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import type { Witness } from "../../plan/plan.js";
import { readNspawnContext } from "../../tools/nspawn/context.js";
import { type ParsedNspawn, parseNspawn } from "../../tools/nspawn/grammar.js";
import { nspawnHelp, nspawnVersion } from "../../tools/nspawn/help.js";
import { buildNspawn } from "../../tools/nspawn/spec.js";
import { shiftOwners } from "../../rootfs/shift-owners.js";
import type { CommandForm } from "../grammar.js";
import { print, printError } from "../output/print.js";
import { runAsTool, type ToolRun } from "../soft-tool.js";
import { build } from "../version.js";

export const command: CommandForm = {
  name: "nspawn",
  usage: ["nspawn [OPTIONS...] [PATH] [ARGUMENTS...]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig nspawn -D my_deb", what: "a root shell in the folder, with its own processes" },
    { words: "brig nspawn -bD my_deb", what: "boot the system in it" },
  ],
  run: ({ operands }) => runAsTool("nspawn", "", operands, (run) => runNspawn(run, operands)),
};

async function runNspawn(run: ToolRun, words: string[]): Promise<number> {
  const parsed = parseNspawn(words);
  if (parsed === "version") return print(nspawnVersion), 0;
  if (parsed === "help") return print(nspawnHelp), 0;
  await copyTemplate(parsed);
  const bytes = compileNspawn(run, parsed);
  for (const warning of parsed.warnings) printError(warning);
  return await handOverPlan(bytes);
}

/** --template=: the root is made on first use. */
async function copyTemplate({ options: { template, directory, machine } }: ParsedNspawn): Promise<void> {
  if (template === undefined) return;
  const root = resolve(directory ?? join(MACHINES, machine ?? ""));
  if (existsSync(root)) return;
  const { cloneRoot } = await import("../../rootfs/clone/clone-root.js");
  await cloneRoot(resolve(template), root);
}

/** What brig refuses before anything is done has systemd-nspawn's exit status too. */
function asNspawn<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof Error && error.name === "BrigError")) throw error;
    const { code, hint, origin } = error as BrigError;
    throw new BrigError(error.message, { code, hint, origin, exitCode: 1, cause: error });
  }
}

/** Where machines are that are known by name alone, as systemd has it. */
const MACHINES = "/var/lib/machines";

/** The variables of the caller that the spec depends on. */
const VARIABLES = ["TERM", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY"];

function compileNspawn({ tool, words, host }: ToolRun, parsed: ParsedNspawn): Uint8Array {
  const typed = [tool, ...words];
  const cwd = process.cwd();
  const script = process.argv[1];
  const context = readNspawnContext(host);
  const { spec, chown } = buildNspawn(parsed, context);
  if (chown) shiftOwners(chown.tree, chown.base);
  const variables = [...VARIABLES, ...parsed.options.environment.flatMap(({ name, value }) => (value === undefined ? [name] : []))];
  const files = [...(script?.endsWith(".cjs") ? [script] : []), ...context.consulted];
  const witnesses: Witness[] = [{ kind: "tty", bits: host.terminals }, ...variables.map((name) => witnessEnv(name)), ...files.map((path) => witnessFile(path))];
  const bytes = asNspawn(() => encodePlan(compilePlan(spec, host, { runFolder: findRunFolder(host.euid), words: typed, cwd, build, witnesses })));
  // what was warned of is to be said each time, a name that was drawn is for once, and a secret is kept nowhere
  const { ephemeral, machine, credentials } = parsed.options;
  if (parsed.warnings.length > 0 || (ephemeral && machine === undefined) || credentials.length > 0 || chown) return bytes;
  writeCachedPlan({ words: typed, cwd, euid: host.euid, egid: host.egid, terminals: host.terminals }, bytes);
  return bytes;
}
