import { spawnSync } from "node:child_process";
import { lstatSync, readdirSync, type Stats, statfsSync } from "node:fs";
import { isImageName, requireImageName } from "./names.js";
import { noSuchImage } from "./image-error.js";
import { listPools } from "./pool.js";

export type ImageType = "directory" | "subvolume" | "raw" | "block";

/** What a machine can be started from. Times in milliseconds since the epoch, sizes in bytes; undefined: not known. */
export interface MachineImage {
  name: string;
  type: ImageType;
  path: string;
  readonly: boolean;
  createdMs: number | undefined;
  modifiedMs: number | undefined;
  usage: number | undefined;
  limit: number | undefined;
}

/** The root of a btrfs subvolume (BTRFS_FIRST_FREE_OBJECTID), and the file system's magic (statfs(2)). */
const SUBVOLUME_INODE = 256;
const BTRFS_MAGIC = 0x9123683e;

/** All images, by name; what is hidden (a dot in front) too. A folder that may not be read has none. */
export function listImages(pools: readonly string[] = listPools()): MachineImage[] {
  const found = new Map<string, MachineImage>();
  for (const image of pools.flatMap(listPool)) if (!found.has(image.name)) found.set(image.name, image);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws BrigError BRIG_NO_SUCH_IMAGE, BRIG_BAD_NAME */
export function findImage(name: string, pools: readonly string[] = listPools()): MachineImage {
  requireImageName(name);
  for (const pool of pools) {
    const image = readImage(pool, name) ?? readImage(pool, `${name}.raw`);
    if (image) return addAttributes([image])[0]!;
  }
  throw noSuchImage(name);
}

/** The image of that name, whatever case the pool it is in. */
export function hasImage(name: string): boolean {
  return listPools().some((pool) => readImage(pool, name) ?? readImage(pool, `${name}.raw`));
}

function listPool(pool: string): MachineImage[] {
  let names: string[];
  try {
    names = readdirSync(pool);
  } catch {
    return [];
  }
  return addAttributes(names.filter(isImageName).flatMap((name) => readImage(pool, name) ?? []));
}

/** @param entry a name in the folder, with ".raw" where it has that */
function readImage(pool: string, entry: string): MachineImage | undefined {
  const path = `${pool}/${entry}`;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return readFolder(entry, path, stat);
  if (stat?.isFile() && entry.endsWith(".raw") && isImageName(entry.slice(0, -4))) return readRaw(entry.slice(0, -4), path, stat);
  return undefined;
}

function readFolder(name: string, path: string, stat: Stats): MachineImage {
  const isSubvolume = stat.ino === SUBVOLUME_INODE && statfsSync(path).type === BTRFS_MAGIC;
  return {
    name, path, type: isSubvolume ? "subvolume" : "directory", readonly: false, createdMs: stat.birthtimeMs || undefined,
    modifiedMs: undefined, usage: undefined, limit: undefined,
  };
}

function readRaw(name: string, path: string, stat: Stats): MachineImage {
  return {
    name, path, type: "raw", readonly: (stat.mode & 0o222) === 0, createdMs: stat.birthtimeMs || undefined, modifiedMs: stat.mtimeMs,
    usage: stat.blocks * 512, limit: stat.size,
  };
}

/** A folder is read-only when it may not be changed (FS_IMMUTABLE_FL, ioctl_iflags(2)); only lsattr(1) asks for that here. */
function addAttributes(images: MachineImage[]): MachineImage[] {
  const folders = images.filter(({ type }) => type !== "raw");
  if (folders.length === 0) return images;
  const { stdout } = spawnSync("lsattr", ["-d", "--", ...folders.map(({ path }) => path)], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  const immutable = new Set((stdout ?? "").split("\n").flatMap((line) => /^[-A-Za-z]*i[-A-Za-z]*\s+(.*)$/.exec(line)?.[1] ?? []));
  return images.map((image) => (immutable.has(image.path) ? { ...image, readonly: true } : image));
}
