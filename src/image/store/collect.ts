import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { lockFile } from "../../launch/file-lock.js";
import { layerHome } from "../layers/layer-folder.js";
import { hideLayerFolder, removeLayerFolder } from "../layers/remove-layer.js";
import { type ImageIndex, MEDIA } from "../oci.js";
import { blobPath } from "./blobs.js";
import { type ImageStore, ingestFolder } from "./open.js";
import { reachFrom, type Reached } from "./reach.js";
import { listUses } from "./uses.js";

/** What nobody names may be somebody's who is not done: another program's copy, a pull, a build. */
const YOUNG_MS = 60 * 60_000;

export interface Garbage {
  /** Digests of blobs and diff ids of layers that are gone. */
  blobs: string[];
  layers: string[];
  /** Folders that are still to be removed, by `removeHidden`. */
  hidden: string[];
  /** Bytes of the blobs. */
  bytes: number;
}

/** What images and containers need. For who holds the index's lock. */
export function reachAll(store: ImageStore, { manifests }: ImageIndex): Reached {
  const used = listUses(store).map(({ manifest }) => ({ digest: manifest, mediaType: MEDIA.ociManifest as string }));
  return reachFrom(store, [...manifests, ...used]);
}

/** Removes of these what nobody needs. For who holds the index's lock, behind which nobody can come to need it. */
export function dropUnreached(store: ImageStore, candidates: Reached, index: ImageIndex): Garbage {
  const needed = reachAll(store, index);
  const blobs = [...candidates.blobs].filter((digest) => !needed.blobs.has(digest) && existsSync(blobPath(store, digest)));
  const layers = [...candidates.layers].filter((diffId) => !needed.layers.has(diffId));
  const bytes = blobs.reduce((sum, digest) => sum + (statSync(blobPath(store, digest), { throwIfNoEntry: false })?.size ?? 0), 0);
  for (const digest of blobs) rmSync(blobPath(store, digest), { force: true });
  const homes = layers.map((diffId) => layerHome(store, diffId)).filter((home) => existsSync(home));
  return { blobs, layers, hidden: homes.map(hideLayerFolder), bytes };
}

/** The slow part of removing, which needs no lock. */
export async function removeHidden({ hidden }: Pick<Garbage, "hidden">): Promise<void> {
  for (const home of hidden) await removeLayerFolder(home);
}

/** All blobs and layers of the store that have been there for a while. */
export function listOld(store: ImageStore, now = Date.now()): Reached {
  const isOld = (path: string): boolean => now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > YOUNG_MS;
  const list = (folder: string): string[] => readdirSync(folder).filter((name) => /^[a-f0-9]{64}$/.test(name) && isOld(join(folder, name))).map((name) => `sha256:${name}`);
  return { blobs: new Set(list(join(store.folder, "blobs", "sha256"))), layers: new Set(list(join(store.layers, "sha256"))) };
}

/** Removes what processes left that were killed: halves of layers, folders on their way out, old downloads. */
export async function sweepRemains(store: ImageStore, now = Date.now()): Promise<void> {
  const folder = join(store.layers, "sha256");
  for (const name of readdirSync(folder)) {
    const [, pid] = /\.dead-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeLayerFolder(join(folder, name));
    if (name.endsWith(".new")) await removeUnderLock(join(folder, name.replace(/new$/, "lock")), () => removeLayerFolder(join(folder, name)));
  }
  for (const name of readdirSync(ingestFolder(store))) {
    const path = join(ingestFolder(store), name);
    const old = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) > YOUNG_MS;
    if (old) await removeUnderLock(path, async () => rmSync(path, { force: true }));
  }
}

async function removeUnderLock(file: string, remove: () => Promise<void>): Promise<void> {
  const lock = await lockFile(file, { try: true });
  if (!lock) return;
  try {
    await remove();
  } finally {
    lock.release({ remove: true });
  }
}
