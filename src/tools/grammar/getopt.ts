import { BrigError } from "../../error/brig-error.js";

/** One option of a tool whose words are read as getopt_long(3) reads them. */
export interface LongOption<Key extends string> {
  name: string;
  argument: "none" | "required" | "optional";
  key: Key;
}

export interface Grammar<Key extends string> {
  /** As the tool's messages call it: "unshare". */
  tool: string;
  /** One letter each; the long options' keys say what the letters mean. */
  short: Record<string, { key: Key; argument: "none" | "required" | "optional" }>;
  long: LongOption<Key>[];
  /** Exit status for words that are not understood: 1 for util-linux, 125 for coreutils' chroot. */
  exitCode: number;
}

export interface ParsedOption<Key extends string> {
  key: Key;
  value: string | undefined;
  /** As typed, for origins: "--mount-proc=/x", "-S 5". */
  text: string;
}

export interface ParsedOptions<Key extends string> {
  options: ParsedOption<Key>[];
  operands: string[];
}

/**
 * Reads words up to the first that is no option, or behind "--", as getopt_long does with "+": joined short options,
 * values joined or apart, long options by any prefix that only one has.
 * @throws BrigError BRIG_BAD_OPTION with the C library's message.
 */
export function parseGetopt<Key extends string>(grammar: Grammar<Key>, words: string[]): ParsedOptions<Key> {
  const options: ParsedOption<Key>[] = [];
  let at = 0;
  const take = () => words[++at];
  for (; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") return { options, operands: words.slice(at + 1) };
    if (word.startsWith("--")) options.push(readLong(grammar, word, take));
    else if (word.startsWith("-") && word.length > 1) options.push(...readShort(grammar, word, take));
    else break;
  }
  return { options, operands: words.slice(at) };
}

/** What a tool says about words that it does not understand, with where to read more. */
export function badWords(grammar: { tool: string; exitCode: number }, message: string): BrigError {
  return new BrigError(message, {
    code: "BRIG_BAD_OPTION",
    exitCode: grammar.exitCode,
    hint: `Try 'brig ${grammar.tool} --help' for more information.`,
  });
}

function readLong<Key extends string>(grammar: Grammar<Key>, word: string, take: () => string | undefined): ParsedOption<Key> {
  const cut = word.indexOf("=");
  const typed = cut < 0 ? word.slice(2) : word.slice(2, cut);
  const option = findLong(grammar, typed);
  let value = cut < 0 ? undefined : word.slice(cut + 1);
  let text = word;
  if (option.argument === "none" && value !== undefined)
    throw badWords(grammar, `option '--${option.name}' doesn't allow an argument`);
  if (option.argument === "required" && value === undefined) {
    value = take();
    if (value === undefined) throw badWords(grammar, `option '--${option.name}' requires an argument`);
    text = `${word} ${value}`;
  }
  return { key: option.key, value, text };
}

function findLong<Key extends string>(grammar: Grammar<Key>, typed: string): LongOption<Key> {
  const exact = grammar.long.find((option) => option.name === typed);
  if (exact) return exact;
  const near = grammar.long.filter((option) => option.name.startsWith(typed));
  const first = near[0];
  if (!first) throw badWords(grammar, `unrecognized option '--${typed}'`);
  if (near.some((option) => option.key !== first.key || option.argument !== first.argument))
    throw badWords(
      grammar,
      `option '--${typed}' is ambiguous; possibilities: ${near.map((option) => `'--${option.name}'`).join(" ")}`,
    );
  return first;
}

function readShort<Key extends string>(grammar: Grammar<Key>, word: string, take: () => string | undefined): ParsedOption<Key>[] {
  const found: ParsedOption<Key>[] = [];
  const letters = Array.from(word.slice(1));
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at]!;
    const option = Object.hasOwn(grammar.short, letter) ? grammar.short[letter] : undefined;
    if (!option) throw badWords(grammar, `invalid option -- '${letter}'`);
    const rest = letters.slice(at + 1).join("");
    if (option.argument === "none") {
      found.push({ key: option.key, value: undefined, text: `-${letter}` });
      continue;
    }
    const value = rest !== "" ? rest : option.argument === "required" ? take() : undefined;
    if (option.argument === "required" && value === undefined)
      throw badWords(grammar, `option requires an argument -- '${letter}'`);
    const gap = rest === "" && value !== undefined ? " " : "";
    found.push({ key: option.key, value, text: `-${letter}${gap}${value ?? ""}` });
    break;
  }
  return found;
}
