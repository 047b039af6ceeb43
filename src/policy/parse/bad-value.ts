import { BrigError } from "../../error/brig-error.js";

/**
 * Refuses a value that somebody wrote: `--memory: "12q" is not a size`.
 *
 * @param where the flag, option or profile line that it stands in: "--memory", "memory", "x.toml:3: memory"
 * @param problem what is wrong with it: "is not a size"
 * @throws BrigError BRIG_BAD_VALUE, always
 */
export function refuseValue(value: unknown, where: string, problem: string, hint: string): never {
  throw new BrigError(`${where}: ${quoteValue(value)} ${problem}`, { code: "BRIG_BAD_VALUE", hint, origin: where });
}

/** Quoted, cut, and with control characters escaped, so that a hostile value cannot write to a terminal. */
function quoteValue(value: unknown): string {
  if (typeof value !== "string") return typeof value === "object" && value ? "a value of this kind" : String(value);
  const short = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return JSON.stringify(short).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Refuses what no path, name or argument of the kernel can hold. */
export function refuseNul(value: string, where: string): void {
  if (value.includes("\0")) refuseValue(value, where, "has a NUL in it", "no path, name or argument can hold a NUL");
}
