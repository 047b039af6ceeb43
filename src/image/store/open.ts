import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { lockFile } from "../../launch/file-lock.js";
import { findDataFolder } from "../../sandbox/data-folder.js";
import { explainFileError } from "../image-error.js";
import { replaceFile } from "./replace-file.js";

/**
 * The images of one user: an OCI image layout (image-spec 1.1, image-layout.md) that skopeo reads and writes as
 * `oci:FOLDER:NAME`, and beside it the layers as overlays take them. Any number of processes work on it at once.
 */
export interface ImageStore {
  /** The layout: oci-layout, index.json, blobs/sha256; `.brig/` holds locks, unfinished downloads and uses. */
  readonly folder: string;
  /** Unpacked layers: sha256/DIFF_ID/. */
  readonly layers: string;
}

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';
const EMPTY = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}';

/** Opens the store in a data folder, and makes what is missing of it. @throws BrigError BRIG_IMAGE_STORE, BRIG_NO_SPACE */
export async function openImageStore({ data = findDataFolder() }: { data?: string } = {}): Promise<ImageStore> {
  const store: ImageStore = { folder: join(data, "images"), layers: join(data, "layers") };
  try {
    mkdirSync(data, { recursive: true, mode: 0o711 });
    for (const folder of [join(store.folder, "blobs", "sha256"), ingestFolder(store), usesFolder(store), join(store.layers, "sha256")])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(join(store.folder, "oci-layout")) || !existsSync(indexFile(store))) await makeLayout(store);
  } catch (error) {
    throw explainFileError(error, `cannot open the image store ${store.folder}`);
  }
  return store;
}

async function makeLayout(store: ImageStore): Promise<void> {
  const lock = await lockFile(indexLock(store));
  try {
    if (!existsSync(join(store.folder, "oci-layout"))) replaceFile(join(store.folder, "oci-layout"), LAYOUT);
    if (!existsSync(indexFile(store))) replaceFile(indexFile(store), EMPTY);
  } finally {
    lock.release();
  }
}

export const indexFile = (store: ImageStore): string => join(store.folder, "index.json");
export const indexLock = (store: ImageStore): string => join(store.folder, ".brig", "index.lock");
export const ingestFolder = (store: ImageStore): string => join(store.folder, ".brig", "ingest");
export const usesFolder = (store: ImageStore): string => join(store.folder, ".brig", "uses");
