import { parseFirejail } from "../../tools/firejail/grammar.js";
import { runFirejail } from "../firejail-run.js";
import type { CommandForm } from "../grammar.js";
import { runAsTool } from "../soft-tool.js";

export const command: CommandForm = {
  name: "firejail",
  usage: ["firejail [options] [program and arguments]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig firejail firefox", what: "a browser with its own profile" },
    { words: "brig firejail --private --net=none sh", what: "a shell with an empty home and no network" },
    { words: "brig firejail --whitelist=~/Downloads --profile=vlc vlc", what: "with another folder" },
  ],
  run: ({ operands }) =>
    runAsTool("firejail", "Error: ", operands, async (run) => {
      const words = parseFirejail(operands);
      return words.action ? await (await import("../firejail-actions.js")).runFirejailAction(run, words) : await runFirejail(run, words);
    }),
};
