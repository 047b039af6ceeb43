import { BrigError } from "../../error/brig-error.js";

/** Exit status of docker run when it did not get as far as the payload. */
const EXIT_USAGE = 125;

export function refuseValue(option: string, value: string, why: string, hint?: string): BrigError {
  return new BrigError(`invalid argument ${JSON.stringify(value)} for "${option}" flag: ${why}`, { code: "BRIG_BAD_VALUE", exitCode: EXIT_USAGE, hint: hint ?? "see 'brig docker run --help'" });
}

const UNITS: Record<string, number> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** "512m", "1.5g", "64kb", and "-1" where that is let through, in bytes. */
export function parseBytes(option: string, text: string, least = 0): number {
  if (text === "-1" && least === -1) return -1;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) throw refuseValue(option, text, `invalid size: '${text}'`, "a number with b, k, m or g behind it");
  return bytes;
}

export function parseInteger(option: string, text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw refuseValue(option, text, "it is no whole number");
  return Number(text);
}

const NANOSECONDS: Record<string, number> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** "1m30s", in nanoseconds, as Go writes times. */
export function parseGoDuration(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (text !== "0" && parts.map(([part]) => part).join("") !== text) throw refuseValue(option, text, `time: invalid duration "${text}"`, "30s, 1m30s, 500ms");
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * NANOSECONDS[unit!]!, 0);
}

/** "NAME=VALUE" to its parts; the value is "" where there is none. */
export function splitPair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
