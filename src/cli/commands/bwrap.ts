import { readFileSync } from "node:fs";
import { handOverPlan } from "../../launch/hand-over.js";
import { compilePlan } from "../../plan/compile.js";
import { describeErrno } from "../../error/errno.js";
import type { Spec } from "../../spec/oci.js";
import { readBwrapContext } from "../../tools/bwrap/context.js";
import { parseBwrap } from "../../tools/bwrap/grammar.js";
import { bwrapHelp, bwrapVersion } from "../../tools/bwrap/help.js";
import { EXIT_FAILURE } from "../../tools/bwrap/options.js";
import { buildBwrapSpec } from "../../tools/bwrap/spec.js";
import { refuseWords } from "../../tools/bwrap/values.js";
import type { CommandForm } from "../grammar.js";
import { print, printError } from "../output/print.js";
import { runAsTool, sealPlan, type ToolRun } from "../soft-tool.js";
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
  return await handOverPlan(compileBwrap(run, buildBwrapSpec(asked, readBwrapContext(run.host))));
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

/** Words that are read from a descriptor are another time's others; that they were read is recorded. */
function compileBwrap(run: ToolRun, spec: Spec): Uint8Array {
  const { tool, words, host } = run;
  return asBwrap(() => sealPlan(run, compilePlan(spec, host, { words: [tool, ...words], cwd: process.cwd(), build })));
}
