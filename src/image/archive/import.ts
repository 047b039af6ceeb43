import type { Readable } from "node:stream";
import { commitLayer, createImage } from "../commit.js";
import { changeConfig } from "../change-config.js";
import type { ImageConfig, Platform } from "../oci.js";
import { hostPlatform } from "../platform.js";
import { type Reference, withDefaultTag } from "../reference.js";
import { unpackImage } from "../resolve.js";
import type { ImageStore } from "../store/open.js";
import { decompress } from "./load.js";

export interface ImportOptions {
  name?: Reference | undefined;
  message?: string | undefined;
  /** Lines of a Dockerfile: "CMD [\"sh\"]". */
  changes?: readonly string[];
  platform?: Platform | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Makes an image of a plain archive of a root.
 *
 * @returns its id
 * @throws BrigError BRIG_BAD_LAYER, BRIG_BAD_CHANGE, BRIG_NO_SPACE
 */
export async function importImage(store: ImageStore, tar: Readable, { name, message, changes = [], platform = hostPlatform(), signal }: ImportOptions = {}): Promise<string> {
  const created = new Date().toISOString();
  const { architecture, os, variant } = platform;
  const settings = changeConfig({}, changes);
  const { layer, diffId } = await commitLayer(store, await decompress(tar, signal), signal);
  const config: ImageConfig = {
    architecture,
    os,
    ...(variant ? { variant } : {}),
    created,
    config: settings,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, created_by: "", comment: message ?? "Imported from -" }],
  };
  await unpackImage(store, { id: diffId, config, layers: [layer] }, { signal });
  const { id } = await createImage(store, config, [layer], name ? [withDefaultTag(name)] : []);
  return id;
}
