import { readdirSync } from "node:fs";
import { posix } from "node:path";
import { openFileBytes } from "../elf/file-bytes.js";
import { findMachine } from "../elf/machines.js";
import { type ElfFile, isElf, readElf } from "../elf/read-elf.js";
import type { Resolved } from "../elf/source-root.js";
import { checkJail } from "../jail/check-jail.js";
import type { MissingNeed } from "../jail/trace-program.js";
import type { LookedAt, RootFinding } from "./check-root.js";

/** Where programs stand (hier(7)). */
const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** What this host's kernel runs, by Node's name of its architecture. */
const RUNS: Record<string, string[]> = { x64: ["x86_64", "i686"], arm64: ["aarch64", "v7l"], ia32: ["i686"], arm: ["v7l"], ppc64: ["power9"], s390x: ["z15"], riscv64: ["riscv64"], loong64: ["loongarch64"] };

/** So many are named; the rest is counted. */
const NAMED = 20;

/** A shell, the machine that it is for, and every program's loader and libraries. */
export function findPrograms(looked: LookedAt): { findings: RootFinding[]; machine: string | undefined; programs: number } {
  const shell = looked.root.resolve("/bin/sh");
  const elf = shell && readProgram(shell);
  const machine = elf && (findMachine(elf)?.name ?? `ELF machine ${elf.machine}`);
  const findings: RootFinding[] = [];
  if (!shell?.stat.isFile()) findings.push({ weight: "missing", path: "/bin/sh", what: "no shell", fix: `brig jail build ${looked.dir} sh puts this host's there` });
  else if ((shell.stat.mode & 0o111) === 0) findings.push({ weight: "missing", path: "/bin/sh", what: "the shell is not executable", fix: `chmod 755 ${shell.host}` });
  if (machine !== undefined && !(RUNS[process.arch] ?? [machine]).includes(machine)) {
    findings.push({ weight: "missing", path: "/bin/sh", what: `made for ${machine}, which this host does not run`, fix: "make the root for this host: brig rootfs debootstrap" });
  }
  const names = listPrograms(looked);
  return { findings: [...findings, ...findBroken(looked, names)], machine, programs: names.length };
}

function readProgram(file: Resolved): ElfFile | undefined {
  const bytes = openFileBytes(file.host);
  if (bytes === undefined) return undefined;
  try {
    return isElf(bytes.read(0, 4)) ? readElf(bytes, file.real) : undefined;
  } catch {
    return undefined; // checkJail says what is wrong with it
  } finally {
    bytes.close();
  }
}

/** By their real paths, each once. */
function listPrograms({ root }: LookedAt): string[] {
  const found = new Set<string>();
  for (const folder of FOLDERS.map((path) => root.resolve(path))) {
    if (!folder?.stat.isDirectory()) continue;
    for (const name of readdirSync(folder.host)) {
      const file = root.resolve(posix.join(folder.real, name));
      if (file?.stat.isFile() && (file.stat.mode & 0o111) !== 0) found.add(file.real);
    }
  }
  return [...found].sort();
}

/** One finding for each thing that is missing, whatever number of programs lacks it. */
function findBroken({ dir }: LookedAt, names: string[]): RootFinding[] {
  if (names.length === 0) return [];
  const lacking = new Map<string, { need: MissingNeed; programs: string[] }>();
  for (const { program, missing } of checkJail(dir, names).programs) {
    for (const need of missing) {
      const key = need.what === "permission" || need.what === "format" ? program : `${need.what} ${need.name}`;
      const group = lacking.get(key) ?? { need, programs: [] };
      lacking.set(key, { need, programs: [...group.programs, program] });
    }
  }
  const found = [...lacking.values()].map(({ need, programs }) => describe(need, programs));
  const rest: RootFinding = { weight: "hint", path: "/", what: `and ${found.length - NAMED} things more that programs lack`, fix: `brig jail check ${dir} lists them all` };
  return found.length > NAMED ? [...found.slice(0, NAMED), rest] : found;
}

/** A script whose interpreter is not installed is as its package made it; a program without its loader is damage. */
function describe({ what, name, hint }: MissingNeed, programs: string[]): RootFinding {
  const isScript = what === "interpreter" && !/(?:^|\/)ld[^/]*\.so/.test(name);
  const few = programs.length === 1 ? programs[0]! : `${programs.length} programs, such as ${programs[0]}`;
  return { weight: isScript ? "hint" : "missing", path: name, what: `${few} cannot start: no ${what} ${name}`, fix: isScript ? "install it, or leave those programs alone" : hint };
}
