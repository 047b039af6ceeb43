import { closeSync, fstatSync, openSync, constants, readSync } from "node:fs";

const LIMIT = 4 << 20;

/**
 * The text of a file, or undefined when it is not there or not for us. What a sandbox's payload controls may be read
 * too, so it never blocks on a FIFO, follows no final link into a device, and takes 4 MiB at most.
 */
export function readText(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  try {
    return fstatSync(descriptor).isFile() ? readAll(descriptor) : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** The trimmed text, or undefined when the file is missing or empty. */
export function readWord(path: string): string | undefined {
  return readText(path)?.trim() || undefined;
}

/** A decimal number in a file of its own, as in /proc/sys; undefined when it is missing or is none ("max"). */
export function readNumber(path: string): number | undefined {
  const word = readWord(path);
  return word !== undefined && /^-?\d+$/.test(word) ? Number(word) : undefined;
}

function readAll(descriptor: number): string {
  const chunks: Buffer[] = [];
  for (let total = 0; total < LIMIT; ) {
    const chunk = Buffer.allocUnsafe(16384);
    const size = readSync(descriptor, chunk);
    if (size === 0) break;
    chunks.push(chunk.subarray(0, size));
    total += size;
  }
  return Buffer.concat(chunks).toString("utf8");
}
