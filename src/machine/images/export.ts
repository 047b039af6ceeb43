import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { describeErrno } from "../../error/errno.js";
import { isTerminal } from "../../host/terminals.js";
import { type Compression, compressionOf, PROGRAMS } from "./archive.js";
import { findImage } from "./image.js";
import { imageError } from "./image-error.js";
import { runWork } from "./workshop.js";

export interface ExportOptions {
  /** By the file's name without it. */
  format?: Compression | undefined;
}

/** @param path of the new file, which appears whole; undefined: standard output */
export async function exportTar(name: string, path: string | undefined, options: ExportOptions = {}): Promise<void> {
  const image = findImage(name);
  if (image.type === "raw" || image.type === "block") throw imageError("Failed to export image: Not a directory", "BRIG_BAD_IMAGE", `brig machinectl export-raw ${name}`);
  const format = options.format ?? compressionOf(path ?? "");
  const filter = format === "uncompressed" ? [] : [`--${format}`];
  const attributes = ["--xattrs", "--xattrs-include=user.*", "--xattrs-include=security.capability", "--acls"];
  const command = ["tar", "-c", ...filter, "--numeric-owner", "--sparse", ...attributes, "--one-file-system", "-C", "/source", "-f", "-", "."];
  await writeOut(path, (fd) => runWork({ command, read: { "/source": image.path }, streams: ["ignore", fd, 2] }));
}

/** @param path of the new file, which appears whole; undefined: standard output */
export async function exportRaw(name: string, path: string | undefined, options: ExportOptions = {}): Promise<void> {
  const image = findImage(name);
  if (image.type !== "raw") throw imageError("Failed to export image: Is a directory", "BRIG_BAD_IMAGE", `brig machinectl export-tar ${name}`);
  const format = options.format ?? compressionOf(path ?? "");
  const program = format === "uncompressed" ? ["cat"] : [PROGRAMS[format], "-c"];
  await writeOut(path, (fd) => runWork({ command: [...program, "/source"], read: { "/source": image.path }, streams: ["ignore", fd, 2] }));
}

async function writeOut(path: string | undefined, write: (fd: number) => Promise<number>): Promise<void> {
  if (path === undefined) return await writeToOutput(write);
  const part = `${path}.part-${process.pid}`;
  const fd = openNew(part, path);
  try {
    await requireSuccess(write(fd));
    renameSync(part, path);
  } finally {
    closeSync(fd);
    rmSync(part, { force: true });
  }
}

async function writeToOutput(write: (fd: number) => Promise<number>): Promise<void> {
  if (isTerminal(1)) throw imageError("an image is not written to a terminal", "BRIG_BAD_USAGE", "name a file, or redirect the output");
  await requireSuccess(write(1));
}

function openNew(part: string, path: string): number {
  try {
    return openSync(part, "wx", 0o644);
  } catch (error) {
    throw imageError(`Failed to open '${path}': ${describeErrno(error as NodeJS.ErrnoException)}`, "BRIG_CANNOT_WRITE");
  }
}

async function requireSuccess(work: Promise<number>): Promise<void> {
  const status = await work;
  if (status !== 0) throw imageError(`Failed to export image: exit status ${status}`, "BRIG_CANNOT_COPY");
}
