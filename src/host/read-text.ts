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

/** Most files are small: they are read into one place, since fresh memory costs more than they do. */
const room = Buffer.allocUnsafeSlow(16384);

function readAll(descriptor: number): string {
  let used = readSync(descriptor, room);
  for (let size = used; size > 0 && used < room.length; used += size) size = readSync(descriptor, room, used, room.length - used, null);
  return used < room.length ? room.toString("utf8", 0, used) : readMore(descriptor, Buffer.from(room));
}

function readMore(descriptor: number, first: Buffer): string {
  const chunks = [first];
  for (let total = first.length; total < LIMIT; ) {
    const chunk = Buffer.allocUnsafe(65536);
    const size = readSync(descriptor, chunk);
    if (size === 0) break;
    chunks.push(chunk.subarray(0, size));
    total += size;
  }
  return Buffer.concat(chunks).toString("utf8");
}
