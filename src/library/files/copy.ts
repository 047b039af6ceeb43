import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, readlink, symlink } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { SandboxFiles } from "./sandbox-files.js";

export interface CopyOptions {
  signal?: AbortSignal | undefined;
  /** Copied out, a link that leads out of the copy: an error (default), left out, or kept as it is. */
  links?: "refuse" | "skip" | "keep" | undefined;
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants;

export async function copyIn(files: SandboxFiles, from: string, to: string, options: CopyOptions): Promise<void> {
  const stat = await lstat(from);
  if (stat.isSymbolicLink()) return await files.symlink(await readlink(from), to, options);
  if (stat.isFile()) return await copyFileIn(files, from, to, options);
  if (!stat.isDirectory()) throw refuseKind(from, "the host");
  await files.mkdir(to, { recursive: true, mode: stat.mode & 0o777, signal: options.signal });
  for (const name of await readdir(from)) await copyIn(files, join(from, name), posix.join(to, name), options);
}

async function copyFileIn(files: SandboxFiles, from: string, to: string, { signal }: CopyOptions): Promise<void> {
  await using file = await open(from, O_RDONLY | O_NOFOLLOW);
  const { mode } = await file.stat();
  await files.writeFile(to, file.createReadStream({ autoClose: false }), { mode: mode & 0o777, signal });
}

/** A folder on the host that is held open: what is made in it is made there, wherever a path leads meanwhile. */
interface Place {
  handle: FileHandle;
  /** For messages. */
  path: string;
}

export async function copyOut(files: SandboxFiles, from: string, to: string, options: CopyOptions): Promise<void> {
  const absolute = resolve(to);
  await using handle = await open(dirname(absolute), O_RDONLY | O_DIRECTORY);
  await copyEntry(files, from, { handle, path: dirname(absolute) }, basename(absolute), 0, options);
}

/** @param depth folders of the copy above this entry: as far up as a link in it may lead */
async function copyEntry(files: SandboxFiles, from: string, into: Place, name: string, depth: number, options: CopyOptions): Promise<void> {
  const stat = await files.lstat(from, options);
  if (stat.isSymbolicLink()) return await copyLink(files, from, into, name, depth, options);
  if (stat.isFile()) return await copyFileOut(files, from, into, name, stat.mode & 0o777, options);
  if (!stat.isDirectory()) throw refuseKind(from, "the sandbox");
  await mkdir(reach(into, name), { mode: 0o700 });
  await using handle = await open(reach(into, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const folder = { handle, path: join(into.path, name) };
  for (const each of await files.readdir(from, options)) await copyEntry(files, posix.join(from, each), folder, each, depth + 1, options);
  await handle.chmod(stat.mode & 0o777);
}

async function copyFileOut(files: SandboxFiles, from: string, into: Place, name: string, mode: number, { signal }: CopyOptions): Promise<void> {
  await using source = await files.open(from, "r", { signal });
  if (!(await source.stat()).isFile()) throw refuseKind(from, "the sandbox");
  await using target = await open(reach(into, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  for (let chunk = await source.read(); chunk.length > 0; chunk = await source.read()) await target.writeFile(chunk);
  await target.chmod(mode);
}

async function copyLink(files: SandboxFiles, from: string, into: Place, name: string, depth: number, options: CopyOptions): Promise<void> {
  const target = await files.readlink(from, options);
  const { links = "refuse" } = options;
  if (links === "keep" || staysWithin(target, depth)) return await symlink(target, reach(into, name));
  if (links === "skip") return;
  throw new BrigError(`the link ${JSON.stringify(from)} leads to ${JSON.stringify(target)}, out of what is copied`, {
    code: "BRIG_UNSAFE_LINK", hint: 'links: "skip" leaves such links out, "keep" copies them as they are',
  });
}

/** No step of it goes above the top of the copy. A link to another link cannot do more than that one. */
function staysWithin(target: string, depth: number): boolean {
  if (target.startsWith("/") || depth === 0) return false;
  let above = depth - 1;
  for (const part of target.split("/")) {
    if (part === "..") above--;
    // behind a name that may be a link itself, ".." could go anywhere
    else if (part !== "" && part !== "." && target.includes("..", target.indexOf(part) + part.length)) return false;
    if (above < 0) return false;
  }
  return true;
}

function reach({ handle }: Place, name: string): string {
  return `/proc/self/fd/${handle.fd}/${name}`;
}

function refuseKind(path: string, where: string): BrigError {
  return new BrigError(`${JSON.stringify(path)} of ${where} is no file, folder or link`, { code: "BRIG_CANNOT_COPY", hint: "devices, pipes and sockets are not copied" });
}
