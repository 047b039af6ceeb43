import { writeCachedPlan } from "../../launch/cache.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { encodePlan } from "../../plan/encode.js";
import { readExtension } from "../../spec/extension.js";
import { sandboxOptions } from "../asked-sandbox.js";
import { compileAsked } from "../compile-asked.js";
import { denialOptions, wantsDenials } from "../denial-options.js";
import type { CommandForm, ParsedWords } from "../grammar.js";

export const command: CommandForm = {
  name: "run",
  usage: ["run [OPTIONS] [--] COMMAND [ARGUMENT…]", "run --spec PATH", "run --profile FILE [-- COMMAND…]"],
  description:
    "The safe default: all namespaces new; the host's system folders read-only; home, /tmp and /run private and gone on exit; " +
    "the working folder visible, read-only; no network but loopback; no capabilities; a seccomp allow-list; Landlock; limits on " +
    "memory and processes; a terminal of its own; a short environment. Each option opens or tightens one wall.\n" +
    "The exit status is the command's, 128+N when signal N ended it, 127 when it is not found, 126 when it cannot be executed, " +
    "and 125 when brig itself failed.",
  options: [...sandboxOptions, ...denialOptions, { name: "json", group: "Output", help: "errors as JSON" }],
  stopAtOperand: true,
  operands: "command",
  examples: [
    { words: "brig run -- ls -la", what: "look around, with everything closed" },
    { words: "brig run --write . -- npm test", what: "let it change the working folder, and nothing else" },
    { words: "brig run --net user --write . -- npm install", what: "with outgoing network" },
    { words: "brig run --read ~/.gitconfig --env GIT_AUTHOR_NAME -- git log", what: "show one file of the home, pass one variable" },
    { words: "brig run --ephemeral --diff --write . -- ./install.sh", what: "see what a script would write, and drop it" },
    { words: "brig run --explain-denials -- ./tool", what: "and at the end, what was blocked and which words would allow it" },
    { words: "brig run --memory 512MiB --pids 64 --timeout 30s -- ./untrusted", what: "with limits" },
    { words: "brig run --root ./jail -- /bin/sh", what: "in a root of its own" },
  ],
  run: (words) => runAsked(words, process.argv.slice(2)),
};

async function runAsked(words: ParsedWords, typed: readonly string[]): Promise<number> {
  if (wantsDenials(words)) return (await import("../run-explained.js")).runExplained(words, typed);
  const { plan, spec, options, host } = await compileAsked(words, typed);
  const bytes = encodePlan(plan);
  if (options.ephemeral) {
    const { runEphemeral } = await import("../run-ephemeral.js");
    return runEphemeral(bytes, spec, options.ephemeral);
  }
  const { name } = readExtension(spec);
  if (name !== undefined) await freeStaleNames();
  // a name that a killed sandbox left is freed here, which a kept plan would pass by
  if (!options.inheritEnv && name === undefined) writeCachedPlan({ words: typed, cwd: process.cwd(), euid: host.euid, egid: host.egid, terminals: host.terminals }, bytes);
  return handOverPlan(bytes);
}

async function freeStaleNames(): Promise<void> {
  const [{ openRunFolder }, { sweepSandboxes }] = await Promise.all([import("../../sandbox/run-folder.js"), import("../../sandbox/sweep.js")]);
  const runFolder = openRunFolder();
  if (runFolder !== undefined) sweepSandboxes(runFolder);
}
