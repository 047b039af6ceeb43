import { removeImage } from "./remove.js";
import { dropUnreached, listOld, removeHidden, sweepRemains } from "./store/collect.js";
import { changeIndex } from "./store/index-file.js";
import type { ImageStore } from "./store/open.js";
import { listImages, type StoredImage } from "./store/stored-image.js";
import { listUses } from "./store/uses.js";

export interface Pruned {
  untagged: string[];
  deleted: string[];
  bytes: number;
}

/**
 * Removes the images that have no name and no container; with `all` those that have no container. Then what was left
 * by processes that were killed.
 *
 * @param wanted of them, those that may go
 */
export async function pruneImages(store: ImageStore, all: boolean, wanted: (image: StoredImage) => boolean = () => true): Promise<Pruned> {
  const used = new Set(listUses(store).map(({ image }) => image));
  const images = (await listImages(store)).filter((image) => (all || image.names.length === 0) && !used.has(image.id) && wanted(image));
  const pruned: Pruned = { untagged: [], deleted: [], bytes: 0 };
  for (const { id } of images) {
    const { untagged, deleted, bytes } = await removeImage(store, id, { force: true });
    pruned.untagged.push(...untagged);
    pruned.deleted.push(...deleted);
    pruned.bytes += bytes;
  }
  pruned.bytes += await sweepStore(store);
  return pruned;
}

/** Removes blobs and layers that nothing leads to and that are no longer young. @returns bytes */
export async function sweepStore(store: ImageStore): Promise<number> {
  const garbage = await changeIndex(store, (index) => dropUnreached(store, listOld(store), index));
  await removeHidden(garbage);
  await sweepRemains(store);
  return garbage.bytes;
}
