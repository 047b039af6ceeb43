import { imageError } from "./image-error.js";
import { type Reference, withDefaultTag } from "./reference.js";
import { hasBlob } from "./store/blobs.js";
import { findImage, noImage } from "./store/find.js";
import { changeIndex, putEntry, repoDigestsOf } from "./store/index-file.js";
import type { ImageStore } from "./store/open.js";

/** Gives an image one more name; who had the name loses it. @throws BrigError BRIG_NO_IMAGE */
export async function tagImage(store: ImageStore, text: string, target: Reference): Promise<void> {
  if (target.digest !== undefined) throw imageError("BRIG_BAD_REFERENCE", "refusing to create a tag with a digest reference", "name it without @sha256:…");
  const { image } = await findImage(store, text);
  await changeIndex(store, (index) => {
    const entry = index.manifests.find(({ digest }) => digest === image.manifest.digest);
    // one without an entry lies in an index of the index, or was removed in between
    if (!entry && !hasBlob(store, image.manifest.digest)) throw noImage(text);
    const { annotations: _, ...descriptor } = entry ?? image.manifest;
    putEntry(index, descriptor, withDefaultTag(target), entry ? repoDigestsOf(entry) : []);
  });
}
