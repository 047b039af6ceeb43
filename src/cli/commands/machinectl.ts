import { parseMachinectl } from "../../tools/machinectl/grammar.js";
import type { CommandForm } from "../grammar.js";
import { runMachinectl } from "../machinectl/words.js";
import { runAsTool } from "../soft-tool.js";

export const command: CommandForm = {
  name: "machinectl",
  usage: ["machinectl [OPTIONS…] COMMAND [NAME…]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig machinectl", what: "the machines that run" },
    { words: "brig machinectl status my_deb", what: "one of them: its processes, addresses, last messages" },
    { words: "brig machinectl import-tar debian.tar.xz", what: "an archive as an image that a machine can be started from" },
  ],
  run: ({ operands }) => runAsTool("machinectl", "", operands, () => runMachinectl(parseMachinectl(operands))),
};
