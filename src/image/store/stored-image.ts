import { imageError } from "../image-error.js";
import { hostPlatform, matchesPlatform, selectPlatform } from "../platform.js";
import { type Descriptor, type ImageConfig, INDEX_TYPES, type Manifest, parseConfig, parseIndex, parseManifest, type Platform } from "../oci.js";
import { formatReference, type Reference } from "../reference.js";
import { hasBlob, readDocument } from "./blobs.js";
import { nameOf, readIndex, repoDigestsOf } from "./index-file.js";
import type { ImageStore } from "./open.js";

/** An image of the store: one platform's manifest with all names that it has. */
export interface StoredImage {
  /** The digest of its config, as docker has it. */
  id: string;
  /** The manifest's descriptor. */
  manifest: Descriptor;
  config: ImageConfig;
  layers: Descriptor[];
  configDescriptor: Descriptor;
  names: Reference[];
  /** "docker.io/library/busybox@sha256:…": how registries know it. */
  repoDigests: string[];
  /** Other manifests with the same config, as docker's and OCI's forms of one image are, and their names. */
  twins: Pick<StoredImage, "manifest" | "layers" | "configDescriptor" | "names">[];
}

/** All images, those with several names once; what is damaged is left out, and named to `onDamage`. */
export async function listImages(store: ImageStore, onDamage?: (digest: string, error: Error) => void): Promise<StoredImage[]> {
  const { manifests } = await readIndex(store);
  const found = new Map<string, StoredImage>();
  for (const entry of manifests) {
    try {
      const image = readImage(store, entry);
      const known = found.get(image.id);
      if (!known) found.set(image.id, image);
      else mergeNames(known, image);
    } catch (error) {
      onDamage?.(entry.digest, error as Error);
    }
  }
  return [...found.values()];
}

function mergeNames(image: StoredImage, other: StoredImage): void {
  if (other.manifest.digest !== image.manifest.digest) image.twins.push(other);
  const names = new Map([...image.names, ...other.names].map((name) => [formatReference(name), name]));
  image.names = [...names.values()];
  image.repoDigests = [...new Set([...image.repoDigests, ...other.repoDigests])];
}

/** What an entry of the index stands for; of an index in the index, this host's platform. @throws BrigError BRIG_BAD_IMAGE */
export function readImage(store: ImageStore, entry: Descriptor, platform: Platform = hostPlatform()): StoredImage {
  const { descriptor, manifest } = descend(store, entry, platform);
  const config = parseConfig(readDocument(store, manifest.config.digest), `the config ${manifest.config.digest}`);
  const [known, packed] = [config.rootfs.diff_ids.length, manifest.layers.length];
  if (known !== packed) throw imageError("BRIG_BAD_IMAGE", `the config ${manifest.config.digest} names ${known} layers, and its manifest ${packed}`);
  const name = nameOf(entry);
  return {
    id: manifest.config.digest,
    manifest: descriptor,
    config,
    layers: manifest.layers,
    configDescriptor: manifest.config,
    names: name ? [name] : [],
    repoDigests: repoDigestsOf(entry),
    twins: [],
  };
}

function descend(store: ImageStore, entry: Descriptor, platform: Platform): { descriptor: Descriptor; manifest: Manifest } {
  const bytes = readDocument(store, entry.digest);
  if (!INDEX_TYPES.includes(entry.mediaType)) return { descriptor: entry, manifest: parseManifest(bytes, `the manifest ${entry.digest}`) };
  const { manifests } = parseIndex(bytes, `the index ${entry.digest}`);
  const present = manifests.filter(({ digest }) => hasBlob(store, digest));
  const fitting = present.some((each) => each.platform && matchesPlatform(each.platform, platform));
  const chosen = selectPlatform(fitting || present.length === 0 ? manifests : present.slice(0, 1).map(({ mediaType, digest, size }) => ({ mediaType, digest, size })), platform, entry.digest);
  return descend(store, chosen, platform);
}
