import type { ImageDefaults, UnpackedImage } from "../../container/create.js";
import { BrigError } from "../../error/brig-error.js";
import { parsePlatform } from "../../image/platform.js";
import type { OnProgress } from "../../image/progress.js";
import { pullImage } from "../../image/pull.js";
import { formatFamiliar, parseReference, withDefaultTag } from "../../image/reference.js";
import { type ImageStore, openImageStore } from "../../image/store/open.js";
import { type ResolvedImage, resolveImage } from "../../image/resolve.js";
import { printError } from "../output/print.js";
import { untilInterrupted } from "../until-interrupted.js";

/** `--pull`, `--platform` and `--quiet`. */
export interface PullWords {
  when: string;
  platform?: string | undefined;
  quiet: boolean;
}

/**
 * The image of that name, unpacked, and written down as used by the container with this id; pulled where it is missing
 * or `--pull always` says so.
 * @throws BrigError BRIG_NO_IMAGE, and those of `pullImage`
 */
export async function takeImage(reference: string, user: string, words: PullWords): Promise<UnpackedImage> {
  const { when } = words;
  if (when !== "missing" && when !== "always" && when !== "never") throw new BrigError(`invalid pull option: '${when}': must be one of "always", "missing" or "never"`, { code: "BRIG_BAD_VALUE", exitCode: 125 });
  const store = await openImageStore();
  if (when === "always" || (words.platform !== undefined && when === "missing")) await pull(store, reference, words);
  try {
    return describe(await resolveImage(store, reference, { user }), reference);
  } catch (error) {
    if (!(error instanceof BrigError && error.code === "BRIG_NO_IMAGE") || when !== "missing") throw error;
    if (!words.quiet) printError(`Unable to find image '${formatFamiliar(withDefaultTag(parseReference(reference)))}' locally`);
    await pull(store, reference, words);
    return describe(await resolveImage(store, reference, { user }), reference);
  }
}

/** Its progress goes to standard error: standard output is the container's. */
async function pull(store: ImageStore, reference: string, { platform, quiet }: PullWords): Promise<void> {
  const show: OnProgress = (event) => {
    if (quiet) return;
    if (event.kind === "line") printError(event.text);
    else if (event.status === "Pull complete" || event.status === "Already exists") printError(`${event.id}: ${event.status}`);
  };
  await untilInterrupted(async (signal) => void (await pullImage(store, parseReference(reference), { signal, onProgress: show, ...(platform === undefined ? {} : { platform: parsePlatform(platform) }) })));
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
