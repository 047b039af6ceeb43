import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { lockFile } from "../../launch/file-lock.js";
import { nameDraft, removeStaleDrafts, removeTree } from "./draft.js";
import { findImage, hasImage, listImages, type MachineImage } from "./image.js";
import { imageError } from "./image-error.js";
import { requireImageName } from "./names.js";
import { runWork } from "./workshop.js";

const HOST_IMAGE = ".host";

/** Runs something while nobody else changes the image: systemd's tools hold the same lock file. */
export async function withImageLock<T>(pool: string, name: string, run: () => T | Promise<T>): Promise<T> {
  const lock = await lockFile(`${pool}/.#${name}.lck`, { try: true });
  if (!lock) throw imageError(`Image '${name}' is currently being used.`, "BRIG_IMAGE_BUSY", "a machine runs from it, or another command changes it");
  try {
    return await run();
  } finally {
    lock.release({ remove: true });
  }
}

/** A new image beside the old, whole or not at all. @throws BrigError BRIG_NO_SUCH_IMAGE, BRIG_IMAGE_EXISTS */
export async function cloneImage(from: string, to: string, options: { readonly?: boolean } = {}): Promise<void> {
  const image = findImage(from);
  const pool = requireWritable(image);
  requireFree(requireImageName(to));
  await removeStaleDrafts(pool);
  await withImageLock(pool, to, async () => {
    const draft = nameDraft(pool, to);
    try {
      await copyImage(image, draft);
      requireFree(to);
      renameSync(draft, `${pool}/${to}${image.type === "raw" ? ".raw" : ""}`);
    } finally {
      if (existsSync(draft)) await removeTree(draft);
    }
  });
  await setReadonly(to, options.readonly ?? false);
}

async function copyImage(image: MachineImage, draft: string): Promise<void> {
  if (image.type === "raw") return copyRaw(image.path, draft);
  await copyTree(image.path, draft);
}

/** Blocks are shared where the file system can; holes stay holes. */
function copyRaw(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["--reflink=auto", "--sparse=always", "--", from, to], { encoding: "utf8" });
  if (status !== 0) throw imageError(stderr.trim() || "cp failed", "BRIG_CANNOT_COPY");
  chmodSync(to, 0o644);
}

/** Owners, modes, times, links, extended attributes and capabilities as they are. */
export async function copyTree(from: string, to: string): Promise<void> {
  mkdirSync(to, { mode: 0o755 });
  const status = await runWork({ command: ["cp", "-a", "--reflink=auto", "--one-file-system", "/source/.", "/image/"], read: { "/source": from }, write: { "/image": to }, devices: process.geteuid?.() === 0 });
  if (status !== 0) throw imageError(`copying ended with status ${status}`, "BRIG_CANNOT_COPY");
}

export async function renameImage(from: string, to: string): Promise<void> {
  const image = findImage(from);
  const pool = requireWritable(image);
  requireFree(requireImageName(to));
  await withImageLock(pool, from, () => withImageLock(pool, to, () => {
    requireFree(to);
    // what may not be changed may not be renamed either
    if (image.readonly && image.type !== "raw") setImmutable(image.path, false);
    const path = `${pool}/${to}${image.type === "raw" ? ".raw" : ""}`;
    renameSync(image.path, path);
    if (image.readonly && image.type !== "raw") setImmutable(path, true);
  }));
}

/** @returns bytes set free, where that is known */
export async function removeImage(name: string): Promise<number | undefined> {
  const image = findImage(name);
  const pool = requireWritable(image);
  await withImageLock(pool, name, async () => {
    if (image.readonly && image.type !== "raw") setImmutable(image.path, false);
    const grave = `${nameDraft(pool, name)}.out`;
    renameSync(image.path, grave);
    await removeTree(grave);
  });
  return image.usage;
}

/** A folder: the immutable flag, which keeps its own entries; a raw image: no right to write. */
export async function setReadonly(name: string, wanted: boolean): Promise<void> {
  const image = findImage(name);
  if (image.readonly === wanted) return;
  await withImageLock(requireWritable(image), name, () => {
    if (image.type !== "raw") return setImmutable(image.path, wanted);
    chmodSync(image.path, (statSync(image.path).mode & 0o7555) | (wanted ? 0 : 0o200));
  });
}

function setImmutable(path: string, wanted: boolean): void {
  const { status, stderr, error } = spawnSync("chattr", [wanted ? "+i" : "-i", "--", path], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (status === 0) return;
  throw imageError((stderr ?? error?.message ?? "").trim().replace(/^chattr: /, "") || "chattr failed", "BRIG_CANNOT_MARK", "it takes root and a file system with the immutable flag (ext4, xfs, btrfs, tmpfs since Linux 6.6)");
}

/** @returns the bytes set free of each image that went, by name */
export async function cleanImages(everything: boolean): Promise<Map<string, number | undefined>> {
  const gone = new Map<string, number | undefined>();
  for (const { name, path } of listImages()) {
    if (!everything && !name.startsWith(".")) continue;
    if (!isChangeable(path)) continue;
    gone.set(name, await removeImage(name));
  }
  return gone;
}

/** @throws BrigError BRIG_IMAGE_EXISTS */
export function requireFree(name: string): void {
  if (name === HOST_IMAGE || hasImage(name)) throw imageError("File exists", "BRIG_IMAGE_EXISTS", `brig machinectl remove ${name}`);
}

/** The folder that an image is in. What packages bring is not brig's to change. */
function requireWritable({ path }: MachineImage): string {
  if (!isChangeable(path)) throw imageError("Read-only file system", "BRIG_IMAGE_READONLY", `${path} is not in a folder of brig's`);
  return dirname(path);
}

function isChangeable(path: string): boolean {
  return !path.startsWith("/usr/lib/");
}
