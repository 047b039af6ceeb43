import { BrigError } from "../../error/brig-error.js";
import { readHostFacts } from "../../host/facts.js";
import { findNamed } from "../../tools/firejail/choose.js";
import { readConfig } from "../../tools/firejail/config.js";
import { findPlaces } from "../../tools/firejail/context.js";
import { convertProfile } from "../../tools/firejail/convert.js";
import { lintProfile, placeOf } from "../../tools/firejail/lint.js";
import { type Load, loadProfile } from "../../tools/firejail/load.js";
import { openProfileFiles } from "../../tools/firejail/profile-files.js";
import type { Rule } from "../../tools/firejail/rule.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "profile",
  usage: ["profile show [--all] [--json] NAME|FILE", "profile lint [--json] NAME|FILE", "profile convert NAME|FILE"],
  description:
    "Firejail's profiles. show prints the rules that take effect, with all includes read, each with its file and line. " +
    "lint finds rules that cannot take effect, and ends with status 1 when there are some. convert prints a profile for brig run --profile.",
  options: [{ name: "all", help: "with show: also the lines that were ignored or whose condition does not hold" }, jsonOption],
  minOperands: 2,
  maxOperands: 2,
  operands: ["show", "lint", "convert"],
  examples: [
    { words: "brig profile show firefox", what: "what firefox's profile comes to" },
    { words: "brig profile lint ./my.profile", what: "before you use it" },
    { words: "brig profile convert vlc > vlc.toml", what: "for brig run --profile vlc.toml -- vlc" },
  ],
  run(words) {
    const [action = "", name = ""] = words.operands;
    if (!Object.hasOwn(ACTIONS, action)) throw new BrigError(`brig profile has no ${JSON.stringify(action)}`, { code: "BRIG_BAD_USAGE", hint: "brig profile show NAME, lint NAME, convert NAME" });
    return ACTIONS[action]!(loadNamed(name), words);
  },
};

const ACTIONS: Record<string, (load: Load, words: ParsedWords) => number> = {
  show: (load, words) => {
    const lines = [...load.rules, ...(words.has("all") ? load.skipped.map(({ rule, why }) => ({ ...rule, why })) : [])];
    if (words.has("json")) printJson(lines.map(describeRule));
    else print(lines.map((rule) => `${placeOf(rule)}: ${textOf(rule)}${"why" in rule ? `  (${rule.why as string})` : ""}\n`).join(""));
    return 0;
  },
  lint: (load, words) => {
    const found = lintProfile(load);
    if (words.has("json")) printJson(found.map(({ rule, why }) => ({ ...describeRule(rule), why })));
    else print(found.map(({ rule, why }) => `${placeOf(rule)}: ${textOf(rule)}: ${why}\n`).join(""));
    return found.length > 0 ? 1 : 0;
  },
  convert: (load) => (print(convertProfile(load)), 0),
};

const textOf = ({ name, value }: Rule): string => `${name} ${value}`.trim();

function describeRule(rule: Rule & { why?: string }): object {
  const { name, value, origin, why } = rule;
  return { name, value, file: origin.file, line: origin.line, ...(why === undefined ? {} : { why }) };
}

function loadNamed(name: string): Load {
  const places = findPlaces(readHostFacts());
  const files = openProfileFiles(places.home, places.system);
  const load: Load = { files, places, config: readConfig(places.system), rules: [], ignored: new Set(), skipped: [] };
  loadProfile(load, findNamed(files, places, name, "profile"));
  return load;
}
