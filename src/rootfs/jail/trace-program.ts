import { posix } from "node:path";
import { openFileBytes } from "../elf/file-bytes.js";
import { findDynamicNames } from "../elf/imports.js";
import { type FoundLibrary, type LibraryReport, type LibraryResolver, openLibraryResolver } from "../elf/resolve-libraries.js";
import type { ElfFile } from "../elf/read-elf.js";
import { openSourceRoot, type Resolved, type SourceRoot } from "../elf/source-root.js";
import { findProgram } from "./find-program.js";
import { findEnvProgram, parseScriptLine } from "./script.js";

/** One look at a root: what was read of it is remembered. */
export interface Sight {
  root: SourceRoot;
  resolver: LibraryResolver;
  searchPath: string;
}

/** A file that a program cannot do without. */
export interface Need {
  path: string;
  file: Resolved;
  reason: string;
  library?: FoundLibrary;
}

export interface MissingNeed {
  what: "program" | "interpreter" | "library" | "permission" | "format";
  name: string;
  neededBy: string;
  hint: string;
}

/** All that a program needs to start, and what of that is not there. */
export interface Trace {
  needs: Need[];
  missing: MissingNeed[];
  /** The ELF programs met: the program itself, or its script's interpreters. */
  binaries: { path: string; elf: ElfFile; report: LibraryReport; calls: Set<string> }[];
}

const MAX_SCRIPT_DEPTH = 5; // fs/exec.c exec_binprm gives up with ELOOP after that

/** Symbols that tell what a program will ask of the system beyond its libraries. */
const USERS = ["getpwnam", "getpwnam_r", "getpwuid", "getpwuid_r", "getgrnam", "getgrgid", "getgrgid_r"];
const HOSTS = ["getaddrinfo", "gethostbyname", "gethostbyname_r", "gethostbyname2_r"];
/** glibc loads libgcc_s.so.1 with dlopen(3) on these (nptl/unwind.c libgcc_s_init) and aborts without it. */
const UNWIND = ["pthread_exit", "pthread_cancel", "backtrace"];
const LOOKED_FOR = [...USERS, ...HOSTS, ...UNWIND];

export const callGroups = { users: USERS, hosts: HOSTS };

export function openSight(folder: string, searchPath: string, strict = false): Sight {
  const root = openSourceRoot(folder);
  return { root, resolver: openLibraryResolver(root, { strict }), searchPath };
}

/** Follows a program's interpreter, libraries and script interpreters, running nothing. */
export function traceProgram(sight: Sight, name: string, cwd = "/"): Trace {
  const trace: Trace = { needs: [], missing: [], binaries: [] };
  traceInto(sight, trace, name, "asked for", 0, cwd);
  return trace;
}

function traceInto(sight: Sight, trace: Trace, name: string, reason: string, depth: number, cwd: string): void {
  const program = findProgram(sight.root, name, sight.searchPath, cwd);
  if (program === undefined) {
    const what = depth === 0 ? "program" : "interpreter";
    trace.missing.push({ what, name, neededBy: reason, hint: name.includes("/") ? "no such file" : `not in ${sight.searchPath}` });
    return;
  }
  const { path, file } = program;
  trace.needs.push({ path, file, reason });
  if ((file.stat.mode & 0o111) === 0) {
    trace.missing.push({ what: "permission", name: path, neededBy: reason, hint: "the file is not executable: chmod +x, or --add it as data" });
  }
  const elf = sight.resolver.read(file);
  if (elf) traceBinary(sight, trace, path, file, elf);
  else traceScript(sight, trace, path, file, depth);
}

function traceBinary(sight: Sight, trace: Trace, path: string, file: Resolved, elf: ElfFile): void {
  const report = sight.resolver.resolveProgram(path, file, elf);
  trace.binaries.push({ path, elf, report, calls: listCalls(file, elf, report) });
  addReport(trace, report, path);
  if (elf.interpreter === undefined || report.loader?.family !== "glibc") return;
  const calls = trace.binaries.at(-1)!.calls;
  if (!UNWIND.some((call) => calls.has(call))) return;
  addModule(sight, trace, "libgcc_s.so.1", elf, elf.interpreter, `ending a thread of ${path} loads it`);
}

/** Adds what a report found to a trace, and what it did not find. */
export function addReport(trace: Trace, report: LibraryReport, path: string): void {
  const { interpreter, interpreterFile } = report;
  if (interpreterFile?.stat.isFile()) trace.needs.push({ path: interpreter!, file: interpreterFile, reason: `loader of ${path}` });
  else if (interpreter) trace.missing.push({ what: "interpreter", name: interpreter, neededBy: path, hint: "the program's loader: without it execve(2) says ENOENT" });
  for (const library of report.libraries) {
    trace.needs.push({ path: library.path, file: library.file, reason: `library of ${library.neededBy}`, library });
  }
  for (const { name, neededBy, searched } of report.missing) {
    trace.missing.push({ what: "library", name, neededBy, hint: searched.length > 0 ? `not in ${searched.join(":")}` : "its path leads nowhere" });
  }
}

/** Adds a library that programs like `elf` load with dlopen(3), with all that it needs. Tells whether it is there. */
export function addModule(sight: Sight, trace: Trace, name: string, elf: ElfFile, interpreter: string, reason: string): boolean {
  const library = sight.resolver.findModule(name, elf, interpreter);
  if (library === undefined) return false;
  trace.needs.push({ path: library.path, file: library.file, reason, library });
  const report = sight.resolver.resolveModule(library.path, library.file, { ...library.elf, interpreter });
  addReport(trace, report, library.path);
  return true;
}

function listCalls(file: Resolved, elf: ElfFile, report: LibraryReport): Set<string> {
  // The C library defines all of them; what matters is who else mentions them.
  const others = report.libraries.filter(({ name }) => !/^(?:ld-|lib(?:c|pthread|resolv|nsl)\.)/.test(name));
  const objects = [{ file, elf }, ...others];
  return new Set(objects.flatMap((object) => readCalls(object.file, object.elf)));
}

function readCalls(at: Resolved, elf: ElfFile): string[] {
  const file = openFileBytes(at.host);
  if (file === undefined) return [];
  try {
    return findDynamicNames(file, elf, LOOKED_FOR);
  } finally {
    file.close();
  }
}

function traceScript(sight: Sight, trace: Trace, path: string, file: Resolved, depth: number): void {
  const line = parseScriptLine(readHead(file));
  if (line === undefined) {
    trace.missing.push({ what: "format", name: path, neededBy: path, hint: "it is neither an ELF file nor a script with a #! line; --add takes data" });
  } else if (depth === MAX_SCRIPT_DEPTH) {
    trace.missing.push({ what: "format", name: path, neededBy: path, hint: "scripts interpret scripts more than five deep: the kernel refuses that" });
  } else if (!line.interpreter.startsWith("/")) {
    trace.missing.push({ what: "interpreter", name: line.interpreter, neededBy: path, hint: "a relative interpreter depends on the working folder; write its whole path" });
  } else {
    const reason = `interpreter of ${path}`;
    traceInto(sight, trace, line.interpreter, reason, depth + 1, "/");
    const started = findEnvProgram(line);
    if (started !== undefined) traceInto(sight, trace, started, reason, depth + 1, posix.dirname(path));
  }
}

function readHead(at: Resolved): Buffer {
  const file = openFileBytes(at.host);
  if (file === undefined) return Buffer.alloc(0);
  try {
    return file.read(0, 256);
  } finally {
    file.close();
  }
}
