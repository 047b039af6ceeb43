import { posix } from "node:path";
import type { Loader } from "./loader.js";
import type { ElfFile } from "./read-elf.js";

/** Which rule of ld.so(8) led to a library. */
export type FoundBy = "path" | "rpath" | "runpath" | "cache" | "ld.so.conf" | "default" | "loader";

/** A file to try. */
export interface Candidate {
  path: string;
  by: FoundBy;
}

/** One object in memory as the search sees it. */
export interface Loaded {
  elf: ElfFile;
  /** The folder that $ORIGIN stands for. */
  origin: string;
  /** What needed this object; undefined for the program itself. */
  parent: Loaded | undefined;
}

const MAX_FOLDERS = 1024;

/** Every place where `name`, needed by `by`, is looked for, in the loader's order. LD_LIBRARY_PATH is not used. */
export function* listCandidates(loader: Loader, name: string, by: Loaded): Generator<Candidate> {
  if (name.includes("/")) {
    const path = expandTokens(loader, name, by);
    if (path?.startsWith("/")) yield { path, by: "path" };
  } else if (loader.family === "musl") {
    yield* listMusl(loader, name, by);
  } else {
    yield* listGlibc(loader, name, by);
  }
}

/** ld.so(8), "the dynamic linker searches for dependencies in the following order"; glibc elf/dl-load.c. */
function* listGlibc(loader: Loader, name: string, by: Loaded): Generator<Candidate> {
  if (by.elf.runpath === undefined) {
    for (let object: Loaded | undefined = by; object; object = object.parent) {
      if (object.elf.runpath === undefined) yield* within(loader, splitPath(loader, object.elf.rpath, object), name, "rpath");
    }
  }
  yield* within(loader, splitPath(loader, by.elf.runpath, by), name, "runpath");
  yield* listCached(loader, name, by.elf.noDefaultLibraries);
  yield* within(loader, loader.confFolders, name, "ld.so.conf");
  if (!by.elf.noDefaultLibraries) yield* within(loader, loader.defaultFolders, name, "default");
}

function* listCached(loader: Loader, name: string, noDefault: boolean): Generator<Candidate> {
  const entries = loader.cache.get(name) ?? [];
  for (const level of [...loader.hwcaps, undefined]) {
    for (const { path } of entries.filter(({ hwcaps }) => hwcaps === level)) {
      if (noDefault && loader.defaultFolders.some((folder) => path.startsWith(`${folder}/`))) continue;
      yield { path, by: "cache" };
    }
  }
}

/** musl ldso/dynlink.c load_library: the paths of the whole chain, a RUNPATH in the place of an RPATH. */
function* listMusl(loader: Loader, name: string, by: Loaded): Generator<Candidate> {
  for (let object: Loaded | undefined = by; object; object = object.parent) {
    const by = object.elf.runpath === undefined ? "rpath" : "runpath";
    yield* within(loader, splitPath(loader, object.elf.runpath ?? object.elf.rpath, object), name, by);
  }
  yield* within(loader, loader.defaultFolders, name, "default");
}

function* within(loader: Loader, folders: string[], name: string, by: FoundBy): Generator<Candidate> {
  for (const folder of folders) {
    for (const level of loader.hwcaps) yield { path: posix.join(folder, "glibc-hwcaps", level, name), by };
    yield { path: posix.join(folder, name), by };
  }
}

/** An empty or relative element means the working folder of whoever starts the program: it is no place to trust. */
function splitPath(loader: Loader, list: string | undefined, object: Loaded): string[] {
  if (list === undefined) return [];
  const folders = list.split(":").slice(0, MAX_FOLDERS).map((folder) => expandTokens(loader, folder, object));
  return folders.filter((folder) => folder?.startsWith("/") === true) as string[];
}

/** $ORIGIN, $LIB and $PLATFORM (ld.so(8)); musl knows the first alone and drops a path with any other. */
function expandTokens(loader: Loader, text: string, object: Loaded): string | undefined {
  const known: Record<string, string> =
    loader.family === "musl" ? { ORIGIN: object.origin } : { ORIGIN: object.origin, LIB: loader.lib, PLATFORM: loader.platform };
  const expanded = text.replace(/\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z_]))/g, (token, braced, plain) => known[braced ?? plain] ?? token);
  return loader.family === "musl" && expanded.includes("$") ? undefined : expanded;
}
