import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { publishImage } from "../commit.js";
import { imageError } from "../image-error.js";
import { detectCompression, makeDecompressor } from "../layers/decompress.js";
import { type Descriptor, DOCUMENT_MAX, findMediaType, type ImageConfig, INDEX_TYPES, type Manifest, MEDIA, parseConfig, parseIndex, parseManifest } from "../oci.js";
import { type OnProgress, shortId } from "../progress.js";
import { type Reference, tryParseReference, withDefaultTag } from "../reference.js";
import { unpackImage } from "../resolve.js";
import { hashBytes, writeDocument } from "../store/blobs.js";
import { NAME } from "../store/index-file.js";
import type { ImageStore } from "../store/open.js";
import { type ArchiveFiles, collectFiles } from "./collect-files.js";

export interface LoadOptions {
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Layers are not unpacked yet. */
  packed?: boolean;
}

export interface LoadedImage {
  id: string;
  names: Reference[];
}

/** An image of an archive, whose blobs are in the store. */
interface Found {
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  names: Reference[];
  documents: [string, Buffer][];
}

const CONTAINERD_NAME = "io.containerd.image.name";
const dockerSchema = z.array(z.looseObject({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()).max(512) }));

/**
 * Adds the images of an archive: an OCI layout or docker's own form, or both in one, compressed or not.
 *
 * @throws BrigError BRIG_BAD_ARCHIVE, BRIG_BAD_IMAGE, BRIG_BAD_LAYER, BRIG_NO_SPACE
 */
export async function loadImages(store: ImageStore, source: Readable, options: LoadOptions = {}): Promise<LoadedImage[]> {
  const { signal, onProgress, packed } = options;
  const files = await collectFiles(store, await decompress(source, signal), signal);
  const found = findImages(store, files);
  if (found.length === 0) throw imageError("BRIG_BAD_ARCHIVE", "the archive holds no image", "brig import makes an image of a plain archive of files");
  for (const { descriptor, manifest, config, names, documents } of found) {
    const id = manifest.config.digest;
    if (!packed) await unpackImage(store, { id, config, layers: manifest.layers }, { signal, onProgress: (current, total) => onProgress?.({ kind: "layer", id: shortId(id), status: "Loading layer", current, total }) });
    await publishImage(store, descriptor, manifest, names, [], documents);
  }
  return found.map(({ manifest, names }) => ({ id: manifest.config.digest, names }));
}

/** By its first bytes; gzip, zstd, bzip2 and xz. */
export async function decompress(source: Readable, signal?: AbortSignal): Promise<Readable> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  const head = first.done ? Buffer.alloc(0) : first.value;
  const all = async function* (): AsyncGenerator<Buffer> {
    try {
      if (!first.done) yield head;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    } finally {
      source.destroy();
    }
  };
  const output = new PassThrough({ highWaterMark: 1 << 20 });
  pipeline([all(), makeDecompressor(detectCompression(head)), output] as never, { signal: signal! }).catch((error: Error) => output.destroy(explainStream(error)));
  return output;
}

function explainStream(error: Error): Error {
  return error.name === "BrigError" || error.name === "AbortError" ? error : imageError("BRIG_BAD_ARCHIVE", `the archive cannot be decompressed: ${error.message}`, undefined, error);
}

function findImages(store: ImageStore, files: ArchiveFiles): Found[] {
  const docker = readDockerEntries(files);
  const index = files.find("index.json")?.bytes;
  if (!index || !files.find("oci-layout")) return docker.map((entry) => buildFromDocker(store, files, entry));
  const tags = new Map(docker.map(({ Config, RepoTags }) => [files.find(Config)?.digest ?? "", (RepoTags ?? []).flatMap(readName)]));
  const found = new Map<string, Found>();
  for (const entry of parseIndex(index, "the archive's index.json").manifests) {
    for (const image of readOci(store, files, entry, 0)) {
      const known = found.get(image.descriptor.digest);
      if (known) known.names.push(...image.names);
      else found.set(image.descriptor.digest, { ...image, names: [...image.names, ...(tags.get(image.manifest.config.digest) ?? [])] });
    }
  }
  return [...found.values()].map((image) => ({ ...image, names: [...new Map(image.names.map((name) => [JSON.stringify(name), name])).values()] }));
}

