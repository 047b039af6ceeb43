import { refuseValue } from "./bad-value.js";

const POWERS = "bkmgtpe";

/**
 * A size in bytes, from a number of bytes or words such as "512MiB", "1g", "1.5G", "64 kb".
 *
 * Each unit is a power of 1024, with or without "i" and "B" and in any case: docker, podman and systemd agree on that
 * for memory, and a limit copied from one of them must not change. A fraction is rounded down.
 *
 * @throws BrigError BRIG_BAD_VALUE: no size, negative, or beyond 2^53 bytes
 */
export function parseSize(value: string | number, where = "size"): number {
  const hint = 'write bytes or a unit of 1024: 1048576, "512MiB", "1.5g"';
  const bytes = typeof value === "number" ? value : readSize(value);
  if (bytes === undefined || !Number.isInteger(bytes) || bytes < 0) refuseValue(value, where, "is not a size", hint);
  if (!Number.isSafeInteger(bytes)) refuseValue(value, where, "is too big a size", "the most is 8191 TiB");
  return bytes;
}

function readSize(text: string): number | undefined {
  const match = /^(\d{1,20}(?:\.\d{1,20})?) ?(?:b|([kmgtpe])(?:i?b|i)?)?$/i.exec(text);
  if (!match) return undefined;
  const power = POWERS.indexOf((match[2] ?? "b").toLowerCase());
  if (power === 0 && match[1]?.includes(".")) return undefined;
  return Math.floor(Number(match[1]) * 1024 ** power);
}
