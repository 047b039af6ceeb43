import { posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { openFileBytes } from "./file-bytes.js";
import { type Loader, type LoaderOptions, openLoader } from "./loader.js";
import { findMachine, isSameKind } from "./machines.js";
import { type ElfFile, isElf, readElf } from "./read-elf.js";
import { type FoundBy, listCandidates, type Loaded } from "./search.js";
import type { Resolved, SourceRoot } from "./source-root.js";

/** A library that the loader would map, at the path that it would find it under (as ldd prints it). */
export interface FoundLibrary {
  name: string;
  path: string;
  file: Resolved;
  elf: ElfFile;
  by: FoundBy;
  /** The path of what needed it first. */
  neededBy: string;
}

export interface MissingLibrary {
  name: string;
  neededBy: string;
  /** The folders that were searched. */
  searched: string[];
}

export interface LibraryReport {
  /** PT_INTERP as the program names it; undefined for a static program. */
  interpreter: string | undefined;
  interpreterFile: Resolved | undefined;
  loader: Loader | undefined;
  libraries: FoundLibrary[];
  missing: MissingLibrary[];
}

/** Answers what programs need, remembering what it read: for one look at a root that does not change meanwhile. */
export interface LibraryResolver {
  /** The ELF file at a resolved path; undefined when it is none. @throws BrigError BRIG_BAD_ELF */
  read(file: Resolved): ElfFile | undefined;
  /** All that a program needs to start. */
  resolveProgram(path: string, file: Resolved, elf: ElfFile): LibraryReport;
  /** What a library needs that a running program of its kind loads with dlopen(3). */
  resolveModule(path: string, file: Resolved, elf: ElfFile): LibraryReport;
  /** The library `name` as a program of this kind would find it with dlopen(3). */
  findModule(name: string, elf: ElfFile, interpreter: string): FoundLibrary | undefined;
}

/** What is left of a search's budget. */
interface Budget {
  signs: number;
}

interface Entry extends Loaded {
  path: string;
  names: Set<string>;
  real: string;
}

/** Queues of hostile libraries end here; the largest desktop programs need some 400. */
const MAX_LIBRARIES = 4096;
/**
 * Signs in all paths that one search may try. The largest programs try a fifth of it; a thousand names in a
 * thousand folders, which a made-up file can ask for, would take hours.
 */
const SEARCH_BUDGET = 5_000_000;
/** musl's own loader stands for these (ldso/dynlink.c load_library). */
const MUSL_RESERVED = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;

/** Looks libraries up in a root without ever running ldd, the loader or the program. */
export function openLibraryResolver(root: SourceRoot, options: LoaderOptions = {}): LibraryResolver {
  const elves = new Map<string, ElfFile | undefined>();
  const loaders = new Map<string, Loader>();
  const read = (file: Resolved) => {
    if (!elves.has(file.real)) elves.set(file.real, readIfElf(file));
    return elves.get(file.real);
  };
  const loaderFor = (elf: ElfFile, interpreter: string) => {
    const key = `${elf.bits} ${elf.littleEndian} ${elf.machine} ${interpreter}`;
    const loader = loaders.get(key) ?? openLoader(root, elf, interpreter, options);
    loaders.set(key, loader);
    return loader;
  };
  const resolve = (path: string, file: Resolved, elf: ElfFile, interpreter: string | undefined) => {
    if (interpreter === undefined) return { interpreter, interpreterFile: undefined, loader: undefined, libraries: [], missing: [] };
    return walk(root, read, loaderFor(elf, interpreter), interpreter, path, file, elf);
  };
  return {
    read,
    resolveProgram: (path, file, elf) => resolve(path, file, elf, elf.interpreter),
    resolveModule: (path, file, elf) => resolve(path, file, elf, elf.interpreter ?? guessInterpreter(elf)),
    findModule: (name, elf, interpreter) => {
      const by = { elf: { ...elf, rpath: undefined, runpath: undefined }, origin: "/", parent: undefined };
      return findLibrary(root, read, loaderFor(elf, interpreter), name, { ...by, path: "", names: new Set(), real: "" }, { signs: SEARCH_BUDGET }).found;
    },
  };
}

function readIfElf(at: Resolved): ElfFile | undefined {
  const file = openSource(at);
  if (file === undefined) return undefined;
  try {
    return isElf(file.read(0, 4)) ? readElf(file, at.real) : undefined;
  } finally {
    file.close();
  }
}

function openSource(at: Resolved): ReturnType<typeof openFileBytes> {
  try {
    return openFileBytes(at.host);
  } catch (error) {
    throw new BrigError(`cannot read ${JSON.stringify(at.host)}: ${(error as Error).message}`, {
      code: "BRIG_JAIL_UNREADABLE",
      hint: "run as a user who may read it",
      cause: error,
    });
  }
}

/** A library names no loader: musl's names its C library so, the rest is taken for glibc's. */
function guessInterpreter(elf: ElfFile): string | undefined {
  if (elf.needed.length === 0) return undefined;
  const musl = elf.needed.find((name) => /^(?:libc\.musl-.*|libc\.so)$/.test(name));
  if (musl) return `/lib/ld-musl-${/^libc\.musl-(.*?)\.so/.exec(musl)?.[1] ?? findMachine(elf)?.name.replace("i686", "i386") ?? ""}.so.1`;
  return findMachine(elf)?.loader;
}

function walk(
  root: SourceRoot,
  read: LibraryResolver["read"],
  loader: Loader,
  interpreter: string,
  path: string,
  file: Resolved,
  elf: ElfFile,
): LibraryReport {
  const interpreterFile = root.resolve(interpreter);
  const report: LibraryReport = { interpreter, interpreterFile, loader, libraries: [], missing: [] };
  const program: Entry = { elf, path, real: file.real, origin: posix.dirname(file.real), parent: undefined, names: new Set([file.real]) };
  const loaded = [program];
  const budget = { signs: SEARCH_BUDGET };
  const loaderElf = interpreterFile && readQuietly(read, interpreterFile);
  if (interpreterFile && loaderElf) {
    loaded.push({ ...program, elf: loaderElf, path: interpreter, real: interpreterFile.real, names: new Set([interpreter, posix.basename(interpreter)]) });
  }
  // Breadth first, as the loader does it: who asks first decides whose RPATH counts.
  for (let index = 0; index < loaded.length && loaded.length < MAX_LIBRARIES; index++) {
    if (index === 1 && loaderElf) continue;
    for (const wanted of listWanted(loaded[index]!.elf)) load(root, read, loader, loaded, loaded[index]!, wanted, report, budget);
  }
  return report;
}

function listWanted(elf: ElfFile): { name: string; optional: boolean }[] {
  return [
    ...[...elf.needed, ...elf.filters].map((name) => ({ name, optional: false })),
    ...elf.auxiliary.map((name) => ({ name, optional: true })),
  ];
}

function load(
  root: SourceRoot,
  read: LibraryResolver["read"],
  loader: Loader,
  loaded: Entry[],
  by: Entry,
  { name, optional }: { name: string; optional: boolean },
  report: LibraryReport,
  budget: Budget,
): void {
  if (loader.family === "musl" && MUSL_RESERVED.test(name)) return;
  const same = loaded.find((entry) => entry.names.has(name) || (loader.family === "glibc" && entry.elf.soname === name));
  if (same) return;
  const { found, searched } = findLibrary(root, read, loader, name, by, budget);
  if (found === undefined) {
    const known = report.missing.some((missing) => missing.name === name);
    if (!optional && !known) report.missing.push({ name, neededBy: by.path, searched });
    return;
  }
  const twin = loaded.find((entry) => entry.real === found.file.real);
  if (twin) {
    twin.names.add(name);
    return;
  }
  report.libraries.push(found);
  loaded.push({ elf: found.elf, path: found.path, real: found.file.real, origin: posix.dirname(found.path), parent: by, names: new Set([name]) });
}

function findLibrary(
  root: SourceRoot,
  read: LibraryResolver["read"],
  loader: Loader,
  name: string,
  by: Entry,
  budget: Budget,
): { found: FoundLibrary | undefined; searched: string[] } {
  const searched = new Set<string>();
  for (const candidate of listCandidates(loader, name, by)) {
    budget.signs -= candidate.path.length;
    if (budget.signs < 0) throw new BrigError(`${JSON.stringify(by.path)} asks for libraries in too many places`, { code: "BRIG_BAD_ELF", hint: "the file was made to mislead" });
    const file = root.resolve(candidate.path);
    if (!candidate.path.includes("/glibc-hwcaps/")) searched.add(posix.dirname(candidate.path));
    if (!file?.stat.isFile()) continue;
    const elf = readQuietly(read, file);
    if (elf && isSameKind(elf, by.elf)) return { found: { name, ...candidate, file, elf, neededBy: by.path }, searched: [...searched] };
  }
  return { found: undefined, searched: [...searched] };
}

/** A damaged file on the way is passed over like one for another machine: the search says in the end what is missing. */
function readQuietly(read: LibraryResolver["read"], file: Resolved): ElfFile | undefined {
  try {
    return read(file);
  } catch (error) {
    if (error instanceof BrigError) return undefined;
    throw error;
  }
}
