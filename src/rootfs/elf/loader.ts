import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { openFileBytes } from "./file-bytes.js";
import { listHwcaps } from "./hwcaps.js";
import { type CacheEntry, parseCache } from "./ld-cache.js";
import { readLdConf } from "./ld-conf.js";
import { type ElfKind, findMachine, type Machine } from "./machines.js";
import type { SourceRoot } from "./source-root.js";

/** Where one dynamic loader looks for libraries, found without running it. */
export interface Loader {
  family: "glibc" | "musl";
  machine: Machine | undefined;
  /** What $LIB and $PLATFORM stand for. */
  lib: string;
  platform: string;
  /** Searched last, in order. */
  defaultFolders: string[];
  /** Of /etc/ld.so.conf: only where there is no cache to ask. */
  confFolders: string[];
  cache: Map<string, CacheEntry[]>;
  hwcaps: string[];
  /** musl's list of folders, when the root has one. */
  pathFile: string | undefined;
}

export interface LoaderOptions {
  /** Look only where the loader itself looks: an ld.so.conf that ldconfig never read does not count. */
  strict?: boolean | undefined;
  hwcaps?: string[] | undefined;
}

const MAX_CACHE = 64 << 20;
const MAX_LOADER = 2 << 20;

/** Finds out where the loader at `interpreter` (a path in the root) looks for libraries of this kind. */
export function openLoader(root: SourceRoot, kind: ElfKind, interpreter: string, options: LoaderOptions = {}): Loader {
  const machine = findMachine(kind);
  const family = /\/ld-musl-[^/]*$/.test(interpreter) ? "musl" : "glibc";
  const none = { lib: "lib", platform: machine?.name ?? "", confFolders: [], cache: new Map(), hwcaps: [], pathFile: undefined };
  if (family === "musl") return { ...none, family, machine, ...readMuslFolders(root, interpreter) };
  const cache = readCache(root, machine);
  const defaultFolders = readSystemFolders(root, interpreter) ?? guessSystemFolders(kind, machine);
  return {
    ...none,
    family,
    machine,
    defaultFolders,
    lib: findLib(root, defaultFolders, kind, machine),
    cache: cache ?? new Map(),
    confFolders: cache === undefined && options.strict !== true ? readLdConf(root) : [],
    hwcaps: options.hwcaps ?? listHwcaps(machine),
  };
}

function readCache(root: SourceRoot, machine: Machine | undefined): Map<string, CacheEntry[]> | undefined {
  const file = root.resolve("/etc/ld.so.cache");
  if (!file?.stat.isFile() || file.stat.size > MAX_CACHE) return undefined;
  const entries = parseCache(readFileSync(file.host));
  if (entries === undefined) return undefined;
  const byName = new Map<string, CacheEntry[]>();
  for (const entry of entries) {
    if (machine !== undefined && entry.flags !== machine.cacheFlags && entry.flags !== 1) continue;
    byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
  }
  return byName;
}

/**
 * The default folders are compiled into ld.so as one run of NUL-terminated strings, each beginning and ending with a
 * slash (system_dirs, glibc elf/dl-load.c): read there, they are right for every distribution.
 */
function readSystemFolders(root: SourceRoot, interpreter: string): string[] | undefined {
  const at = root.resolve(interpreter);
  if (!at?.stat.isFile() || at.stat.size > MAX_LOADER) return undefined;
  const file = openFileBytes(at.host);
  if (file === undefined) return undefined;
  try {
    return findFolderRun(file.read(0, at.stat.size).toString("latin1").split("\0"));
  } finally {
    file.close();
  }
}

function findFolderRun(strings: string[]): string[] | undefined {
  let run: string[] = [];
  for (const text of strings) {
    if (/^\/[\x21-\x7e]*\/$/.test(text) && text.includes("lib") && run.length < 16) run.push(text.slice(0, -1));
    else if (run.length >= 2) return run;
    else run = [];
  }
  return undefined;
}

function guessSystemFolders(kind: ElfKind, machine: Machine | undefined): string[] {
  const multiarch = machine === undefined ? [] : [`/lib/${machine.triplet}`, `/usr/lib/${machine.triplet}`];
  return [...multiarch, ...(kind.bits === 64 ? ["/lib64", "/usr/lib64"] : []), "/lib", "/usr/lib"];
}

function findLib(root: SourceRoot, folders: string[], kind: ElfKind, machine: Machine | undefined): string {
  const multiarch = machine && `lib/${machine.triplet}`;
  if (multiarch && folders.includes(`/${multiarch}`) && root.resolve(`/${multiarch}`)) return multiarch;
  return kind.bits === 64 && folders.some((folder) => folder.endsWith("/lib64")) ? "lib64" : "lib";
}

/** musl ldso/dynlink.c: the list lies at ../etc/ld-musl-ARCH.path as seen from the loader's own folder. */
function readMuslFolders(root: SourceRoot, interpreter: string): { defaultFolders: string[]; pathFile: string | undefined } {
  const name = posix.basename(interpreter).replace(/\.so\.1$/, ".path");
  const pathFile = posix.join(posix.dirname(posix.dirname(interpreter)), "etc", name);
  const file = root.resolve(pathFile);
  if (!file?.stat.isFile() || file.stat.size > 1 << 20) {
    return { defaultFolders: ["/lib", "/usr/local/lib", "/usr/lib"], pathFile: undefined };
  }
  const folders = readFileSync(file.host, "utf8").split(/[:\n]/).filter((folder) => folder.startsWith("/"));
  return { defaultFolders: folders, pathFile };
}
