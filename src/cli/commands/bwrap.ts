import { readFileSync } from "node:fs";
import { writeCachedPlan } from "../../launch/cache.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { witnessEnv, witnessFile } from "../../launch/witness.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import type { Witness } from "../../plan/plan.js";
import { describeErrno } from "../../error/errno.js";
import { readBwrapContext } from "../../tools/bwrap/context.js";
import { parseBwrap } from "../../tools/bwrap/grammar.js";
import { bwrapHelp, bwrapVersion } from "../../tools/bwrap/help.js";
import { type BwrapOptions, EXIT_FAILURE } from "../../tools/bwrap/options.js";
import { buildBwrapSpec, type BuiltSpec } from "../../tools/bwrap/spec.js";
import { refuseWords } from "../../tools/bwrap/values.js";
import type { CommandForm } from "../grammar.js";
import { print, printError } from "../output/print.js";
import { runAsTool, type ToolRun } from "../soft-tool.js";
import { build } from "../version.js";

export const command: CommandForm = {
  name: "bwrap",
  usage: ["bwrap [OPTIONS...] [--] COMMAND [ARGS...]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig bwrap --ro-bind / / --dev /dev --proc /proc --unshare-all bash", what: "a shell that can write nowhere and has no network" },
    { words: "brig bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --tmpfs /tmp ls /", what: "a root of its own" },
  ],
  run: ({ operands }) => runAsTool("bwrap", "bwrap: ", operands, (run) => runBwrap(run, operands)),
};

async function runBwrap(run: ToolRun, words: string[]): Promise<number> {
  const asked = parseBwrap(words, readDescriptor);
  if (asked === "version") return print(bwrapVersion), 0;
  if (asked === "help") return print(bwrapHelp), 0;
  if (asked === "usage") return printError(bwrapHelp), EXIT_FAILURE;
  for (const warning of asked.warnings) printError(`${asked.levelPrefix ? "<4>" : ""}bwrap: ${warning}`);
  const built = buildBwrapSpec(asked, readBwrapContext(run.host));
  return await handOverPlan(compileBwrap(run, asked, built));
}

/** What brig refuses before anything is done has bwrap's exit status too. */
function asBwrap<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof Error && error.name === "BrigError")) throw error;
    throw refuseWords(error.message, (error as Error & { hint?: string }).hint);
  }
}

function readDescriptor(fd: number): Buffer {
  try {
    return readFileSync(fd);
  } catch (error) {
    throw refuseWords(`Can't read --args data: ${describeErrno(error as NodeJS.ErrnoException)}`);
  }
}

/** The plan of the same words is the same as long as those variables are; words that are read from a descriptor are not kept. */
function compileBwrap({ tool, words, host }: ToolRun, asked: BwrapOptions, { spec, variables }: BuiltSpec): Uint8Array {
  const typed = [tool, ...words];
  const cwd = process.cwd();
  const script = process.argv[1];
  const witnesses: Witness[] = [{ kind: "tty", bits: host.terminals }, ...variables.map((name) => witnessEnv(name))];
  if (script?.endsWith(".cjs")) witnesses.push(witnessFile(script));
  const bytes = asBwrap(() => encodePlan(compilePlan(spec, host, { words: typed, cwd, build, witnesses })));
  const repeatable = asked.argsFds.length === 0 && asked.warnings.length === 0;
  if (repeatable) writeCachedPlan({ words: typed, cwd, euid: host.euid, egid: host.egid, terminals: host.terminals }, bytes);
  return bytes;
}
