import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, lstatSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { findRunFolder } from "../launch/run-folder.js";
import { runPlan } from "../launch/run-plan.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { buildSpec } from "../policy/build-spec.js";
import type { ToolRun } from "./soft-tool.js";

const PREFIX = "brig-appimage-";
/** What an image may unpack to. */
const MAX_SIZE = "4GiB";

/** An image's files on the host, for as long as its sandbox runs. */
export interface UnpackedImage {
  image: string;
  folder: string;
  remove(): void;
}

/**
 * Unpacks an AppImage of type 2: an ELF program with a squashfs behind it. What reads the foreign file system is itself
 * in a sandbox, which may write that folder and nothing else.
 */
export async function unpackImage(run: ToolRun, file: string): Promise<UnpackedImage> {
  const image = resolve(file);
  const offset = findFileSystem(image);
  const tool = run.host.hasTool("unsquashfs");
  if (!tool) throw refuse(`${image} cannot be unpacked without unsquashfs`, "apt-get install squashfs-tools");
  sweep();
  const place = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const remove = (): void => rmSync(place, { recursive: true, force: true });
  const folder = join(place, basename(image).replace(/[^\w.-]/g, "_") || "image");
  try {
    mkdirSync(folder, { mode: 0o755 });
    const context = { cwd: place, env: { PATH: process.env["PATH"] }, home: homedir(), host: run.host };
    const options = { read: [image], write: [folder], net: "none", project: "none" as const, rlimits: [`fsize=${MAX_SIZE}`] };
    const spec = buildSpec(options, [tool, "-no-progress", "-quiet", "-no-xattrs", "-force", "-offset", String(offset), "-dest", folder, image], context);
    const status = await runPlan(encodePlan(compilePlan(spec, run.host, { runFolder: findRunFolder(run.host.euid) })), ["ignore", "ignore", 2]);
    if (status !== 0) throw refuse(`unsquashfs cannot unpack ${image}: exit status ${status}`, "unsquashfs -offset N -list IMAGE tells more");
    return { image, folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Of those whose brig was killed. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    const path = join(tmpdir(), name);
    const stat = pid === undefined ? undefined : lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() && stat.uid === process.geteuid?.() && !lstatSync(`/proc/${pid}`, { throwIfNoEntry: false })) rmSync(path, { recursive: true, force: true });
  }
}

/** Behind the ELF program, whose section headers come last (elf(5)). */
function findFileSystem(image: string): number {
  const descriptor = openImage(image);
  try {
    const head = Buffer.alloc(64);
    readSync(descriptor, head, 0, head.length, 0);
    const isElf = head.readUInt32BE(0) === 0x7f45_4c46;
    if (!isElf) throw refuse(`${image} is no AppImage`, "an AppImage is an ELF program with a file system behind it");
    if (head.toString("latin1", 8, 11) === "AI\u0001") throw refuse(`${image} is an AppImage of type 1, an ISO image`, "its maker may have one of type 2");
    const wide = head[4] === 2;
    const [table, size, count] = wide ? [Number(head.readBigUInt64LE(0x28)), head.readUInt16LE(0x3a), head.readUInt16LE(0x3c)] : [head.readUInt32LE(0x20), head.readUInt16LE(0x2e), head.readUInt16LE(0x30)];
    const offset = table + size * count;
    const magic = Buffer.alloc(4);
    if (offset > fstatSync(descriptor).size || readSync(descriptor, magic, 0, 4, offset) !== 4 || magic.toString("latin1") !== "hsqs") throw refuse(`${image} has no squashfs behind its program`, "it is no AppImage of type 2");
    return offset;
  } finally {
    closeSync(descriptor);
  }
}

function openImage(image: string): number {
  try {
    return openSync(image, "r");
  } catch (error) {
    throw refuse(`cannot read ${image}: ${(error as Error).message}`, "name the AppImage behind --appimage", error);
  }
}

function refuse(message: string, hint: string, cause?: unknown): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_APPIMAGE", exitCode: 1, hint, cause });
}
