import { imageError } from "../image-error.js";
import { formatFamiliar, formatReference, type Reference, tryParseReference, withDefaultTag } from "../reference.js";
import type { ImageStore } from "./open.js";
import { listImages, type StoredImage } from "./stored-image.js";

export interface FoundImage {
  image: StoredImage;
  /** The name that it was found by; undefined: by its id. */
  name: Reference | undefined;
}

/**
 * Finds an image by a name, "NAME@DIGEST", an id or the beginning of one, in docker's order: a name that is there is
 * meant before an id.
 *
 * @throws BrigError BRIG_NO_IMAGE, BRIG_AMBIGUOUS_IMAGE
 */
export async function findImage(store: ImageStore, text: string): Promise<FoundImage> {
  const found = searchImage(await listImages(store), text);
  if (found) return found;
  throw noImage(text);
}

/** The same among images that were listed, undefined where there is none. */
export function searchImage(images: readonly StoredImage[], text: string): FoundImage | undefined {
  return searchName(images, text) ?? searchId(images, text);
}

function searchName(images: readonly StoredImage[], text: string): FoundImage | undefined {
  const parsed = tryParseReference(text);
  if (!parsed) return undefined;
  const name = withDefaultTag(parsed);
  const { domain, path, digest } = name;
  const wanted = digest === undefined ? formatReference(name) : `${domain}/${path}@${digest}`;
  const image = images.find(({ names, repoDigests, manifest }) =>
    digest === undefined
      ? names.some((each) => formatReference(each) === wanted)
      : repoDigests.includes(wanted) || (manifest.digest === digest && names.some((each) => each.domain === domain && each.path === path)),
  );
  return image && { image: { ...image, ...findTwin(image, name) }, name };
}

/** The very manifest that has the name. */
function findTwin({ twins }: StoredImage, name: Reference): Pick<StoredImage, "manifest" | "layers" | "configDescriptor"> | undefined {
  const twin = twins.find(({ names, manifest }) => (name.digest === undefined ? names.some((each) => formatReference(each) === formatReference(name)) : manifest.digest === name.digest));
  return twin && { manifest: twin.manifest, layers: twin.layers, configDescriptor: twin.configDescriptor };
}

function searchId(images: readonly StoredImage[], text: string): FoundImage | undefined {
  const hex = /^(?:sha256:)?([a-f0-9]{1,64})$/.exec(text)?.[1];
  if (hex === undefined) return undefined;
  const matching = images.filter(({ id, manifest }) => id.startsWith(`sha256:${hex}`) || manifest.digest === `sha256:${hex}`);
  if (matching.length > 1) throw imageError("BRIG_AMBIGUOUS_IMAGE", `multiple IDs found with provided prefix: ${hex}`, "say more of its digits");
  return matching[0] && { image: matching[0], name: undefined };
}

export function noImage(text: string): Error {
  const parsed = tryParseReference(text);
  return imageError("BRIG_NO_IMAGE", `No such image: ${parsed ? formatFamiliar(withDefaultTag(parsed)) : text}`, `brig images lists those there are; brig pull ${text} gets it from its registry`);
}
