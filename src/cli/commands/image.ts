import { BrigError } from "../../error/brig-error.js";
import { findNearest } from "../../spec/nearest.js";
import type { CommandForm } from "../grammar.js";
import { renderHelp } from "../help.js";
import { print } from "../output/print.js";
import { wantsColour } from "../output/colour.js";
import { parseWords } from "../parse-words.js";

const WORDS: Record<string, () => Promise<{ command: CommandForm }>> = {
  ls: () => import("./images.js"),
  pull: () => import("./pull.js"),
  push: () => import("./push.js"),
  rm: () => import("./rmi.js"),
  save: () => import("./save.js"),
  load: () => import("./load.js"),
  import: () => import("./import.js"),
  tag: () => import("./tag.js"),
  history: () => import("./history.js"),
  inspect: () => import("../images/inspect.js"),
  prune: () => import("../images/prune.js"),
};
const SAME: Record<string, string> = { list: "ls", remove: "rm" };

export const command: CommandForm = {
  name: "image",
  usage: [`image ${Object.keys(WORDS).join("|")} …`],
  description: "The commands for images, under one word as docker has them. brig image inspect and brig image prune are only here.",
  options: [],
  ownGrammar: true,
  operands: Object.keys(WORDS),
  examples: [{ words: "brig image inspect -f '{{.Config.Cmd}}' debian", what: "what it runs" }],
  run: ({ operands: [first, ...rest] }) => runWord(first, rest),
};

async function runWord(first: string | undefined, rest: string[]): Promise<number> {
  if (first === undefined || first === "--help" || first === "-h") return print(renderHelp(command, wantsColour(1))), 0;
  const name = SAME[first] ?? first;
  const load = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
  if (!load) throw refuse(first);
  const { command: form } = await load();
  const parsed = parseWords(form, rest);
  if (parsed.has("help")) return print(renderHelp(form, wantsColour(1))), 0;
  return (await form.run(parsed)) ?? 0;
}

function refuse(word: string): BrigError {
  const near = findNearest(word, Object.keys(WORDS));
  return new BrigError(`brig image has no command ${JSON.stringify(word)}`, { code: "BRIG_BAD_USAGE", exitCode: 1, hint: near ? `did you mean brig image ${near}?` : `one of ${Object.keys(WORDS).join(", ")}` });
}
