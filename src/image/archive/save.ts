import { Readable } from "node:stream";
import { createdMs } from "../describe.js";
import { type Descriptor, type ImageIndex, MEDIA } from "../oci.js";
import { formatFamiliar, formatReference, type Reference } from "../reference.js";
import { readDocument, sizeOfBlob } from "../store/blobs.js";
import { findImage } from "../store/find.js";
import { NAME } from "../store/index-file.js";
import type { ImageStore } from "../store/open.js";
import type { StoredImage } from "../store/stored-image.js";
import { readBlob } from "../store/write-blob.js";
import { imageError } from "../image-error.js";
import { type TarItem, writeTar } from "./write-tar.js";

/** As docker from version 25 on names an image in an archive, for containerd. */
const CONTAINERD_NAME = "io.containerd.image.name";

/**
 * An archive of images as `docker save` of version 25 writes it: an OCI layout, and manifest.json, by which docker,
 * podman and skopeo read it as a docker-archive. The same images give the same bytes.
 *
 * @param words names, or ids: those have no name in the archive
 * @throws BrigError BRIG_NO_IMAGE
 */
export async function saveImages(store: ImageStore, words: readonly string[]): Promise<Readable> {
  const found = new Map<string, { image: StoredImage; names: Reference[] }>();
  for (const word of words) {
    const { image, name } = await findImage(store, word);
    const known = found.get(image.id) ?? { image, names: [] };
    found.set(image.id, known);
    if (name?.tag !== undefined && !known.names.some((each) => formatReference(each) === formatReference(name))) known.names.push(name);
  }
  return Readable.from(writeTar(listItems(store, [...found.values()])));
}

function listItems(store: ImageStore, images: { image: StoredImage; names: Reference[] }[]): TarItem[] {
  const blobs = new Map<string, Descriptor>();
  for (const { image } of images) for (const each of [image.manifest, image.configDescriptor, ...image.layers]) blobs.set(each.digest, each);
  const time = Math.max(0, ...images.map(({ image }) => createdMs(image))) / 1000;
  const folders = ["blobs/", "blobs/sha256/"].map((name): TarItem => ({ type: "folder", name, time }));
  const files = [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1)).map((blob) => makeBlobItem(store, blob, time));
  const documents: [string, unknown][] = [
    ["index.json", makeIndex(images)],
    ["manifest.json", images.map(({ image, names }) => makeDockerEntry(image, names))],
    ["oci-layout", { imageLayoutVersion: "1.0.0" }],
  ];
  return [...folders, ...files, ...documents.map(([name, content]) => makeTextItem(name, JSON.stringify(content), time))];
}

const place = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

function makeBlobItem(store: ImageStore, { digest, mediaType }: Descriptor, time: number): TarItem {
  const size = sizeOfBlob(store, digest);
  if (size === 0) throw imageError("BRIG_BAD_IMAGE", `the store lacks ${digest}`, "pull or load the image again");
  const isDocument = mediaType.endsWith("+json") || mediaType.endsWith("json");
  return { type: "file", name: place(digest), time, size, read: () => (isDocument ? [readDocument(store, digest)] : (readBlob(store, digest) as AsyncIterable<Buffer>)) };
}

function makeTextItem(name: string, text: string, time: number): TarItem {
  const bytes = Buffer.from(text);
  return { type: "file", name, time, size: bytes.length, read: () => [bytes] };
}

function makeIndex(images: { image: StoredImage; names: Reference[] }[]): ImageIndex {
  const manifests = images.flatMap(({ image, names }) => {
    const { mediaType, digest, size, platform } = image.manifest;
    const entry: Descriptor = { mediaType, digest, size, ...(platform ? { platform } : {}) };
    if (names.length === 0) return [entry];
    return names.map((name): Descriptor => ({ ...entry, annotations: { [CONTAINERD_NAME]: formatReference(name), [NAME]: formatReference(name) } }));
  });
  return { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests };
}

/** Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format". */
function makeDockerEntry(image: StoredImage, names: Reference[]): unknown {
  return { Config: place(image.id), RepoTags: names.length > 0 ? names.map(formatFamiliar) : null, Layers: image.layers.map(({ digest }) => place(digest)) };
}
