import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { findImage } from "./image.js";
import { imageError } from "./image-error.js";
import { openPool } from "./pool.js";

const BTRFS_MAGIC = 0x9123683e;

/** How large an image may become, by btrfs's quota groups. @param bytes Infinity: as large as there is room */
export function setImageLimit(name: string, bytes: number): void {
  const image = findImage(name);
  if (image.type !== "subvolume") throw imageError("Operation not supported", "BRIG_NO_QUOTA", `${image.path} is no btrfs subvolume: only those have a limit of their own`);
  setQuota(image.path, bytes);
}

/** The same for all images together. */
export function setPoolLimit(bytes: number): void {
  const pool = openPool();
  if (statfsSync(pool).type !== BTRFS_MAGIC) throw imageError("Quota is only supported on btrfs.", "BRIG_NO_QUOTA", `${pool} is on another file system`);
  setQuota(pool, bytes);
}

function setQuota(path: string, bytes: number): void {
  const { status, stderr, error } = spawnSync("btrfs", ["qgroup", "limit", bytes === Infinity ? "none" : String(bytes), path], { encoding: "utf8" });
  if (error) throw imageError("btrfs is missing", "BRIG_NO_TOOL", "apt-get install btrfs-progs");
  if (status !== 0) throw imageError(stderr.trim(), "BRIG_NO_QUOTA", `btrfs quota enable ${path}`);
}
