import { BrigError } from "../../error/brig-error.js";
import { showValue } from "../../spec/show-value.js";

/**
 * Refuses a value that somebody wrote: `--memory: "12q" is not a size`.
 *
 * @param where the flag, option or profile line that it stands in: "--memory", "memory", "x.toml:3: memory"
 * @param problem what is wrong with it: "is not a size"
 * @throws BrigError BRIG_BAD_VALUE, always
 */
export function refuseValue(value: unknown, where: string, problem: string, hint: string): never {
  throw new BrigError(`${where}: ${showValue(value)} ${problem}`, { code: "BRIG_BAD_VALUE", hint, origin: where });
}

/** Refuses what no path, name or argument of the kernel can hold. */
export function refuseNul(value: string, where: string): void {
  if (value.includes("\0")) refuseValue(value, where, "has a NUL in it", "no path, name or argument can hold a NUL");
}
