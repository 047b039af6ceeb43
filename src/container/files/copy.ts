import { lstatSync, statSync } from "node:fs";
import { basename, dirname, join, posix, resolve } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { BrigError } from "../../error/brig-error.js";
import { runUnpacker } from "../../image/layers/run-unpacker.js";
import type { LayerOwners } from "../../image/layers/owners.js";
import type { Container } from "../model.js";
import { packFiles, packHostFiles, type PackWish, unpackFiles } from "./run-files.js";

export interface CopyOptions {
  /** Owners and set-id bits as they are; otherwise files are root's in the container, and the caller's on the host. */
  archive?: boolean;
  /** A link that is named is followed. */
  followLink?: boolean;
}

type Kind = "file" | "folder" | "other" | undefined;

/** Where a tree goes: into `folder`, as `name` there, or what is in it where that is "". */
interface Target {
  folder: string;
  name: string;
}

/**
 * Copies a file or folder of a container to the host. The archive is unpacked where nothing but the destination's folder
 * is reached, whatever links are in it or appear meanwhile.
 * @throws BrigError BRIG_NO_SUCH_PATH, BRIG_CANNOT_PACK, BRIG_BAD_LAYER
 */
export async function copyOut(folder: string, container: Container, from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const wish = { what: "all", path: takePath(from), flags: listFlags(options) } as const;
  const kind = await findKind(folder, container, wish.path, options.followLink ?? false);
  if (kind === undefined) throw missing(`${container.Name}:${from}`);
  const there = lookHere(to);
  const { folder: parent, name } = chooseTarget(from, kind, resolve(to), there, to.endsWith("/"));
  if (lookHere(parent) !== "folder") throw missing(parent);
  await packFiles(folder, container, { ...wish, flags: [...wish.flags], name }, (tar) => runUnpacker(parent, { owners: chooseOwners(), mode: "plain" }, ({ stdin }) => pipeline(tar, stdin!)));
}

/** Copies a file or folder of the host into a container. @throws BrigError BRIG_NO_SUCH_PATH, BRIG_CANNOT_UNPACK */
export async function copyIn(folder: string, container: Container, from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const source = resolve(from);
  const is = options.followLink ? statSync(source, { throwIfNoEntry: false }) : lstatSync(source, { throwIfNoEntry: false });
  if (!is) throw missing(from);
  const path = takePath(to);
  const target = chooseTarget(from, is.isDirectory() ? "folder" : is.isFile() ? "file" : "other", path, await findKind(folder, container, path, true), to.endsWith("/"));
  if ((await findKind(folder, container, target.folder, true)) !== "folder") throw missing(`${container.Name}:${target.folder}`);
  const inside = is.isDirectory() && target.name !== "" ? { folder: join(target.folder, target.name), name: "" } : target;
  await packHostFiles({ path: source, name: inside.name, flags: listFlags(options) }, (tar) => unpackFiles(folder, container, inside.folder, tar));
}

/** A tar archive of a path, under its own name. */
export function copyToStream<T>(folder: string, container: Container, from: string, options: CopyOptions, use: (tar: Readable) => Promise<T>): Promise<T> {
  const path = takePath(from);
  return packFiles(folder, container, { what: "all", path, name: isContents(from) ? "" : basename(path), flags: options.followLink ? ["follow"] : [] }, use);
}

/** Writes a tar archive into a folder that is there. */
export async function copyFromStream(folder: string, container: Container, tar: Readable | number, to: string): Promise<void> {
  const path = takePath(to);
  if ((await findKind(folder, container, path, true)) !== "folder") throw new BrigError(`destination "${container.Name}:${to}" must be a directory`, { code: "BRIG_NO_SUCH_PATH", exitCode: 1 });
  await unpackFiles(folder, container, path, tar);
}

function listFlags({ archive, followLink }: CopyOptions): NonNullable<PackWish["flags"]> {
  return [...(archive ? [] : ["takeOver" as const]), ...(followLink ? ["follow" as const] : [])];
}

/** docker cp(1): into a folder that is there, or as a new name beside it. */
function chooseTarget(source: string, kind: Kind, path: string, there: Kind, isFolderNamed: boolean): Target {
  const contents = isContents(source);
  if (there === "folder") return { folder: path, name: contents ? "" : basename(posix.normalize(source)) };
  if (kind === "folder" && there !== undefined) throw new BrigError("cannot copy a directory to a file", { code: "BRIG_BAD_VALUE", exitCode: 1, hint: `${path} is no folder` });
  if (kind !== "folder" && isFolderNamed) throw new BrigError(`destination directory ${path} does not exist`, { code: "BRIG_NO_SUCH_PATH", exitCode: 1, hint: "make it first" });
  return { folder: dirname(path), name: basename(path) };
}

const isContents = (path: string): boolean => /(^|\/)\.$/.test(path) || posix.resolve("/", path) === "/";

/** As if the working folder were "/". */
const takePath = (path: string): string => posix.resolve("/", path);

/** root's files are root's; another's are his own. */
function chooseOwners(): LayerOwners {
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  if (uid === 0) return { kind: "real", uidMappings: [], gidMappings: [] };
  return { kind: "mapped", uidMappings: [{ containerID: 0, hostID: uid, size: 1 }], gidMappings: [{ containerID: 0, hostID: gid, size: 1 }] };
}

function lookHere(path: string): Kind {
  const is = statSync(path, { throwIfNoEntry: false });
  return is && (is.isDirectory() ? "folder" : is.isFile() ? "file" : "other");
}

const BLOCK = 512;

/** What a path of the container is; undefined where it is not there. */
async function findKind(folder: string, container: Container, path: string, follow: boolean): Promise<Kind> {
  try {
    const tar = await packFiles(folder, container, { what: "all", path, name: "x", flags: ["head", ...(follow ? ["follow" as const] : [])] }, buffer);
    const skipped = tar[156] === 0x78 ? BLOCK + Math.ceil(Number.parseInt(tar.toString("latin1", 124, 135), 8) / BLOCK) * BLOCK : 0;
    const type = String.fromCharCode(tar[skipped + 156] ?? 0);
    return type === "5" ? "folder" : type === "0" ? "file" : "other";
  } catch (error) {
    if (error instanceof BrigError && error.code === "BRIG_NO_SUCH_PATH") return undefined;
    throw error;
  }
}

function missing(path: string): BrigError {
  return new BrigError(`no such file or directory: ${path}`, { code: "BRIG_NO_SUCH_PATH", exitCode: 1 });
}
