import { BrigError } from "../../error/brig-error.js";
import { findNearest } from "../../spec/nearest.js";
import { dockerCommands } from "../docker/index.js";
import { normaliseSwitches } from "../docker/words.js";
import { type CommandForm } from "../grammar.js";
import { renderHelp } from "../help.js";
import { print } from "../output/print.js";
import { parseWords } from "../parse-words.js";

export const command: CommandForm = {
  name: "docker",
  usage: ["docker COMMAND [OPTIONS] …"],
  options: [],
  ownGrammar: true,
  examples: [{ words: "brig docker run --rm -it debian bash", what: "a shell in a container" }],
  run: ({ operands }) => runDocker(operands),
};

async function runDocker(words: string[]): Promise<number> {
  const [first, ...rest] = words[0] === "container" ? words.slice(1) : words;
  if (first === undefined || first === "--help" || first === "-h") return print(renderOverview()), 0;
  const found = Object.hasOwn(dockerCommands, first === "ls" || first === "list" ? "ps" : first) ? dockerCommands[first === "ls" || first === "list" ? "ps" : first] : undefined;
  if (!found) throw refuse(first);
  const { command: form } = await found.load();
  const parsed = parseWords(form, normaliseSwitches(form, rest));
  if (parsed.has("help")) return print(renderHelp(form, false)), 0;
  return (await form.run(parsed)) ?? 0;
}

function renderOverview(): string {
  const width = Math.max(...Object.keys(dockerCommands).map((name) => name.length));
  const lines = Object.entries(dockerCommands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: brig docker COMMAND [OPTIONS] …\n\nThe commands of docker, without a daemon, in a user namespace of their own.\n\n${lines.join("\n")}\n`;
}

function refuse(word: string): BrigError {
  const near = findNearest(word, Object.keys(dockerCommands));
  return new BrigError(`'${word}' is not a docker command`, { code: "BRIG_BAD_USAGE", exitCode: 1, hint: near ? `did you mean ${near}?` : "brig docker --help lists them" });
}
