import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Duplex, type Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readHostFacts } from "../../host/facts.js";
import { lockFile } from "../../launch/file-lock.js";
import { explainFileError, imageError } from "../image-error.js";
import { shareWork } from "../share-work.js";
import { blobPath } from "../store/blobs.js";
import type { ImageStore } from "../store/open.js";
import { replaceFile } from "../store/replace-file.js";
import { detectFileCompression, makeDecompressor } from "./decompress.js";
import { findLayer, type LayerFolder, layerHome } from "./layer-folder.js";
import { chooseOwners, type LayerOwners } from "./owners.js";
import { removeLayerFolder } from "./remove-layer.js";
import { DEFAULT_LIMITS, runUnpacker, type UnpackLimits, type UnpackResult, type UnpackWish } from "./run-unpacker.js";

export interface UnpackOptions {
  signal?: AbortSignal | undefined;
  limits?: UnpackLimits | undefined;
  /** Bytes of the blob that have been read. */
  onProgress?: ((read: number, total: number) => void) | undefined;
}

/**
 * Unpacks a layer's blob, once for all images and processes: the first one does it, others wait for it. Its folder
 * appears whole, when the bytes were what `diffId` says, or not at all.
 *
 * @throws BrigError BRIG_BAD_LAYER, BRIG_DIGEST_MISMATCH, BRIG_NO_SPACE, BRIG_NO_TOOL
 */
export async function unpackLayer(store: ImageStore, digest: string, diffId: string, options: UnpackOptions = {}): Promise<LayerFolder> {
  const home = layerHome(store, diffId);
  return findLayer(store, diffId) ?? (await shareWork(home, () => unpackLocked(store, digest, diffId, options)));
}

async function unpackLocked(store: ImageStore, digest: string, diffId: string, options: UnpackOptions): Promise<LayerFolder> {
  const home = layerHome(store, diffId);
  mkdirSync(join(home, ".."), { recursive: true, mode: 0o700 });
  const lock = await lockFile(`${home}.lock`, { signal: options.signal });
  try {
    return findLayer(store, diffId) ?? (await unpackFresh(store, digest, diffId, options));
  } catch (error) {
    throw explainFileError(error, `cannot unpack the layer ${diffId}`);
  } finally {
    lock.release({ remove: true });
  }
}

/** Who was killed in the middle has left a folder `.new`, which nobody else works on while the lock is held. */
async function unpackFresh(store: ImageStore, digest: string, diffId: string, options: UnpackOptions): Promise<LayerFolder> {
  const home = layerHome(store, diffId);
  const fresh = `${home}.new`;
  await removeLayerFolder(fresh);
  if (existsSync(home)) await removeLayerFolder(home);
  const owners = chooseOwners(readHostFacts());
  try {
    mkdirSync(join(fresh, "root"), { recursive: true, mode: 0o755 });
    const facts = { owners: owners.kind, ...(await unpackBlob(blobPath(store, digest), join(fresh, "root"), diffId, owners, options)) };
    replaceFile(join(fresh, "layer.json"), JSON.stringify(facts), 0o600);
    renameSync(fresh, home);
    return { diffId, path: join(home, "root"), ...facts };
  } catch (error) {
    await removeLayerFolder(fresh);
    throw error;
  }
}

async function unpackBlob(blob: string, root: string, diffId: string, owners: LayerOwners, options: UnpackOptions): Promise<UnpackResult> {
  const { limits = DEFAULT_LIMITS, signal, onProgress } = options;
  const { size } = statSync(blob);
  let read = 0;
  const source: Readable = createReadStream(blob, { highWaterMark: 1 << 20 });
  source.on("data", (chunk) => {
    read += chunk.length;
    onProgress?.(read, size);
  }).pause();
  const check = new DigestCheck(diffId, limits, () => read);
  const compression = detectFileCompression(blob);
  const wish: UnpackWish = { owners, mode: "layer", limits };
  const pass = (...to: (Duplex | Writable)[]): Promise<void> => pipeline([source, ...to], { signal: signal! });
  const result =
    compression === "none"
      ? await withFile(blob, (file) => runUnpacker(root, wish, () => pass(check.asEnd()), file)) // read twice, copied never
      : await runUnpacker(root, wish, ({ stdin }) => pass(makeDecompressor(compression), check, stdin!));
  check.finish();
  return result;
}

async function withFile<T>(path: string, use: (file: number) => Promise<T>): Promise<T> {
  const file = openSync(path, "r");
  try {
    return await use(file);
  } finally {
    closeSync(file);
  }
}

/** Hashes what passes, and stops what swells beyond belief. */
class DigestCheck extends Transform {
  readonly #hash;
  #passed = 0;

  constructor(
    private readonly digest: string,
    private readonly limits: UnpackLimits,
    private readonly packed: () => number,
  ) {
    super({ highWaterMark: 1 << 20 });
    this.#hash = createHash(digest.slice(0, digest.indexOf(":")));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null, data?: Buffer) => void): void {
    this.#passed += chunk.length;
    const { ratio, ratioFrom, bytes } = this.limits;
    // headers and padding come on top of what the files hold
    if (this.#passed > bytes * 2 || (this.#passed > ratioFrom && this.#passed > this.packed() * ratio))
      return done(imageError("BRIG_BAD_LAYER", `the layer swells to more than ${Math.round(this.#passed / 2 ** 20)} MiB, which is no honest archive`));
    this.#hash.update(chunk);
    done(null, chunk);
  }

  /** For who only wants the hash. */
  asEnd(): Writable {
    return new Writable({ highWaterMark: 1 << 20, write: (chunk: Buffer, encoding, done) => this._transform(chunk, encoding, (error) => done(error)) });
  }

  finish(): void {
    const found = `${this.digest.slice(0, this.digest.indexOf(":"))}:${this.#hash.digest("hex")}`;
    if (found !== this.digest) throw imageError("BRIG_DIGEST_MISMATCH", `the layer's content is ${found}, and its image promises ${this.digest}`, "the image is damaged, or somebody has altered it");
  }
}
