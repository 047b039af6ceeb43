import { BrigError } from "../../error/brig-error.js";
import { findNearest } from "../../spec/nearest.js";
import type { CommandForm } from "../grammar.js";
import { renderHelp } from "../help.js";
import { networkWords } from "../network/words.js";
import { wantsColour } from "../output/colour.js";
import { print } from "../output/print.js";
import { parseWords } from "../parse-words.js";

const DESCRIPTION =
  "Networks with names, in docker network's words: sandboxes on one network reach each other by name, and others not. " +
  "brig run --net NAME puts a sandbox on one.";

export const command: CommandForm = {
  name: "network",
  usage: networkWords.flatMap(({ usage }) => usage),
  description: DESCRIPTION,
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig network create front", what: "a bridge with a subnet that is free" },
    { words: "brig run --net front --name web --publish 8080:80 -- ./server", what: "a server on it, and a port of the host's that leads to it" },
    { words: "brig run --net front -- curl http://web/", what: "another one finds it by its name" },
    { words: "brig network create --internal --isolated --ipv6 --subnet 10.77.0.0/24 quiet", what: "no way out, and none to each other" },
    { words: "brig network rm front", what: "when nobody is on it" },
  ],
  run: ({ operands }) => runNetwork(operands),
};

async function runNetwork([word, ...rest]: readonly string[]): Promise<number> {
  if (word === undefined || word === "--help" || word === "-h") return show(renderHelp({ ...command, ownGrammar: false }, wantsColour(1)));
  const name = ALIASES[word] ?? word;
  const form = networkWords.find((each) => each.name === `network ${name}`);
  if (!form) throw refuse(word);
  const parsed = parseWords(form, rest);
  if (parsed.has("help")) return show(renderHelp(form, wantsColour(1)));
  return (await form.run(parsed)) ?? 0;
}

const ALIASES: Record<string, string> = { list: "ls", remove: "rm" };

function refuse(word: string): BrigError {
  const nearest = findNearest(word, networkWords.map(({ name }) => name.slice("network ".length)));
  return new BrigError(`brig network has no command ${JSON.stringify(word)}`, { code: "BRIG_UNKNOWN_COMMAND", hint: nearest ? `did you mean brig network ${nearest}?` : "brig network --help lists them" });
}

function show(text: string): number {
  print(text);
  return 0;
}
