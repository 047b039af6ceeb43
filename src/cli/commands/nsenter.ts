import { readToolContext } from "../../tools/grammar/context.js";
import { parseNsenter } from "../../tools/nsenter/grammar.js";
import { nsenterHelp } from "../../tools/nsenter/help.js";
import { buildNsenterSpec } from "../../tools/nsenter/spec.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { launchSpec, runAsTool } from "../soft-tool.js";
import { version } from "../version.js";

export const command: CommandForm = {
  name: "nsenter",
  usage: ["nsenter [options] [<program> [<argument>...]]"],
  options: [],
  ownGrammar: true,
  examples: [{ words: "brig nsenter --target 4711 --net ip address", what: "a process's network from inside" }],
  run: ({ operands }) =>
    runAsTool("nsenter", "nsenter: ", operands, async (run) => {
      const asked = parseNsenter(operands);
      if (asked === "help") return print(nsenterHelp), 0;
      if (asked === "version") return print(`nsenter of brig ${version}, with the options of util-linux 2.38`), 0;
      return await launchSpec(run, buildNsenterSpec(asked, readToolContext(run.host)));
    }),
};
