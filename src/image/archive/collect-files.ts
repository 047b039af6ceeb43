import { posix } from "node:path";
import { Readable } from "node:stream";
import { imageError } from "../image-error.js";
import { hashBytes, writeDocument } from "../store/blobs.js";
import type { ImageStore } from "../store/open.js";
import { writeBlob } from "../store/write-blob.js";
import { readTar } from "./read-tar.js";

/** What is kept in memory until somebody asks for it: manifests, configs, and the small files that docker once wrote. */
const SMALL = 4 << 20;
const SMALL_TOTAL = 64 << 20;
const ENTRIES_MAX = 100_000;

export interface ArchiveFile {
  digest: string;
  size: number;
  /** Of a small one. */
  bytes?: Buffer;
  /** The first bytes. */
  head: Buffer;
}

/** The files of an archive of images, by name and by digest; large ones are in the store already. */
export class ArchiveFiles {
  readonly #byName = new Map<string, ArchiveFile | { link: string }>();
  readonly #byDigest = new Map<string, ArchiveFile>();

  constructor(private readonly store: ImageStore) {}

  add(name: string, file: ArchiveFile): void {
    this.#byName.set(name, file);
    this.#byDigest.set(file.digest, file);
  }

  addLink(name: string, target: string): void {
    this.#byName.set(name, { link: target });
  }

  /** Links are followed within the archive, a few of them. */
  find(name: string): ArchiveFile | undefined {
    let at = posix.normalize(name);
    for (let hops = 0; hops < 8; hops++) {
      const found = this.#byName.get(at);
      if (!found || !("link" in found)) return found;
      at = found.link;
    }
    return undefined;
  }

  findDigest(digest: string): ArchiveFile | undefined {
    return this.#byDigest.get(digest);
  }

  /** Puts a file among the blobs. @throws BrigError BRIG_BAD_ARCHIVE */
  keep(file: ArchiveFile | undefined, what: string): ArchiveFile {
    if (!file) throw imageError("BRIG_BAD_ARCHIVE", `the archive lacks ${what}`);
    if (file.bytes) writeDocument(this.store, file.bytes, file.digest);
    return file;
  }
}

/** Reads a whole archive. @throws BrigError BRIG_BAD_ARCHIVE, BRIG_NO_SPACE */
export async function collectFiles(store: ImageStore, source: Readable, signal?: AbortSignal): Promise<ArchiveFiles> {
  const files = new ArchiveFiles(store);
  let small = 0;
  let entries = 0;
  for await (const entry of readTar(source)) {
    signal?.throwIfAborted();
    if (++entries > ENTRIES_MAX) throw imageError("BRIG_BAD_ARCHIVE", `the archive has more than ${ENTRIES_MAX} entries, which no image has`);
    const name = posix.normalize(entry.name);
    if (entry.type === "symlink") files.addLink(name, posix.join(posix.dirname(name), entry.target));
    else if (entry.type === "link") files.addLink(name, posix.normalize(entry.target));
    else if (entry.type === "file" && entry.size <= SMALL && (small += entry.size) <= SMALL_TOTAL) files.add(name, await readSmall(entry.read()));
    else if (entry.type === "file") files.add(name, await readLarge(store, entry.read(), signal));
  }
  return files;
}

async function readSmall(chunks: AsyncIterable<Buffer>): Promise<ArchiveFile> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  const bytes = Buffer.concat(parts);
  return { digest: hashBytes(bytes), size: bytes.length, bytes, head: bytes.subarray(0, 8) };
}

async function readLarge(store: ImageStore, chunks: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<ArchiveFile> {
  let head: Buffer = Buffer.alloc(0);
  const tapped = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      if (head.length < 8) head = Buffer.concat([head, chunk.subarray(0, 8 - head.length)]);
      yield chunk;
    }
  };
  const { digest, size } = await writeBlob(store, Readable.from(tapped(), { objectMode: false, highWaterMark: 1 << 20 }), { signal });
  return { digest, size, head };
}
