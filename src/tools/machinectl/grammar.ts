import { BrigError } from "../../error/brig-error.js";
import { type Grammar, parseGetopt, type ParsedOption } from "../grammar/getopt.js";
import { makeDefaults, type MachinectlOptions, type OptionKey, OUTPUT_MODES, takeOption, VERIFY_MODES } from "./options.js";
import { listSignalNames, listSignals } from "./signals.js";
import { checkVerb, isVerb, type Verb } from "./verbs.js";

/** What `brig machinectl …` was asked for. */
export type MachinectlRequest =
  | { kind: "help" }
  | { kind: "version" }
  /** A list of the words that an option knows: `--signal=list`. */
  | { kind: "words"; text: string }
  | { kind: "verb"; verb: Verb; operands: string[]; options: MachinectlOptions };

const grammar: Grammar<OptionKey> = {
  tool: "machinectl",
  exitCode: 1,
  short: {
    h: { key: "help", argument: "none" },
    p: { key: "property", argument: "required" },
    a: { key: "all", argument: "none" },
    l: { key: "full", argument: "none" },
    q: { key: "quiet", argument: "none" },
    s: { key: "signal", argument: "required" },
    H: { key: "host", argument: "required" },
    M: { key: "machine", argument: "required" },
    n: { key: "lines", argument: "required" },
    o: { key: "output", argument: "required" },
    E: { key: "setenv", argument: "required" },
  },
  long: [
    ...(["help", "version", "value", "all", "full", "quiet", "no-legend", "read-only", "mkdir", "force", "enabled"] as const).map(
      (name) => ({ name, argument: "none" as const, key: name }),
    ),
    ...(["property", "kill-whom", "signal", "host", "machine", "uid", "setenv", "lines", "output", "verify", "format", "max-addresses"] as const).map(
      (name) => ({ name, argument: "required" as const, key: name }),
    ),
    // the name that it had before 252
    { name: "kill-who", argument: "required", key: "kill-whom" },
    // brig has no pager and asks for no password
    { name: "no-pager", argument: "none", key: "nothing" },
    { name: "no-ask-password", argument: "none", key: "nothing" },
  ],
};

/**
 * Options may stand anywhere, but behind `shell NAME` everything is the command's.
 * @param words behind "machinectl"
 * @throws BrigError in machinectl's words, status 1
 */
export function parseMachinectl(words: string[]): MachinectlRequest {
  const { typed, operands } = readWords(words);
  const options = makeDefaults();
  for (const option of typed) {
    if (option.key === "help" || option.key === "version") return { kind: option.key };
    const list = listWords(option);
    if (list !== undefined) return { kind: "words", text: list };
    takeOption(options, option);
  }
  return readVerb(operands, options);
}

function readVerb(operands: string[], options: MachinectlOptions): MachinectlRequest {
  const [first = "list", ...rest] = operands;
  if (first === "help") return { kind: "help" };
  // `machinectl -s kill my_deb`: a signal and nothing but names
  if (options.signal !== undefined && operands.length > 0 && !isVerb(first)) return { kind: "verb", verb: "kill", operands, options };
  return { kind: "verb", verb: checkVerb(first, rest), operands: rest, options };
}

function readWords(words: string[]): { typed: ParsedOption<OptionKey>[]; operands: string[] } {
  const typed: ParsedOption<OptionKey>[] = [];
  const operands: string[] = [];
  let rest = words;
  for (;;) {
    const read = parse(rest);
    typed.push(...read.options);
    const [operand, ...more] = read.operands;
    if (operand === undefined) return { typed, operands };
    operands.push(operand);
    const dashes = rest[rest.length - read.operands.length - 1] === "--" && read.options.at(-1)?.value !== "--";
    rest = more;
    if (dashes || (operands[0] === "shell" && operands.length === 2)) return { typed, operands: [...operands, ...more] };
  }
}

function parse(words: string[]): ReturnType<typeof parseGetopt<OptionKey>> {
  try {
    return parseGetopt(grammar, words);
  } catch (error) {
    if (!(error instanceof BrigError)) throw error;
    throw new BrigError(`machinectl: ${error.message}`, { code: error.code, exitCode: error.exitCode, hint: error.hint });
  }
}

function listWords({ key, value }: ParsedOption<OptionKey>): string | undefined {
  if (key === "signal" && value === "list") return listSignals();
  if (value !== "help") return undefined;
  if (key === "signal") return listSignalNames();
  if (key === "output") return OUTPUT_MODES.join("\n");
  return key === "verify" ? VERIFY_MODES.join("\n") : undefined;
}
