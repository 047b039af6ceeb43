import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { findDataFolder } from "../../sandbox/data-folder.js";

/** Where systemd keeps the images of machines. */
const SYSTEM_POOL = "/var/lib/machines";

/** Where the images of other packages and the administrator may stand too (machinectl(1), "Files and directories"). */
const READ_TOO = ["/etc/machines", "/run/machines", "/usr/local/lib/machines", "/usr/lib/machines"];

/** brig's own: all there is for an ordinary user. */
export function findOwnPool(euid: number = process.geteuid?.() ?? -1): string {
  return join(findDataFolder(euid), "machines");
}

/** Where new images go: for root where every tool of systemd finds them. */
export function findPool(euid: number = process.geteuid?.() ?? -1): string {
  return euid === 0 ? SYSTEM_POOL : findOwnPool(euid);
}

/** All folders with images; of two of one name the first counts. */
export function listPools(euid: number = process.geteuid?.() ?? -1): string[] {
  return euid === 0 ? [SYSTEM_POOL, findOwnPool(euid), ...READ_TOO] : [findOwnPool(euid)];
}

/** The folder for new images, made where it is missing; only its owner may look into it. */
export function openPool(): string {
  const pool = findPool();
  mkdirSync(pool, { recursive: true, mode: 0o700 });
  if (!lstatSync(pool).isDirectory()) throw new Error(`${pool} is no folder`);
  return pool;
}
