import { closeSync, constants, createReadStream, createWriteStream, existsSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describeErrno } from "../../error/errno.js";
import { detectCompression, PROGRAMS, refuseQcow2 } from "./archive.js";
import { copyTree, removeImage, requireFree, setReadonly, withImageLock } from "./change.js";
import { nameDraft, removeStaleDrafts, removeTree } from "./draft.js";
import { hasImage } from "./image.js";
import { imageError } from "./image-error.js";
import { openPool } from "./pool.js";
import { runWork } from "./workshop.js";

export interface ImportOptions {
  readonly?: boolean;
  /** An image of that name is replaced, when the new one is whole. */
  force?: boolean;
}

/** Attributes that a file of an image may have; those of the kernel's own ("trusted.") are nobody's to bring. */
const ATTRIBUTES = ["--xattrs", "--xattrs-include=user.*", "--xattrs-include=security.capability", "--acls"];

/**
 * Unpacks an archive, which is not trusted: by tar(1) in a sandbox that sees nothing but the new folder and has no
 * right but over the files in it. Devices are left out: a machine gets its own /dev.
 * @param path of the file; "-": standard input
 */
export async function importTar(path: string, name: string, options: ImportOptions = {}): Promise<void> {
  await makeImage(name, "", options, async (draft) => {
    await withSource(path, `${draft}.in`, async (fd) => {
      mkdirSync(draft, { mode: 0o755 });
      const compression = detectCompression(fd);
      const filter = compression === "uncompressed" ? [] : [`--${compression}`];
      const command = ["tar", "-x", ...filter, "--numeric-owner", "--same-owner", "--preserve-permissions", ...ATTRIBUTES, "--exclude=./dev/*", "--exclude=dev/*", "-C", "/image", "-f", "-"];
      await requireWork(runWork({ command, write: { "/image": draft }, streams: [fd, "ignore", 2] }), "tar");
    });
    if (readdirSync(draft).length === 0) throw imageError("the archive is empty", "BRIG_BAD_ARCHIVE");
    liftSingleFolder(draft);
  });
}

/** A disk image, unpacked where it is compressed; holes become holes again. */
export async function importRaw(path: string, name: string, options: ImportOptions = {}): Promise<void> {
  await makeImage(name, ".raw", options, async (draft) => {
    await withSource(path, `${draft}.in`, async (fd) => {
      refuseQcow2(fd);
      const compression = detectCompression(fd);
      closeSync(openSync(draft, "wx", 0o644));
      const unpack = compression === "uncompressed" ? "cat" : `${PROGRAMS[compression]} -dc`;
      // a shell gives what it does not wait for an empty standard input: 3 is the real one; and only `wait` tells its status
      const script = `exec 3<&0; mkfifo /tmp/pipe; ${unpack} <&3 >/tmp/pipe & cp --sparse=always /tmp/pipe /image && wait $!`;
      await requireWork(runWork({ command: ["sh", "-c", script], write: { "/image": draft }, streams: [fd, "ignore", 2] }), unpack);
    });
  });
}

/** A folder of the host, as it is. */
export async function importFolder(path: string, name: string, options: ImportOptions = {}): Promise<void> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) throw imageError(`Failed to open directory '${path}': ${stat ? "Not a directory" : "No such file or directory"}`, "BRIG_NO_SUCH_PATH");
  await makeImage(name, "", options, (draft) => copyTree(path, draft));
}

async function makeImage(name: string, suffix: string, { readonly = false, force = false }: ImportOptions, make: (draft: string) => Promise<void>): Promise<void> {
  const pool = openPool();
  await removeStaleDrafts(pool);
  if (!force && hasImage(name)) throw imageError(`Image '${name}' already exists.`, "BRIG_IMAGE_EXISTS", "--force replaces it");
  const draft = nameDraft(pool, name);
  try {
    await make(draft);
    if (force && hasImage(name)) await removeImage(name);
    await withImageLock(pool, name, () => {
      requireFree(name);
      renameSync(draft, `${pool}/${name}${suffix}`);
    });
  } finally {
    if (existsSync(draft)) await removeTree(draft);
  }
  if (readonly) await setReadonly(name, true);
}

async function withSource(path: string, staged: string, use: (fd: number) => Promise<void>): Promise<void> {
  if (path === "-") return await withStaged(process.stdin, staged, use);
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO()) return await withStaged(createReadStream(path), staged, use);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw imageError(`Failed to open ${path}: ${describeErrno(error as NodeJS.ErrnoException)}`, "BRIG_NO_SUCH_PATH");
  }
  try {
    await use(fd);
  } finally {
    closeSync(fd);
  }
}

/** What comes through a pipe is written down first: its kind is told by its beginning. */
async function withStaged(source: Readable, staged: string, use: (fd: number) => Promise<void>): Promise<void> {
  try {
    await pipeline(source, createWriteStream(staged, { flags: "wx", mode: 0o600 }));
    await withSource(staged, staged, use);
  } finally {
    rmSync(staged, { force: true });
  }
}

async function requireWork(work: Promise<number>, program: string): Promise<void> {
  const status = await work;
  if (status !== 0) throw imageError(`${program} failed with exit status ${status}.`, "BRIG_BAD_ARCHIVE");
}

/** An archive of one folder, which is the root: as machined takes it. */
function liftSingleFolder(draft: string): void {
  const [only, another] = readdirSync(draft);
  if (only === undefined || another !== undefined || !lstatSync(`${draft}/${only}`).isDirectory()) return;
  if (["usr", "etc", "bin", "sbin", "lib", "var"].includes(only)) return;
  if (!["usr", "etc", "bin", "sbin"].some((name) => lstatSync(`${draft}/${only}/${name}`, { throwIfNoEntry: false }))) return;
  const lifted = `${draft}.out`;
  renameSync(`${draft}/${only}`, lifted);
  rmSync(draft, { recursive: true });
  renameSync(lifted, draft);
}
