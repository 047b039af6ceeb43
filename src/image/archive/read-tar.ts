import type { Readable } from "node:stream";
import { imageError } from "../image-error.js";

/** An entry of an archive that holds images: of these only files and links matter. */
export interface TarEntry {
  /** Without "./" at its beginning. */
  name: string;
  type: "file" | "link" | "symlink" | "other";
  size: number;
  target: string;
  /** The data, which must be read to its end before the next entry. */
  read(): AsyncGenerator<Buffer>;
}

const BLOCK = 512;
const HEADER_MAX = 1 << 20;

/**
 * The entries of a tar as they come: ustar, pax and GNU's long names. A layer's own archive is never read with this,
 * but by the launcher, inside its sandbox.
 *
 * @throws BrigError BRIG_BAD_ARCHIVE
 */
export async function* readTar(source: Readable): AsyncGenerator<TarEntry> {
  try {
    yield* readEntries(source);
  } finally {
    source.destroy(); // nobody reads the rest
  }
}

async function* readEntries(source: Readable): AsyncGenerator<TarEntry> {
  const input = new Input(source[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
  let said: Record<string, string> = {};
  for (;;) {
    const header = await input.take(BLOCK);
    if (header.every((byte) => byte === 0)) break; // also where there is nothing
    if (header.length < BLOCK || !hasChecksum(header)) throw bad("it is no tar archive, or damaged");
    const type = String.fromCharCode(header[156] || 0x30);
    const size = readSize(said["size"], header);
    if ("xgLK".includes(type)) {
      if (size > HEADER_MAX) throw bad("an extended header is too large");
      const data = await input.take(size);
      await input.skip(padding(size));
      if (type === "x") said = { ...said, ...readPax(data) };
      else if (type !== "g") said[type === "L" ? "path" : "linkpath"] = trim(data);
      continue;
    }
    const entry = new Entry(input, header, type, size, said);
    said = {};
    yield entry;
    await entry.finish();
  }
  await input.drain();
}

class Entry implements TarEntry {
  readonly name: string;
  readonly type: TarEntry["type"];
  readonly target: string;
  #left: number;

  constructor(
    private readonly input: Input,
    header: Buffer,
    type: string,
    readonly size: number,
    said: Record<string, string>,
  ) {
    const prefix = header.subarray(257, 263).toString("latin1") === "ustar\0" ? trim(header.subarray(345, 500)) : "";
    this.name = (said["path"] ?? (prefix ? `${prefix}/` : "") + trim(header.subarray(0, 100))).replace(/^(\.?\/)+/, "");
    this.target = said["linkpath"] ?? trim(header.subarray(157, 257));
    this.type = type === "0" || type === "7" ? "file" : type === "1" ? "link" : type === "2" ? "symlink" : "other";
    if (this.type !== "file") this.size = 0;
    this.#left = this.size;
  }

  async *read(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const chunk = await this.input.some(this.#left);
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  async finish(): Promise<void> {
    for await (const chunk of this.read()) void chunk;
    await this.input.skip(padding(this.size));
  }
}

/** Bytes by number, from chunks of any size. */
class Input {
  #rest: Buffer = Buffer.alloc(0);
  constructor(private readonly chunks: AsyncIterator<Buffer>) {}

  /** Some bytes, at most that many. @throws BrigError where there are none */
  async some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0 && !(await this.#more())) throw bad("it is cut");
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** So many bytes, fewer at the end. */
  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let left = size;
    while (left > 0 && (this.#rest.length > 0 || (await this.#more()))) {
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async skip(size: number): Promise<void> {
    await this.take(size);
  }

  async drain(): Promise<void> {
    do this.#rest = Buffer.alloc(0);
    while (await this.#more());
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.chunks.next();
      if (done) return false;
      if (value.length > 0) return (this.#rest = value), true;
    }
  }
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

function trim(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString("utf8");
}

function hasChecksum(header: Buffer): boolean {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += header[at]!;
  return parseInt(trim(header.subarray(148, 156)).trim(), 8) === sum;
}

function readSize(said: string | undefined, header: Buffer): number {
  const field = header.subarray(124, 136);
  const size = said !== undefined ? Number(said) : field[0]! & 0x80 ? Number(field.readBigUInt64BE(4)) : parseInt(trim(field).trim() || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) throw bad("an entry has an impossible size");
  return size;
}

function readPax(data: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.subarray(at, space).toString("latin1"));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > data.length) throw bad("an extended header makes no sense");
    const text = data.subarray(space + 1, at + length - 1).toString("utf8");
    const split = text.indexOf("=");
    if (["path", "linkpath", "size"].includes(text.slice(0, split))) found[text.slice(0, split)] = text.slice(split + 1);
    at += length;
  }
  return found;
}

function bad(why: string): Error {
  return imageError("BRIG_BAD_ARCHIVE", `the archive cannot be read: ${why}`);
}
