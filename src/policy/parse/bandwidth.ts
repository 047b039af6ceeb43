import { refuseValue } from "./bad-value.js";

/** Bits in a second. */
export interface Bandwidth {
  download: number;
  upload: number;
}

const HINT = 'write a rate, or two for down and up, such as "10mbit" or "10mbit:500kbit"';
const UNITS: Record<string, number> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
/** What tc(8) takes, and a rate at which anything still arrives. */
const [LEAST, MOST] = [8e3, 100e9];

/**
 * "10mbit" or "10mbit:500kbit", in the units of tc(8): bit, kbit, mbit, gbit in a second, by thousands.
 *
 * @throws BrigError BRIG_BAD_VALUE
 */
export function parseBandwidth(value: string, where = "bandwidth"): Bandwidth {
  const [down = "", up = down, ...rest] = value.split(":");
  if (rest.length > 0) refuseValue(value, where, "is no bandwidth", HINT);
  return { download: readRate(down, value, where), upload: readRate(up, value, where) };
}

function readRate(text: string, value: string, where: string): number {
  const match = /^(\d+(?:\.\d+)?)(bit|kbit|mbit|gbit)$/i.exec(text);
  const rate = Math.round(Number(match?.[1] ?? 0) * (UNITS[match?.[2]?.toLowerCase() ?? ""] ?? 0));
  if (!match) refuseValue(value, where, "is no bandwidth", HINT);
  if (rate < LEAST || rate > MOST) refuseValue(value, where, "is out of range", "between 8kbit and 100gbit");
  return rate;
}
