import { createHash, type Hash } from "node:crypto";
import { fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { lockFile } from "../../launch/file-lock.js";
import { explainFileError, imageError } from "../image-error.js";
import type { Descriptor } from "../oci.js";
import { shareWork } from "../share-work.js";
import { hasBlob } from "../store/blobs.js";
import { type ImageStore, ingestFolder } from "../store/open.js";
import { placeBlob } from "../store/write-blob.js";
import { type HttpAnswer, unreachable } from "./http.js";
import { isPassingStatus, PassingFailure, readRetryAfter, retryPassing } from "./retry.js";
import type { RegistrySession } from "./session.js";

const FULL = ["ENOSPC", "EDQUOT"];

export interface BlobProgress {
  (current: number, total: number): void;
}

/**
 * Gets a blob into the store, once for all processes that want it. What an earlier try has brought, of this process or
 * one that was killed, is gone on with where the registry knows how (Range, RFC 9110, 14).
 *
 * @returns whether this call has brought it
 * @throws BrigError BRIG_DIGEST_MISMATCH, BRIG_REGISTRY_LIES, BRIG_NO_SPACE, BRIG_REGISTRY_…
 */
export async function fetchBlob(store: ImageStore, session: RegistrySession, path: string, blob: Descriptor, signal?: AbortSignal, onProgress?: BlobProgress): Promise<boolean> {
  if (hasBlob(store, blob.digest)) return false;
  return await shareWork(`${store.folder} ${blob.digest}`, async () => {
    const lock = await lockFile(join(ingestFolder(store), blob.digest.replace(":", "-")), { signal });
    let whole = false;
    try {
      if (hasBlob(store, blob.digest)) return !(whole = true);
      await download(session, path, blob, lock.fd, signal, onProgress);
      placeBlob(store, join(ingestFolder(store), blob.digest.replace(":", "-")), blob.digest);
      return true;
    } catch (error) {
      whole ||= FULL.includes((error as NodeJS.ErrnoException).code ?? ""); // half of it would only keep the disk full
      throw explainFileError(error, `cannot write the blob ${blob.digest}`);
    } finally {
      lock.release({ remove: whole });
    }
  });
}

async function download(session: RegistrySession, path: string, blob: Descriptor, fd: number, signal?: AbortSignal, onProgress?: BlobProgress): Promise<void> {
  const part = new PartialBlob(fd, blob);
  await retryPassing(async () => {
    const from = part.size;
    if (from === blob.size) return;
    const answer = await session.sendOnce({ method: "GET", path: `${path}/blobs/${blob.digest}`, headers: from > 0 ? { range: `bytes=${from}-` } : {} });
    await checkAnswer(session, answer, from);
    if (answer.status === 200 || !startsAt(answer, from)) part.empty();
    await part.take(answer, onProgress);
  }, signal);
  part.check();
}

async function checkAnswer(session: RegistrySession, answer: HttpAnswer, from: number): Promise<void> {
  if (answer.status === 200 || (answer.status === 206 && startsAt(answer, from))) return;
  const error = await session.explain(answer);
  throw isPassingStatus(answer.status) ? new PassingFailure(error, readRetryAfter(answer)) : error;
}

function startsAt({ status, headers }: HttpAnswer, from: number): boolean {
  return status === 206 && new RegExp(`^bytes ${from}-`).test(headers["content-range"] ?? "");
}

/** A file that grows to a blob, and the hash of what is in it. */
class PartialBlob {
  #hash: Hash;
  size = 0;

  constructor(
    private readonly fd: number,
    private readonly blob: Descriptor,
  ) {
    this.#hash = this.#makeHash();
    if (fstatSync(fd).size > blob.size) ftruncateSync(fd, 0);
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let n; (n = readSync(fd, buffer, 0, buffer.length, this.size)) > 0; this.size += n) this.#hash.update(buffer.subarray(0, n));
  }

  #makeHash(): Hash {
    return createHash(this.blob.digest.slice(0, this.blob.digest.indexOf(":")));
  }

  empty(): void {
    if (this.size === 0) return;
    ftruncateSync(this.fd, 0);
    this.size = 0;
    this.#hash = this.#makeHash();
  }

  async take({ body, url }: HttpAnswer, onProgress?: BlobProgress): Promise<void> {
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (this.size + chunk.length > this.blob.size) throw this.#lie(url, "more");
        for (let done = 0; done < chunk.length; ) done += writeSync(this.fd, chunk, done, chunk.length - done, this.size + done);
        this.#hash.update(chunk);
        this.size += chunk.length;
        onProgress?.(this.size, this.blob.size);
      }
    } catch (error) {
      body.destroy();
      const { code, syscall } = error as NodeJS.ErrnoException;
      if ((error as Error).name === "BrigError" || syscall === "write" || code === "ENOSPC") throw error;
      throw unreachable(url, error as Error);
    }
    if (this.size < this.blob.size) throw new PassingFailure(this.#lie(url, "less"));
  }

  /** What it is if it is not what it should be: nothing of it is kept. */
  check(): void {
    const found = `${this.blob.digest.slice(0, this.blob.digest.indexOf(":"))}:${this.#hash.digest("hex")}`;
    if (found === this.blob.digest) return;
    ftruncateSync(this.fd, 0);
    throw imageError("BRIG_DIGEST_MISMATCH", `the registry sends a blob that is ${found} for ${this.blob.digest}`, "the registry, or somebody on the way, is not to be trusted; try again if a download was interrupted before");
  }

  #lie(url: URL, what: string): Error {
    return imageError("BRIG_REGISTRY_LIES", `${url.host} sends ${what} than the ${this.blob.size} bytes of ${this.blob.digest}`);
  }
}

