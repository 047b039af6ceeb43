import { BrigError } from "../error/brig-error.js";

/** What may stand in a `sh` template: a list is several words. */
export type Word = string | number | bigint | boolean | readonly Word[];

/**
 * A template as a script for sh: what stands in `${}` is one word whatever is in it, or several for a list.
 * @throws BrigError BRIG_BAD_VALUE: a value that is no word
 */
export function makeScript(parts: readonly string[], values: readonly unknown[]): string {
  return parts.map((part, index) => (index === 0 ? part : quoteWord(values[index - 1]) + part)).join("");
}

/** The kernel and the shell see exactly this word: nothing has a meaning within single quotes (POSIX.1, 2.2.2). */
export function quoteWord(value: unknown): string {
  if (Array.isArray(value)) return value.map(quoteWord).join(" ");
  if (!["string", "number", "bigint", "boolean"].includes(typeof value)) throw refuse(value);
  const text = String(value);
  if (text.includes("\0")) throw refuse(text);
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function refuse(value: unknown): BrigError {
  const shown = typeof value === "object" && value !== null ? "an object" : JSON.stringify(value) ?? String(value);
  return new BrigError(`${shown} cannot be a word of a command`, { code: "BRIG_BAD_VALUE", hint: "a string without NUL, a number, or a list of them" });
}
