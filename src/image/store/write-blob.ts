import { createHash } from "node:crypto";
import { closeSync, createReadStream, createWriteStream, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { explainFileError, imageError } from "../image-error.js";
import { blobPath } from "./blobs.js";
import { type ImageStore, ingestFolder } from "./open.js";

export interface WrittenBlob {
  digest: string;
  size: number;
}

let counter = 0;

/**
 * Adds a blob whose digest its bytes tell; with `digest` it must be that one.
 *
 * @param stages streams between the bytes and the blob: a compressor, a hash
 * @throws BrigError BRIG_DIGEST_MISMATCH, BRIG_NO_SPACE
 */
export async function writeBlob(store: ImageStore, source: Readable, options: { digest?: string; stages?: Transform[]; signal?: AbortSignal | undefined } = {}): Promise<WrittenBlob> {
  const fresh = join(ingestFolder(store), `${process.pid}-${counter++}.tmp`);
  const hash = createHash("sha256");
  let size = 0;
  const count = new Transform({
    highWaterMark: 1 << 20,
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline([source, ...(options.stages ?? []), count, createWriteStream(fresh, { flags: "wx", mode: 0o644 })], { signal: options.signal! });
    const digest = `sha256:${hash.digest("hex")}`;
    if (options.digest !== undefined && digest !== options.digest) throw imageError("BRIG_DIGEST_MISMATCH", `a blob that should be ${options.digest} is ${digest}`);
    placeBlob(store, fresh, digest);
    return { digest, size };
  } catch (error) {
    throw explainFileError(error, "cannot write a blob");
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Gives a whole file its place among the blobs. */
export function placeBlob(store: ImageStore, fresh: string, digest: string): void {
  const path = blobPath(store, digest);
  if (existsSync(path)) return rmSync(fresh, { force: true });
  const file = openSync(fresh, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}

/** The bytes of a blob. */
export function readBlob(store: ImageStore, digest: string, options: { start?: number; end?: number } = {}): Readable {
  return createReadStream(blobPath(store, digest), { highWaterMark: 1 << 20, ...options });
}
