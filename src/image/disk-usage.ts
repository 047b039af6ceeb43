import { findLayer } from "./layers/layer-folder.js";
import { pairLayers } from "./resolve.js";
import { sizeOfBlob } from "./store/blobs.js";
import type { ImageStore } from "./store/open.js";
import { listImages, type StoredImage } from "./store/stored-image.js";
import { listUses } from "./store/uses.js";

export interface ImagesUsage {
  images: number;
  /** Those that containers use. */
  active: number;
  /** Bytes on the disk, packed and unpacked, each layer once. */
  bytes: number;
  /** What would be free without the images that no container uses. */
  reclaimable: number;
}

export async function measureImages(store: ImageStore): Promise<ImagesUsage> {
  const images = await listImages(store);
  const used = new Set(listUses(store).map(({ image }) => image));
  const active = images.filter(({ id }) => used.has(id));
  const bytes = measure(store, images);
  return { images: images.length, active: active.length, bytes, reclaimable: bytes - measure(store, active) };
}

function measure(store: ImageStore, images: readonly StoredImage[]): number {
  const sizes = new Map<string, number>();
  for (const image of images) {
    sizes.set(image.id, image.configDescriptor.size);
    sizes.set(image.manifest.digest, image.manifest.size);
    for (const { layer, diffId } of pairLayers(image)) {
      sizes.set(layer.digest, sizeOfBlob(store, layer.digest));
      sizes.set(`unpacked ${diffId}`, findLayer(store, diffId)?.bytes ?? 0);
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
