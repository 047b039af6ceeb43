import { lstatSync, readdirSync } from "node:fs";
import { posix, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { openFileBytes } from "../elf/file-bytes.js";
import { isElf } from "../elf/read-elf.js";
import { reading } from "./explain-read.js";
import { defaultPath } from "./find-program.js";
import { callGroups, type MissingNeed, openSight, type Sight, type Trace, traceProgram } from "./trace-program.js";

export interface CheckReport {
  /** Nothing is missing. */
  ok: boolean;
  programs: CheckedProgram[];
}

export interface CheckedProgram {
  program: string;
  missing: MissingNeed[];
  /** What the program would use beyond what it needs to start, and is not there. */
  hints: string[];
}

const MAX_ENTRIES = 1_000_000;

/**
 * Says what each program of a jail lacks to start there, as seen from within: its loader, libraries, and the
 * interpreters of scripts. Nothing is run, and no link leads out of the jail.
 *
 * @param programs names or paths in the jail; when empty every program in it, but no scripts in its library folders
 * @throws BrigError BRIG_JAIL_NOT_HERE, BRIG_BAD_ELF
 */
export function checkJail(dir: string, programs: string[] = []): CheckReport {
  const folder = resolve(dir);
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new BrigError(`${JSON.stringify(dir)} is no folder`, { code: "BRIG_JAIL_NOT_HERE", hint: "brig jail build DIR PROGRAM… makes a jail" });
  }
  const sight = openSight(folder, defaultPath, true);
  const names = programs.length > 0 ? programs : reading(() => listPrograms(sight));
  const checked = names.map((program) => reading(() => checkProgram(sight, program)));
  return { ok: checked.every(({ missing }) => missing.length === 0), programs: checked };
}

function checkProgram(sight: Sight, program: string): CheckedProgram {
  try {
    const trace = traceProgram(sight, program);
    return { program, missing: trace.missing, hints: listHints(sight, trace) };
  } catch (error) {
    if (!(error instanceof BrigError) || error.code !== "BRIG_BAD_ELF") throw error;
    return { program, missing: [{ what: "format", name: program, neededBy: program, hint: error.message }], hints: [] };
  }
}

/** What a name look-up in this jail would miss (nsswitch.conf(5)). */
function listHints(sight: Sight, trace: Trace): string[] {
  const calls = new Set(trace.binaries.flatMap((binary) => [...binary.calls]));
  const asks = (group: string[]) => group.some((call) => calls.has(call));
  const lacks = (path: string) => sight.root.resolve(path) === undefined;
  const hints: string[] = [];
  if (asks(callGroups.users) && lacks("/etc/passwd")) hints.push("looks up user names, and there is no /etc/passwd (--users)");
  if (!asks(callGroups.hosts)) return hints;
  const absent = ["/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf"].filter(lacks);
  if (absent.length > 0) hints.push(`looks up host names, and there is no ${absent.join(", no ")} (--names)`);
  return hints;
}

/** Scripts in here are a language's library, executable by habit (Python's has a dozen): checked only when named. */
const LIBRARY = /^\/(?:usr\/(?:local\/)?)?(?:lib\d*|libx32|share)\//;

/** All programs of the jail: ELF programs with a loader, and scripts. Folders that are links are not entered. */
function listPrograms(sight: Sight): string[] {
  const found: string[] = [];
  const pending = ["/"];
  let seen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const at = sight.root.resolve(folder);
    if (at?.real !== folder) continue;
    for (const entry of readdirSync(at.host, { withFileTypes: true })) {
      if (++seen > MAX_ENTRIES) throw new BrigError("the jail holds too much to look at", { code: "BRIG_JAIL_TOO_LARGE", hint: "name the programs" });
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile() && isProgram(sight, path)) found.push(path);
    }
  }
  return found.sort();
}

function isProgram(sight: Sight, path: string): boolean {
  const at = sight.root.resolve(path);
  if (!at || (at.stat.mode & 0o111) === 0) return false;
  const file = openFileBytes(at.host);
  if (file === undefined) return false;
  try {
    const head = file.read(0, 4);
    if (!isElf(head)) return head.toString("latin1", 0, 2) === "#!" && !LIBRARY.test(path);
  } finally {
    file.close();
  }
  return isStartable(sight, path);
}

/** Libraries are executable by habit; the loader is both. A damaged file is reported, not passed over. */
function isStartable(sight: Sight, path: string): boolean {
  const file = sight.root.resolve(path)!;
  try {
    const elf = sight.resolver.read(file)!;
    return elf.interpreter !== undefined && !/\.so(\.|$)/.test(posix.basename(path)) || elf.type === "executable";
  } catch {
    return true;
  }
}
