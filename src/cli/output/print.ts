import { writeSync } from "node:fs";

const SIGPIPE = 13;

/**
 * Writes all of the text to standard output before it returns. A reader that has gone away (`brig ps | head -1`)
 * ends the command quietly with the status that the shell gives to a death by SIGPIPE.
 */
export function print(text: string): void {
  writeAll(1, text.endsWith("\n") || text === "" ? text : `${text}\n`);
}

/** Bytes as they are, to standard output or standard error. */
export function printBytes(descriptor: 1 | 2, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSome(descriptor, bytes, done);
}

/** The same to standard error. */
export function printError(text: string): void {
  writeAll(2, text.endsWith("\n") ? text : `${text}\n`);
}

/** One JSON document, indented, with sizes and times as numbers and bigints as decimal numbers. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, (_, field: unknown) => (typeof field === "bigint" ? Number(field) : field), 2));
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSome(descriptor, bytes, done);
}

/** Standard output may be a pipe that someone made non-blocking: then wait for it without spinning. */
function writeSome(descriptor: number, bytes: Buffer, from: number): number {
  try {
    return writeSync(descriptor, bytes, from);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPIPE") process.exit(128 + SIGPIPE);
    if (code !== "EAGAIN" && code !== "EINTR") throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return 0;
  }
}
