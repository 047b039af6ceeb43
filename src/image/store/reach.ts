import { type Descriptor, INDEX_TYPES, parseConfig, parseIndex, parseManifest } from "../oci.js";
import { hasBlob, readDocument } from "./blobs.js";
import type { ImageStore } from "./open.js";

/** What entries of an index lead to: blobs by digest, unpacked layers by diff id. */
export interface Reached {
  blobs: Set<string>;
  layers: Set<string>;
}

/** Follows descriptors to all that they need; what is damaged leads nowhere. */
export function reachFrom(store: ImageStore, entries: readonly Pick<Descriptor, "digest" | "mediaType">[]): Reached {
  const reached: Reached = { blobs: new Set(), layers: new Set() };
  for (const entry of entries) visit(store, entry, reached);
  return reached;
}

function visit(store: ImageStore, { digest, mediaType }: Pick<Descriptor, "digest" | "mediaType">, reached: Reached): void {
  if (reached.blobs.has(digest)) return;
  reached.blobs.add(digest);
  if (!hasBlob(store, digest)) return;
  try {
    const bytes = readDocument(store, digest);
    if (INDEX_TYPES.includes(mediaType)) for (const inner of parseIndex(bytes, digest).manifests) visit(store, inner, reached);
    else visitManifest(store, bytes, digest, reached);
  } catch {
    // nothing can be made of it
  }
}

function visitManifest(store: ImageStore, bytes: Buffer, digest: string, reached: Reached): void {
  const { config, layers } = parseManifest(bytes, digest);
  for (const { digest: blob } of [config, ...layers]) reached.blobs.add(blob);
  if (!hasBlob(store, config.digest)) return;
  for (const diffId of parseConfig(readDocument(store, config.digest), config.digest).rootfs.diff_ids) reached.layers.add(diffId);
}
