import { readdirSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { ElfFile } from "../elf/read-elf.js";
import type { Resolved } from "../elf/source-root.js";
import { addEntry, addFile, addFileAt, addLinks, addTrace, type Draft } from "./draft.js";
import type { AddedPath } from "./plan.js";
import { addReport, type Trace } from "./trace-program.js";

const MAX_ENTRIES = 1_000_000;
const MAX_DEPTH = 128;

/** Reads `PATH[:DST]`. A path with colons that exists as it stands is taken whole; DST is absolute. */
export function parseAddedPath(text: string, exists: (path: string) => boolean): AddedPath {
  const colon = text.lastIndexOf(":");
  if (colon <= 0 || exists(text)) return { source: text };
  const destination = text.slice(colon + 1);
  if (!destination.startsWith("/")) {
    throw new BrigError(`the destination in --add ${JSON.stringify(text)} is not absolute`, { code: "BRIG_BAD_VALUE", hint: "--add PATH:/WHERE/IN/THE/JAIL", origin: `--add ${text}` });
  }
  return { source: text.slice(0, colon), destination };
}

/** Adds files and whole folders as data, and the libraries that ELF files among them need. Gives one trace each. */
export function addPaths(draft: Draft, added: AddedPath[], cwd: string): Trace[] {
  return added.flatMap(({ source, destination }) => {
    const path = posix.resolve(cwd, source);
    const file = draft.sight.root.resolve(path);
    if (file === undefined) {
      throw new BrigError(`cannot add ${JSON.stringify(source)}: there is no such file or folder`, { code: "BRIG_JAIL_NOT_HERE", hint: "look at the path given to --add", origin: `--add ${source}` });
    }
    const reason = `--add ${source}`;
    if (destination === undefined) addLinks(draft, file, reason);
    const start = destination === undefined ? file.real : placeDestination(draft, destination, reason);
    const found: Resolved[] = [];
    addTree(draft, file, start, reason, found, 0);
    return found.map((module) => traceModule(draft, module));
  });
}

/** A destination below a link of the root (/bin where that is usr/bin) goes to where the link leads. */
function placeDestination(draft: Draft, destination: string, reason: string): string {
  const path = posix.resolve("/", destination);
  const parent = draft.sight.root.resolve(posix.dirname(path));
  if (!parent?.stat.isDirectory()) return path;
  addLinks(draft, parent, reason);
  return posix.join(parent.real, posix.basename(path));
}

/** Adds a tree that stands at `file.real` under `path`. Sockets, FIFOs and devices are left out and told. */
export function addTree(draft: Draft, file: Resolved, path: string, reason: string, elves: Resolved[], depth: number): void {
  if (depth > MAX_DEPTH || draft.entries.size > MAX_ENTRIES) {
    throw new BrigError(`${JSON.stringify(file.real)} is too deep or holds too much`, { code: "BRIG_JAIL_TOO_LARGE", hint: "add what is needed of it, piece by piece" });
  }
  if (file.stat.isDirectory()) {
    if (path !== "/") addFolderLike(draft, file, path, reason);
    for (const name of readdirSync(file.host).sort()) addChild(draft, file, name, posix.join(path, name), reason, elves, depth);
  } else if (file.stat.isFile()) {
    addFileAt(draft, file, path, reason);
    if (/\.so(\.|$)/.test(path) || (file.stat.mode & 0o111) !== 0) elves.push(file);
  } else {
    draft.notes.add(`${file.real} is no file, folder or link: left out`);
  }
}

function addFolderLike(draft: Draft, file: Resolved, path: string, reason: string): void {
  const { mode, uid, gid } = file.stat;
  addEntry(draft, { type: "folder", path, reason, mode: mode & 0o1777, uid, gid });
}

function addChild(draft: Draft, parent: Resolved, name: string, path: string, reason: string, elves: Resolved[], depth: number): void {
  const at = posix.join(parent.real, name);
  const file = draft.sight.root.resolve(at);
  if (file?.links[0]?.path === at) addLinkedChild(draft, file, path, reason);
  else if (file) addTree(draft, file, path, reason, elves, depth + 1);
  else addDanglingLink(draft, posix.join(parent.host, name), path, reason);
}

/** A link stays a link; a file that it leads to comes along when nobody but root or the caller made the link. */
function addLinkedChild(draft: Draft, file: Resolved, path: string, reason: string): void {
  const { target } = file.links[0]!;
  addEntry(draft, { type: "link", path, target, reason });
  if (!file.stat.isFile() || ![0, process.getuid!()].includes(file.stat.uid)) return;
  if (path === file.links[0]!.path) addFile(draft, file, `${path} leads to it`);
  else if (target.startsWith("/")) addFile(draft, draft.sight.root.resolve(target) ?? file, `${path} leads to it`);
}

function addDanglingLink(draft: Draft, host: string, path: string, reason: string): void {
  try {
    addEntry(draft, { type: "link", path, target: readlinkSync(host), reason });
    draft.notes.add(`${path} is a link that leads nowhere`);
  } catch (error) {
    if (error instanceof BrigError) throw error;
    draft.notes.add(`${host} is gone`);
  }
}

function traceModule(draft: Draft, file: Resolved): Trace {
  const trace: Trace = { needs: [], missing: [], binaries: [] };
  const elf = readModule(draft, file);
  if (elf === undefined) return trace;
  const report = draft.sight.resolver.resolveModule(file.real, file, elf);
  trace.binaries.push({ path: file.real, elf, report, calls: new Set() });
  addReport(trace, report, file.real);
  for (const { name, neededBy } of trace.missing) draft.notes.add(`${neededBy} needs ${name}, which is not here`);
  addTrace(draft, trace);
  return trace;
}

/** Data may be ELF that nothing loads (object files, another tool's test cases): it is added, and told. */
function readModule(draft: Draft, file: Resolved): ElfFile | undefined {
  try {
    return draft.sight.resolver.read(file);
  } catch (error) {
    if (!(error instanceof BrigError)) throw error;
    draft.notes.add(`${file.real} was added as data: ${error.message}`);
    return undefined;
  }
}

/** Adds a file or a whole folder of the root if it is there. Tells whether it is. */
export function addIfThere(draft: Draft, path: string, reason: string): boolean {
  const file = draft.sight.root.resolve(path);
  if (file === undefined) return false;
  addLinks(draft, file, reason);
  addTree(draft, file, file.real, reason, [], 0);
  return true;
}

