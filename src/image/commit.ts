import { createHash } from "node:crypto";
import { Transform, type Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type Descriptor, type ImageConfig, type Manifest, MEDIA } from "./oci.js";
import type { Reference } from "./reference.js";
import { hasBlob, writeDocument } from "./store/blobs.js";
import { changeIndex, putEntry } from "./store/index-file.js";
import type { ImageStore } from "./store/open.js";
import { writeBlob } from "./store/write-blob.js";
import { imageError } from "./image-error.js";

export interface CommittedLayer {
  /** The blob: an OCI gzip layer. */
  layer: Descriptor;
  /** The digest of the tar. */
  diffId: string;
}

/**
 * Adds a layer to the store: a tar as image-spec's layer.md has it, with whiteouts. It is kept compressed.
 *
 * @throws BrigError BRIG_NO_SPACE
 */
export async function commitLayer(store: ImageStore, tar: Readable, signal?: AbortSignal): Promise<CommittedLayer> {
  const hash = createHash("sha256");
  const tap = new Transform({
    highWaterMark: 1 << 20,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const { digest, size } = await writeBlob(store, tar, { stages: [tap, createGzip({ level: 5 })], signal });
  return { layer: { mediaType: MEDIA.ociLayerGzip, digest, size }, diffId: `sha256:${hash.digest("hex")}` };
}

/**
 * Makes an image of layers and a config, and gives it names. The config's diff ids must be those of the layers.
 *
 * @returns its id and its manifest's descriptor
 */
export async function createImage(store: ImageStore, config: ImageConfig, layers: readonly Descriptor[], names: readonly Reference[]): Promise<{ id: string; manifest: Descriptor }> {
  const configBytes = Buffer.from(JSON.stringify(config));
  const id = writeDocument(store, configBytes);
  const manifest: Manifest = { schemaVersion: 2, mediaType: MEDIA.ociManifest, config: { mediaType: MEDIA.ociConfig, digest: id, size: configBytes.length }, layers: [...layers] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = writeDocument(store, bytes);
  const { architecture, os, variant } = config;
  const descriptor: Descriptor = { mediaType: MEDIA.ociManifest, digest, size: bytes.length, platform: { architecture, os, ...(variant === undefined ? {} : { variant }) } };
  await publishImage(store, descriptor, manifest, names, [], [[id, configBytes], [digest, bytes]]);
  return { id, manifest: descriptor };
}

/**
 * Gives an image that is whole in the store its names. Somebody may have removed blobs of it in the meantime, for which
 * nobody had a use: small ones are written again, a missing layer is an error with code BRIG_BLOB_GONE, to be tried again.
 */
export async function publishImage(store: ImageStore, descriptor: Descriptor, manifest: Manifest, names: readonly Reference[], repoDigests: readonly string[], documents: readonly [string, Buffer][]): Promise<void> {
  await changeIndex(store, (index) => {
    for (const [digest, bytes] of documents) writeDocument(store, bytes, digest);
    const missing = manifest.layers.find(({ digest }) => !hasBlob(store, digest));
    if (missing) throw imageError("BRIG_BLOB_GONE", `the layer ${missing.digest} was removed while the image was made`, "try again");
    for (const name of names.length > 0 ? names : [undefined]) putEntry(index, descriptor, name, repoDigests);
  });
}
