import type { OptionForm, ParsedWords } from "./grammar.js";

const group = "What was blocked";

/** The options of `brig run` that watch it. */
export const denialOptions: OptionForm[] = [
  { name: "explain-denials", group, help: "at the end, say what was blocked, by which rule, and which words would allow it" },
  { name: "denials-live", group, help: "say it as it happens" },
  { name: "denials-file", group, value: "FILE", complete: "path", help: "write it to FILE as it happens, one JSON document a line with --json or when FILE ends with .json or .jsonl" },
];

export function wantsDenials(words: ParsedWords): boolean {
  return denialOptions.some(({ name }) => words.has(name));
}
