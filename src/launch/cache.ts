import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { addBytes, formatHash, makeHash } from "../plan/checksum.js";
import { encodePlan } from "../plan/encode.js";
import { PLAN_PREFIX } from "../plan/format.js";
import type { Plan } from "../plan/plan.js";

/** Beyond this many plans the oldest go. */
const MAX_PLANS = 256;

/** What makes two commands different: as launcher/cache.c reckons it. */
export interface CacheKey {
  /** The command line behind the command's name. */
  words: readonly string[];
  cwd: string;
  euid: number;
  egid: number;
  /** A bit for each of descriptors 0, 1, 2 that is a terminal. */
  terminals: number;
}

/** `$XDG_CACHE_HOME/brig/plans`, else `~/.cache/brig/plans`; undefined where there is neither. */
export function findCacheFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = env;
  if (cache?.startsWith("/")) return join(cache, "brig/plans");
  return home?.startsWith("/") ? join(home, ".cache/brig/plans") : undefined;
}

/** The file's name: FNV-1a 64 of each word and the folder, each with a NUL behind it, and three u32. */
export function nameCachedPlan({ words, cwd, euid, egid, terminals }: CacheKey): string {
  const hash = makeHash();
  for (const text of [...words, cwd]) addBytes(hash, Buffer.from(`${text}\0`));
  addBytes(hash, new Uint8Array(Uint32Array.of(euid, egid, terminals).buffer));
  return formatHash(hash);
}

/**
 * Keeps an encoded plan for the next time that the same words are typed. Never fails: without a cache, or in a folder
 * that others may write, a command is compiled each time. True when it was kept.
 */
export function writeCachedPlan(key: CacheKey, bytes: Uint8Array, env: NodeJS.ProcessEnv = process.env): boolean {
  const folder = findCacheFolder(env);
  if (folder === undefined || env["BRIG_NO_CACHE"] === "1") return false;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwnFolder(folder, key.euid)) return false;
    replaceFile(join(folder, nameCachedPlan(key)), [bytes], 0o600);
    pruneCache(folder);
    return true;
  } catch {
    return false;
  }
}

/** The launcher holds the folder to the same: a plan decides what is run. */
function isOwnFolder(folder: string, euid: number): boolean {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { uid, mode } = fstatSync(fd);
    return uid === euid && (mode & 0o022) === 0;
  } finally {
    closeSync(fd);
  }
}

/** Removes the oldest plans beyond `most`, and what an interrupted writer left more than a minute ago. */
export function pruneCache(folder: string, most = MAX_PLANS): void {
  const names = readdirSync(folder);
  if (names.length <= most) return;
  const files = names.flatMap((name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return stat?.isFile() ? [{ name, time: stat.mtimeMs }] : [];
  });
  const plans = files.filter(({ name }) => /^[0-9a-f]{16}$/.test(name)).sort((a, b) => b.time - a.time);
  const leftovers = files.filter(({ name, time }) => name.endsWith(".new") && time < Date.now() - 60_000);
  for (const { name } of [...plans.slice(most), ...leftovers]) rmSync(join(folder, name), { force: true });
}

/**
 * A plan as a program: the kernel hands it to the launcher by its first line.
 * @param launcher absolute path, at most 126 bytes or so: the kernel reads no more than 255 of the line, and a space ends it
 * @throws BrigError BRIG_BAD_LAUNCHER_PATH, and errors of node:fs
 */
export function writeExecutablePlan(file: string, plan: Plan, launcher: string): void {
  const line = `#!${resolve(launcher)} --plan\n`;
  if (Buffer.byteLength(line) > 255 || /\s/.test(resolve(launcher)))
    throw new BrigError(`the launcher's path ${launcher} cannot stand in the first line of a program`, {
      code: "BRIG_BAD_LAUNCHER_PATH",
      hint: "install brig at a path without spaces that is shorter than 245 bytes",
    });
  replaceFile(file, [Buffer.from(line.padEnd(PLAN_PREFIX)), encodePlan(plan)], 0o755);
}

/** Whole or not at all: written beside the file, then renamed over it. */
function replaceFile(file: string, parts: Uint8Array[], mode: number): void {
  const fresh = `${file}.${process.pid}-${process.hrtime.bigint().toString(36)}.new`;
  const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode);
  try {
    for (const part of parts) for (let at = 0; at < part.length; ) at += writeSync(fd, part, at);
    closeSync(fd);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
