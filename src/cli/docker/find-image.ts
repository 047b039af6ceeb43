import type { ImageDefaults, UnpackedImage } from "../../container/create.js";
import { openImageStore } from "../../image/store/open.js";
import { type ResolvedImage, resolveImage } from "../../image/resolve.js";

/**
 * The image of that name, unpacked, and written down as used by the container with this id.
 * @throws BrigError BRIG_NO_IMAGE
 */
export async function takeImage(reference: string, user: string): Promise<UnpackedImage> {
  const store = await openImageStore();
  return describe(await resolveImage(store, reference, { user }), reference);
}

function describe({ id, layers, config }: ResolvedImage, reference: string): UnpackedImage {
  const { config: defaults } = config;
  return {
    id,
    reference,
    layers: layers.toReversed().map(({ path }) => path),
    config: dropNulls(defaults ?? {}) as ImageDefaults,
  };
}

/** Go writes what is empty as null. */
function dropNulls(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}
