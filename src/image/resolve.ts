import { imageError } from "./image-error.js";
import type { LayerFolder } from "./layers/layer-folder.js";
import { unpackLayer, type UnpackOptions } from "./layers/unpack-layer.js";
import type { Descriptor, ImageConfig } from "./oci.js";
import type { Reference } from "./reference.js";
import { findImage } from "./store/find.js";
import { useImage } from "./store/uses.js";
import type { ImageStore } from "./store/open.js";
import type { StoredImage } from "./store/stored-image.js";

/** An image that a container can be made of. */
export interface ResolvedImage {
  /** The config's digest. */
  id: string;
  /** The manifest's digest. */
  digest: string;
  /** The name that it was asked for by; undefined: by its id. */
  name: Reference | undefined;
  config: ImageConfig;
  /** The lowest first; an overlay's `lowerdir` wants them the other way round. */
  layers: LayerFolder[];
  image: StoredImage;
}

export interface ResolveOptions extends UnpackOptions {
  /** Who will use it, as in `useImage`, written down before anything can be removed. */
  user?: string;
}

/**
 * Finds an image of the store and unpacks what of it is not unpacked yet.
 *
 * @throws BrigError BRIG_NO_IMAGE, and those of `unpackLayer`
 */
export async function resolveImage(store: ImageStore, text: string, options: ResolveOptions = {}): Promise<ResolvedImage> {
  const { image, name } = await findImage(store, text);
  if (options.user !== undefined) await useImage(store, { user: options.user, manifest: image.manifest.digest, image: image.id });
  const layers = await unpackImage(store, image, options);
  return { id: image.id, digest: image.manifest.digest, name, config: image.config, layers, image };
}

/** Unpacks an image's layers, two at a time. */
export async function unpackImage(store: ImageStore, image: Pick<StoredImage, "id" | "config" | "layers">, options: UnpackOptions = {}): Promise<LayerFolder[]> {
  const pairs = pairLayers(image);
  const done: LayerFolder[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < pairs.length; at = next++) {
      const { layer, diffId } = pairs[at]!;
      done[at] = await unpackLayer(store, layer.digest, diffId, options);
    }
  };
  await Promise.all([work(), work()]);
  return done;
}

/** Each layer with the digest of its unpacked bytes. @throws BrigError BRIG_BAD_IMAGE */
export function pairLayers({ id, config, layers }: Pick<StoredImage, "id" | "config" | "layers">): { layer: Descriptor; diffId: string }[] {
  const { diff_ids: diffIds } = config.rootfs;
  if (diffIds.length !== layers.length) throw imageError("BRIG_BAD_IMAGE", `${id} names ${diffIds.length} layers, and its manifest ${layers.length}`);
  return layers.map((layer, index) => ({ layer, diffId: diffIds[index]! }));
}
