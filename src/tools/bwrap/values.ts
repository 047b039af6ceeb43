import { BrigError } from "../../error/brig-error.js";
import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import { EXIT_FAILURE } from "./options.js";

/** What bwrap says of words that it does not understand, with its exit status. */
export function refuseWords(message: string, hint?: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_OPTION", exitCode: EXIT_FAILURE, hint });
}

/** As strtol(3) with base 10. */
export function parseDescriptor(text: string): number {
  const fd = /^\s*\+?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(fd <= 0x7fffffff)) throw refuseWords(`Invalid fd: ${text}`);
  return fd;
}

export function parseId(text: string, what: "uid" | "gid"): number {
  const id = /^\s*\+?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(id <= 0x7fffffff)) throw refuseWords(`Invalid ${what}: ${text}`);
  return id;
}

/** As strtoul(3) with base 8. */
export function parsePerms(option: string, text: string): number {
  const perms = /^\s*\+?[0-7]+$/.test(text) ? Number.parseInt(text.trim().replace("+", ""), 8) : Number.NaN;
  if (!(perms <= 0o7777)) throw refuseWords(`${option} takes an octal argument <= 07777`);
  return perms;
}

const HIGHEST_SIZE = (1n << 63n) - 1n;

/** Bytes, as strtoull(3) with base 0: "0x10" and "010" too. */
export function parseSize(text: string): bigint {
  const digits = /^\s*\+?(0[xX][0-9a-fA-F]+|\d+)$/.exec(text)?.[1];
  const octal = digits !== undefined && /^0[0-7]+$/.test(digits);
  const size = digits === undefined || /^0\d*[89]/.test(digits) ? 0n : BigInt(octal ? `0o${digits.slice(1)}` : digits);
  if (size === 0n) throw refuseWords("--size takes a non-zero number of bytes");
  if (size > HIGHEST_SIZE) throw refuseWords(`--size (for tmpfs) is limited to ${HIGHEST_SIZE}`);
  return size;
}

/** A name as cap_from_name(3) knows it, or "ALL". */
export function parseCapability(text: string): string {
  const name = text.toUpperCase();
  if (name === "ALL" || CAPABILITY_NAMES.includes(name)) return name;
  throw refuseWords(`unknown cap: ${text}`);
}
