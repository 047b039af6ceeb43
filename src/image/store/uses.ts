import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type ProcessId, readProcess } from "../../sandbox/process.js";
import { changeIndex } from "./index-file.js";
import { type ImageStore, ingestFolder, usesFolder } from "./open.js";
import { replaceFile } from "./replace-file.js";

/** Who needs an image beyond its names: a container. */
export interface ImageUse {
  /** The container's id; a file name. */
  user: string;
  /** The manifest's digest: what it leads to stays. */
  manifest: string;
  /** The image's id. */
  image: string;
}

/** A use that was written down, and the process that did so: until the user is there, its life is the use's. */
export interface KnownUse extends ImageUse {
  maker: ProcessId;
}

const USER = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * Writes down that somebody uses an image, until `releaseImage`. Its manifest, config and layers stay, whatever is
 * removed or pruned.
 */
export async function useImage(store: ImageStore, use: ImageUse): Promise<void> {
  if (!USER.test(use.user)) throw new TypeError(`${JSON.stringify(use.user)} is no id of a user of images`);
  await changeIndex(store, () => {
    mkdirSync(usesFolder(store), { recursive: true, mode: 0o700 });
    replaceFile(join(usesFolder(store), use.user), JSON.stringify({ ...use, maker: { pid: process.pid, start: readProcess(process.pid)?.start ?? "0" } } satisfies KnownUse), 0o600, ingestFolder(store));
  });
}

/** The user needs its image no more. */
export function releaseImage(store: ImageStore, user: string): void {
  if (USER.test(user)) rmSync(join(usesFolder(store), user), { force: true });
}

export function listUses(store: ImageStore): KnownUse[] {
  return readdirSync(usesFolder(store))
    .filter((name) => USER.test(name))
    .flatMap((name) => readUse(join(usesFolder(store), name)));
}

function readUse(path: string): KnownUse[] {
  try {
    return [JSON.parse(readFileSync(path, "utf8")) as KnownUse];
  } catch {
    return []; // gone in between
  }
}