function readDockerEntries(files: ArchiveFiles): z.infer<typeof dockerSchema> {
  const bytes = files.find("manifest.json")?.bytes;
  if (!bytes) return [];
  try {
    return dockerSchema.parse(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    throw imageError("BRIG_BAD_ARCHIVE", "the archive's manifest.json makes no sense", undefined, error);
  }
}

function readName(text: string | undefined): Reference[] {
  const reference = text === undefined ? undefined : tryParseReference(text);
  return reference ? [withDefaultTag(reference)] : [];
}

/** What a descriptor leads to, of an index each manifest that is in the archive. */
function readOci(store: ImageStore, files: ArchiveFiles, entry: Descriptor, depth: number): Found[] {
  const bytes = files.findDigest(entry.digest)?.bytes;
  if (!bytes) {
    if (depth > 0) return []; // other platforms
    throw imageError("BRIG_BAD_ARCHIVE", `the archive lacks ${entry.digest}, which its index names`);
  }
  const names = readName(entry.annotations?.[CONTAINERD_NAME] ?? entry.annotations?.[NAME]);
  const mediaType = findMediaType(bytes, entry.mediaType, entry.digest);
  if (INDEX_TYPES.includes(mediaType)) {
    if (depth > 1) throw imageError("BRIG_BAD_ARCHIVE", "the archive's indexes go too deep");
    const inner = parseIndex(bytes, entry.digest).manifests.flatMap((each) => readOci(store, files, each, depth + 1));
    return inner.map((image) => ({ ...image, names: inner.length === 1 ? [...names, ...image.names] : image.names }));
  }
  const manifest = parseManifest(bytes, entry.digest);
  const config = readConfig(files, manifest.config.digest);
  for (const layer of manifest.layers) {
    const file = files.keep(files.findDigest(layer.digest), `the layer ${layer.digest}`);
    if (file.size !== layer.size) throw imageError("BRIG_BAD_ARCHIVE", `the layer ${layer.digest} is ${file.size} bytes, and its manifest says ${layer.size}`);
  }
  const { digest, size } = entry;
  return [{ descriptor: describe(mediaType, digest, size, config.config), manifest, config: config.config, names, documents: keepDocuments(store, [config.bytes, bytes]) }];
}

function readConfig(files: ArchiveFiles, digest: string): { config: ImageConfig; bytes: Buffer } {
  const file = files.keep(files.findDigest(digest), `the config ${digest}`);
  if (!file.bytes || file.size > DOCUMENT_MAX) throw imageError("BRIG_BAD_ARCHIVE", `the config ${digest} is too large`);
  return { config: parseConfig(file.bytes, `the config ${digest}`), bytes: file.bytes };
}

function buildFromDocker(store: ImageStore, files: ArchiveFiles, { Config, RepoTags, Layers }: z.infer<typeof dockerSchema>[number]): Found {
  const { digest: id } = files.keep(files.find(Config), Config);
  const { config, bytes } = readConfig(files, id);
  const layers = Layers.map((name): Descriptor => {
    const { digest, size, head } = files.keep(files.find(name), name);
    const packed = detectCompression(head);
    return { mediaType: packed === "gzip" ? MEDIA.ociLayerGzip : packed === "zstd" ? MEDIA.ociLayerZstd : MEDIA.ociLayer, digest, size };
  });
  const manifest: Manifest = { schemaVersion: 2, mediaType: MEDIA.ociManifest, config: { mediaType: MEDIA.ociConfig, digest: id, size: bytes.length }, layers };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = describe(MEDIA.ociManifest, hashBytes(manifestBytes), manifestBytes.length, config);
  return { descriptor, manifest, config, names: (RepoTags ?? []).flatMap(readName), documents: keepDocuments(store, [bytes, manifestBytes]) };
}

function describe(mediaType: string, digest: string, size: number, { architecture, os, variant }: ImageConfig): Descriptor {
  return { mediaType, digest, size, platform: { architecture, os, ...(variant ? { variant } : {}) } };
}

function keepDocuments(store: ImageStore, documents: Buffer[]): [string, Buffer][] {
  return documents.map((bytes) => [writeDocument(store, bytes), bytes]);
}
