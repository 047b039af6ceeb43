import { refuseValue } from "./bad-value.js";

const UNITS: Record<string, number> = { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d{1,16}(?:\.\d{1,9})?) ?(ms|sec|s|min|m|h|d) ?/y;

/**
 * A time in milliseconds, from a number of milliseconds or words such as "30s", "1m30s", "1h 5min", "1.5s", "200ms".
 *
 * A bare number in words ("30") means seconds to timeout(1) and milliseconds to a program, a factor of 1000 apart:
 * it is refused unless the caller says which of the two its reader means.
 *
 * @param bareUnit the unit of a bare number in words, for a flag that follows timeout(1)
 * @throws BrigError BRIG_BAD_VALUE: no time, negative, units not in falling order, or beyond 2^53 ms
 */
export function parseDuration(value: string | number, where = "time", bareUnit?: "s" | "ms"): number {
  const hint = 'write a number with its unit: "30s", "1m30s", "500ms", "2h"';
  const text = typeof value === "string" && bareUnit && /^\d+(\.\d+)?$/.test(value) ? value + bareUnit : value;
  const ms = typeof text === "number" ? text : readParts(text);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) refuseValue(value, where, "is not a time", hint);
  if (ms > Number.MAX_SAFE_INTEGER) refuseValue(value, where, "is too long a time", hint);
  return Math.floor(ms);
}

function readParts(text: string): number | undefined {
  let total = 0;
  let last = Number.POSITIVE_INFINITY;
  PART.lastIndex = 0;
  for (let at = 0; at < text.length || at === 0; at = PART.lastIndex) {
    const match = PART.exec(text);
    const unit = UNITS[match?.[2] ?? ""];
    if (!match || unit === undefined || unit >= last) return undefined;
    total += roundMs(Number(match[1]) * unit);
    last = unit;
  }
  return text.endsWith(" ") ? undefined : total;
}

/** Floating-point dust ("0.29s" is 290.00000000000006 ms or 289.99999999999994) must not cost a millisecond. */
function roundMs(ms: number): number {
  return Math.floor(ms + 1e-6);
}
