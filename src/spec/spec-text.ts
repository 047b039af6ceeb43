import { randomUUID } from "node:crypto";
import { BrigError } from "../error/brig-error.js";
import { RLIMIT_INFINITY } from "./rlimit-names.js";
import type { Spec } from "./oci.js";

/** A string or a number, whole: digits behind a point or an exponent are no number of their own. */
const TOKEN = /"(?:[^"\\]|\\[^])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON as JSON.parse does, but keeps whole numbers beyond 2^53 exact in a seccomp argument's `value` and
 * `valueTwo`, where they become bigints: rounded, a mask would be another rule. All other numbers are plain.
 *
 * @throws BrigError BRIG_BAD_SPEC with the line, when it is not JSON
 */
export function parseSpecText(text: string, where = "config.json"): unknown {
  const plain = parsePlain(text, where);
  if (!/\d{16}/.test(text)) return plain;
  const mark = randomUUID();
  const exact = text.replaceAll(TOKEN, (token) => (isHugeToken(token) ? `"${mark}${token}"` : token));
  return JSON.parse(exact, (key, value: unknown) => (typeof value === "string" && value.startsWith(mark) ? readInteger(key, value.slice(mark.length)) : value));
}

function isHugeToken(token: string): boolean {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
}

function readInteger(key: string, digits: string): number | bigint {
  return key === "value" || key === "valueTwo" ? BigInt(digits) : Number(digits);
}

function parsePlain(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const position = /position (\d+)/.exec(String(cause))?.[1];
    const line = position === undefined ? "" : `:${text.slice(0, Number(position)).split("\n").length}`;
    const hint = "an OCI config.json is strict JSON: no comments, no comma behind the last item";
    throw new BrigError(`${where}${line}: not JSON: ${(cause as Error).message}`, { code: "BRIG_BAD_SPEC", origin: where, hint, cause });
  }
}

/**
 * A spec as JSON that every OCI runtime reads: bigints as numbers, and RLIMIT_INFINITY, which JavaScript would write
 * as 18446744073709552000, as 18446744073709551615.
 */
export function formatSpec(spec: Spec, indent = 2): string {
  const mark = randomUUID();
  const marked = JSON.stringify(spec, (_, value: unknown) => (isHuge(value) ? `${mark}${writeInteger(value)}` : value), indent);
  return marked.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

function isHuge(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value) && Math.abs(value) >= 2 ** 63);
}

function writeInteger(value: number | bigint): bigint {
  return typeof value === "number" && value >= RLIMIT_INFINITY ? 2n ** 64n - 1n : BigInt(value);
}
