import { BrigError } from "../../error/brig-error.js";

/** The highest id that a process can have: 0xffffffff stands for "none" in the kernel (credentials(7)). */
const HIGHEST_ID = 0xfffffffe;

/** What setresuid(2) and setresgid(2) take for "as it is": a tool that changes only one of the two gives it for the other. */
export const UNCHANGED_ID = 0xffffffff;

/**
 * A user or group number as util-linux reads it: decimal, blanks or a plus in front.
 * @returns undefined for anything else, and for what is no id.
 */
export function parseId(text: string): number | undefined {
  if (!/^\s*\+?\d+$/.test(text)) return undefined;
  const id = Number(text);
  return id <= HIGHEST_ID ? id : undefined;
}

/**
 * The same, or the tool's complaint "failed to parse WHAT: 'TEXT'".
 * @throws BrigError BRIG_BAD_VALUE
 */
export function requireId(text: string, what: string, exitCode: number): number {
  const id = parseId(text);
  if (id === undefined) throw badValue(`failed to parse ${what}: '${text}'`, exitCode, `a number from 0 to ${HIGHEST_ID}`);
  return id;
}

/**
 * Whole seconds, negative ones too; within what a 64-bit kernel takes as an offset (time_namespaces(7)).
 * @throws BrigError BRIG_BAD_VALUE
 */
export function requireSeconds(text: string, what: string, exitCode: number): number {
  const seconds = /^\s*[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seconds))
    throw badValue(`failed to parse ${what}: '${text}'`, exitCode, "a whole number of seconds, as in 3600 or -60");
  return seconds;
}

/** A value that a tool refuses, in the tool's words and with its exit status. */
export function badValue(message: string, exitCode: number, hint?: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", exitCode, hint });
}
