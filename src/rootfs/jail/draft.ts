import { posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { CacheEntry } from "../elf/ld-cache.js";
import type { Loader } from "../elf/loader.js";
import { isSameKind } from "../elf/machines.js";
import type { ElfFile } from "../elf/read-elf.js";
import type { Resolved } from "../elf/source-root.js";
import type { JailEntry, JailOptions, JailPlan } from "./plan.js";
import { showText } from "./show-text.js";
import type { Sight, Trace } from "./trace-program.js";

/** A plan being made. */
export interface Draft {
  sight: Sight;
  options: JailOptions;
  entries: Map<string, JailEntry>;
  cache: Map<string, CacheEntry>;
  littleEndian: boolean;
  notes: Set<string>;
}

const SPECIAL_BITS = 0o6000;

export function openDraft(sight: Sight, options: JailOptions): Draft {
  return { sight, options, entries: new Map(), cache: new Map(), littleEndian: true, notes: new Set() };
}

/** Adds one entry. The first reason stays. @throws BrigError BRIG_JAIL_CONFLICT when another thing is planned there */
export function addEntry(draft: Draft, entry: JailEntry): void {
  const other = draft.entries.get(entry.path);
  if (other === undefined) {
    draft.entries.set(entry.path, entry);
    return;
  }
  if (other.type === entry.type && sourceOf(other) === sourceOf(entry)) return;
  throw new BrigError(`two different things are to be ${JSON.stringify(entry.path)} in the jail: ${sourceOf(other)} and ${sourceOf(entry)}`, {
    code: "BRIG_JAIL_CONFLICT",
    hint: "give one of them another destination: --add SOURCE:DESTINATION",
  });
}

function sourceOf(entry: JailEntry): string {
  if (entry.type === "file") return entry.source.path;
  if (entry.type === "link") return `a link to ${entry.target}`;
  return entry.type === "folder" ? "a folder" : "a generated file";
}

/** Adds a file at its real path and every link that leads to it, so that each name for it works in the jail. */
export function addFile(draft: Draft, file: Resolved, reason: string): void {
  addLinks(draft, file, reason);
  addFileAt(draft, file, file.real, reason);
}

/** Adds a file's content under another path. */
export function addFileAt(draft: Draft, file: Resolved, path: string, reason: string): void {
  const { dev, ino, uid, gid, size } = file.stat;
  const mode = file.stat.mode & 0o7777 & (draft.options.setuid === true ? 0o7777 : ~SPECIAL_BITS);
  addEntry(draft, { type: "file", path, reason, source: { path: file.host, dev, ino }, mode, uid, gid, size });
}

export function addLinks(draft: Draft, file: Resolved, reason: string): void {
  for (const { path, target } of file.links) addEntry(draft, { type: "link", path, target, reason });
}

/** Adds a folder as it is in the root, without what is in it. */
export function addFolder(draft: Draft, path: string, reason: string): void {
  const stat = draft.sight.root.resolve(path)?.stat;
  const known = stat?.isDirectory() ? stat : undefined;
  addEntry(draft, { type: "folder", path, reason, mode: (known?.mode ?? 0o755) & 0o1777, uid: known?.uid ?? 0, gid: known?.gid ?? 0 });
}

/** Adds all that a trace found. */
export function addTrace(draft: Draft, trace: Trace): void {
  for (const { file, reason } of trace.needs) addFile(draft, file, reason);
  for (const { report, elf } of trace.binaries) {
    draft.littleEndian = elf.littleEndian;
    if (report.loader?.pathFile) addFile(draft, draft.sight.root.resolve(report.loader.pathFile)!, "where musl looks for libraries");
    addCacheLines(draft, trace, elf, report.loader);
  }
}

/** A library that only the host's cache or ld.so.conf leads to needs a line in the jail's own cache. */
function addCacheLines(draft: Draft, trace: Trace, elf: ElfFile, loader: Loader | undefined): void {
  for (const { library } of trace.needs) {
    if (library === undefined || !isSameKind(library.elf, elf)) continue;
    if (library.by !== "cache" && library.by !== "ld.so.conf") continue;
    const plain = library.path.replace(/\/glibc-hwcaps\/[^/]+\//, "/");
    if (plain !== library.path) addBaseline(draft, plain, library.path);
    if (loader?.defaultFolders.includes(posix.dirname(plain)) !== false) continue;
    draft.cache.set(`${library.name} ${loader.machine?.cacheFlags}`, { name: library.name, path: plain, flags: loader.machine?.cacheFlags ?? 3 });
  }
}

/** The jail may move to a processor that lacks what the chosen variant uses. */
function addBaseline(draft: Draft, plain: string, chosen: string): void {
  const file = draft.sight.root.resolve(plain);
  if (file?.stat.isFile()) addFile(draft, file, `for processors that cannot run ${chosen}`);
}

/** Closes a draft: adds the folders that entries lie in, and sorts. */
export function finishDraft(draft: Draft): JailPlan {
  if (draft.cache.size > 0) {
    const reason = "leads to libraries outside the loader's own folders";
    addEntry(draft, { type: "cache", path: "/etc/ld.so.cache", reason, entries: [...draft.cache.values()], littleEndian: draft.littleEndian });
  }
  for (const path of draft.entries.keys()) addParents(draft, path);
  const entries = [...draft.entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0);
  return { entries, notes: [...draft.notes].map(showText), bytes };
}

function addParents(draft: Draft, path: string): void {
  for (let parent = posix.dirname(path); parent !== "/"; parent = posix.dirname(parent)) {
    const other = draft.entries.get(parent);
    if (other?.type === "folder") continue;
    addFolder(draft, parent, `holds ${path}`);
  }
}
