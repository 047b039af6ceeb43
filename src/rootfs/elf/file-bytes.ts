import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";

/** A regular file held open for reading; every read is bounded by the file's end. */
export interface FileBytes {
  fd: number;
  stat: Stats;
  /** At most `length` bytes from `offset`; fewer at the end of the file, none beyond it. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

/**
 * Opens a regular file without following a link in the last component and without ever blocking (a FIFO or a
 * device is no regular file). Returns undefined for anything but a regular file; throws what open(2) says.
 */
export function openFileBytes(path: string): FileBytes | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    return undefined;
  }
  return { fd, stat, read: (offset, length) => readAt(fd, offset, length), close: () => closeSync(fd) };
}

function readAt(fd: number, offset: number, length: number): Buffer {
  if (!Number.isSafeInteger(offset) || offset < 0 || length <= 0) return Buffer.alloc(0);
  const bytes = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const count = readSync(fd, bytes, got, length - got, offset + got);
    if (count === 0) break;
    got += count;
  }
  return bytes.subarray(0, got);
}
