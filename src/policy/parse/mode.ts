import { refuseValue } from "./bad-value.js";

/**
 * Permission bits (chmod(2)) or a umask: octal words ("0755", "755", "0o755") or a number that holds the bits (0o755).
 *
 * @param highest 0o7777 for a mode, 0o777 for a umask
 * @throws BrigError BRIG_BAD_VALUE
 */
export function parseMode(value: string | number, where = "mode", highest = 0o7777): number {
  const bits = typeof value === "number" ? value : /^(0o)?[0-7]{1,6}$/.test(value) ? Number.parseInt(value.replace("0o", ""), 8) : Number.NaN;
  if (!Number.isInteger(bits) || bits < 0 || bits > highest)
    refuseValue(value, where, "is not a mode", `write octal digits up to ${highest.toString(8)}, such as "0755"`);
  return bits;
}
