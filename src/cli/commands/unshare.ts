import { readToolContext } from "../../tools/grammar/context.js";
import { parseUnshare } from "../../tools/unshare/grammar.js";
import { unshareHelp } from "../../tools/unshare/help.js";
import { buildUnshareSpec } from "../../tools/unshare/spec.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { launchSpec, runAsTool } from "../soft-tool.js";
import { version } from "../version.js";

export const command: CommandForm = {
  name: "unshare",
  usage: ["unshare [options] [<program> [<argument>...]]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig unshare --net /bin/bash", what: "a shell without a network" },
    { words: "brig unshare --pid --fork --mount-proc ps aux", what: "only its own processes" },
  ],
  run: ({ operands }) =>
    runAsTool("unshare", "unshare: ", operands, async (run) => {
      const asked = parseUnshare(operands);
      if (asked === "help") return print(unshareHelp), 0;
      if (asked === "version") return print(`unshare of brig ${version}, with the options of util-linux 2.38`), 0;
      return await launchSpec(run, buildUnshareSpec(asked, readToolContext(run.host)));
    }),
};
