import { BrigError } from "../error/brig-error.js";
import { findNearest } from "../spec/nearest.js";
import { commands } from "./commands/index.js";
import type { CommandForm } from "./grammar.js";
import { renderHelp, renderTopHelp } from "./help.js";
import { wantsColour } from "./output/colour.js";
import { print, printError } from "./output/print.js";
import { parseWords } from "./parse-words.js";
import { EXIT_FAILURE, reportError } from "./report-error.js";
import { version } from "./version.js";

/** Runs `brig WORDS…` and returns the exit status. Loads only the command that is used. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(words);
  } catch (error) {
    return reportError(error, wantsJson(words));
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [first, ...rest] = words;
  if (first === undefined) {
    printError(renderTopHelp(wantsColour(2)));
    return EXIT_FAILURE;
  }
  if (first === "--version" || first === "-V") return show(`brig ${version}`);
  if (first === "--help" || first === "-h") return show(renderTopHelp(wantsColour(1)));
  if (first === "help") return showHelp(rest[0]);
  return runCommand(await loadCommand(first), rest);
}

async function showHelp(name: string | undefined): Promise<number> {
  return show(name === undefined ? renderTopHelp(wantsColour(1)) : renderHelp(await loadCommand(name), wantsColour(1)));
}

async function runCommand(form: CommandForm, words: readonly string[]): Promise<number> {
  const parsed = parseWords(form, words);
  if (parsed.has("help")) return show(renderHelp(form, wantsColour(1)));
  return (await form.run(parsed)) ?? 0;
}

async function loadCommand(name: string): Promise<CommandForm> {
  const registration = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!registration) throw refuseCommand(name);
  return (await registration.load()).command;
}

function refuseCommand(name: string): BrigError {
  const known = Object.keys(commands).filter((command) => commands[command]!.group !== "hidden");
  const nearest = findNearest(name, known);
  const hint = nearest ? `did you mean brig ${nearest}?` : `brig --help lists the commands; to run a program: brig run -- ${name}`;
  return new BrigError(`brig has no command ${JSON.stringify(name)}`, { code: "BRIG_UNKNOWN_COMMAND", hint });
}

function show(text: string): number {
  print(text);
  return 0;
}

/** Only a "--json" of brig's own counts, not one behind "--" that belongs to the payload. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? undefined : end).includes("--json");
}
