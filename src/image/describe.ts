import { findLayer } from "./layers/layer-folder.js";
import { formatFamiliar, formatRepository, parseReference } from "./reference.js";
import { pairLayers } from "./resolve.js";
import { sizeOfBlob } from "./store/blobs.js";
import type { ImageStore } from "./store/open.js";
import type { StoredImage } from "./store/stored-image.js";

/** Bytes of an image's files; of a layer that is not unpacked, of its blob. */
export function sizeOfImage(store: ImageStore, image: StoredImage): number {
  return sizesOfLayers(store, image).reduce((sum, size) => sum + size, 0);
}

export function sizesOfLayers(store: ImageStore, image: StoredImage): number[] {
  return pairLayers(image).map(({ layer, diffId }) => findLayer(store, diffId)?.bytes ?? sizeOfBlob(store, layer.digest));
}

/** Milliseconds since the epoch; what has no date is as old as the epoch. */
export function createdMs({ config }: StoredImage): number {
  const time = Date.parse(config.created ?? "");
  return Number.isFinite(time) ? time : 0;
}

/** "busybox@sha256:…". */
export function familiarDigests({ repoDigests }: StoredImage): string[] {
  return repoDigests.map((text) => {
    const reference = parseReference(text);
    return `${formatRepository(reference)}@${reference.digest}`;
  });
}

/** What `docker image inspect` prints (Docker Engine API, ImageInspect). */
export function describeImage(store: ImageStore, image: StoredImage): Record<string, unknown> {
  const { config, id, names } = image;
  const last = config.history?.at(-1);
  const size = sizeOfImage(store, image);
  return {
    Id: id,
    RepoTags: names.filter(({ tag }) => tag !== undefined).map(formatFamiliar),
    RepoDigests: familiarDigests(image),
    Parent: "",
    Comment: last?.comment ?? "",
    Created: config.created ?? "0001-01-01T00:00:00Z",
    DockerVersion: typeof config["docker_version"] === "string" ? config["docker_version"] : "",
    Author: config.author ?? "",
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: size,
    VirtualSize: size,
    GraphDriver: { Name: "overlay", Data: { LowerDir: pairLayers(image).flatMap(({ diffId }) => findLayer(store, diffId)?.path ?? []).toReversed().join(":") } },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
    Descriptor: { mediaType: image.manifest.mediaType, digest: image.manifest.digest, size: image.manifest.size },
  };
}

export interface HistoryLine {
  /** The image's for its last step; steps are no images. */
  id: string | undefined;
  createdMs: number;
  createdBy: string;
  /** Bytes. */
  size: number;
  comment: string;
}

/** The steps that made an image, the last one first. */
export function listHistory(store: ImageStore, image: StoredImage): HistoryLine[] {
  const sizes = sizesOfLayers(store, image);
  const history = image.config.history?.length ? image.config.history : sizes.map(() => ({ created: image.config.created, created_by: "", comment: "", empty_layer: false }));
  let next = 0;
  const lines = history.map((step) => ({
    id: undefined,
    createdMs: Date.parse(step.created ?? "") || 0,
    createdBy: step.created_by ?? "",
    size: step.empty_layer ? 0 : (sizes[next++] ?? 0),
    comment: step.comment ?? "",
  }));
  return lines.toReversed().map((line, index) => (index === 0 ? { ...line, id: image.id } : line));
}
