import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compileSeccomp } from "../src/plan/seccomp/compile.js";
import { defaultSeccomp } from "../src/plan/seccomp/default.js";
import { describeLimit } from "./limit-spec.js";
import { findProgram, type Place } from "./paths.js";
import { findCachedRoot } from "../test/roots/root-cache.js";

/** Something that is timed. */
export interface Contestant {
  /** As the table calls it. */
  what: string;
  /** The driver's command line (see driver.ts), or why there is none here. */
  words: string[] | { missing: string };
  /** Takes so long that it has one run in each eighth round. */
  heavy?: boolean;
}

export type ContestantName = "limit" | "planOfLimit" | "planOfDefault" | "bwrapOfLimit" | "bwrap" | "unshare" | "firejail" | FirejailName | ImagesName | MachineName | "bwrapCommand" | "repeated" | "first" | "spawnWithBuffers" | "libraryWithBuffers" | "coldLibraryWithBuffers" | "spawnWithObjects" | "libraryWithObjects" | "coldLibraryWithObjects";

/** Firejail and brig in its place, with no profile, the default one and a browser's. */
type FirejailName = "firejailWithout" | "firejailWithFirefox" | "jailWithout" | "jailPrivate" | "jailWithFirefox" | "firstJailWithout" | "firstJailPrivate" | "firstJailWithFirefox";

type MachineName = "machine" | "firstMachine" | "nspawn" | "boot" | "nspawnBoot";

type ImagesName = "pull" | "skopeo" | "unpack" | "tar";

const MISSING_PACKAGE: Record<string, string> = { bwrap: "bubblewrap", unshare: "util-linux", firejail: "firejail", "systemd-nspawn": "systemd-container" };

/** Everything that takes part, with plans and files made ready in the scratch folder. */
export function listContestants(place: Place): Record<ContestantName, Contestant> {
  const brig = join(place.scratch, "dist", "brig");
  const filter = writeFilter(place);
  return {
    limit: { what: "the kernel's work alone (limit.c)", words: [join(place.scratch, "limit"), place.scratch] },
    planOfLimit: { what: "a compiled plan of the same sandbox", words: repeat(place, [writePlan(place, brig, "plan-of-limit", limitWords(place))]) },
    planOfDefault: { what: "a compiled plan of the safe default", words: repeat(place, [writePlan(place, brig, "plan-of-default", ["-b", `${place.scratch}:/payload:ro`, "--", "/payload/nothing"])]) },
    bwrapOfLimit: { what: "bwrap, the same walls", words: repeatProgram(place, "bwrap", [...bwrapWalls(place), "--as-pid-1", "/payload/nothing"], filter) },
    bwrap: { what: "bwrap, the same walls as far as it has them", words: repeatProgram(place, "bwrap", [...bwrapWalls(place), "/bin/true"], filter) },
    unshare: { what: "unshare, namespaces alone", words: repeatProgram(place, "unshare", ["--user", "--map-root-user", "--mount", "--net", "--ipc", "--uts", "--cgroup", "--pid", "--fork", "--mount-proc", "/bin/true"]) },
    firejail: { what: "firejail --private", words: repeatProgram(place, "firejail", ["--private", "true"]) },
    ...listJails(place, brig),
    ...listImageRuns(place, brig),
    ...listMachines(place, brig),
    bwrapCommand: { what: "brig bwrap, the same words, repeated", words: repeat(place, [brig, "bwrap", ...bwrapWalls(place), "/bin/true"], filter) },
    repeated: { what: "brig run -- true, repeated", words: repeat(place, [brig, "run", "--", "true"]) },
    first: { what: "brig run -- true, first time", words: repeat(place, [brig, "run", "--", "true", "%n"]) },
    spawnWithBuffers: { what: "Node's child_process.spawn of plain true", words: [...nodeWords(place, "node-spawn"), "buffers"] },
    libraryWithBuffers: { what: "the library: true in a sandbox made ahead", words: libraryWords(place, "buffers") },
    coldLibraryWithBuffers: { what: "the library: true in a sandbox made then", words: libraryWords(place, "buffers", "cold") },
    spawnWithObjects: { what: "Node's child_process.spawn of plain true", words: [...nodeWords(place, "node-spawn"), "objects"] },
    libraryWithObjects: { what: "the library: true in a sandbox made ahead", words: libraryWords(place, "objects") },
    coldLibraryWithObjects: { what: "the library: true in a sandbox made then", words: libraryWords(place, "objects", "cold") },
  };
}

/** Without a bus: root's has none, and firejail's filter for it then ends everything. */
const JAILS = { Without: ["--noprofile"], Private: ["--private"], WithFirefox: ["--dbus-user=none", "--profile=firefox"] };

function listJails(place: Place, brig: string): Record<FirejailName, Contestant> {
  const jails = Object.entries(JAILS).flatMap(([name, words]): [string, Contestant][] => [
    [`jail${name}`, { what: `brig firejail ${words.at(-1)}, repeated`, words: repeat(place, [brig, "firejail", ...words, "true"]) }],
    [`firstJail${name}`, { what: `brig firejail ${words.at(-1)}, first time`, words: repeat(place, [brig, "firejail", ...words, "true", "%n"]) }],
    [`firejail${name}`, { what: `firejail ${words.at(-1)}`, words: repeatProgram(place, "firejail", [...words, "true"]) }],
  ]);
  return Object.fromEntries(jails) as Record<FirejailName, Contestant>;
}

function listImageRuns(place: Place, brig: string): Record<ImagesName, Contestant> {
  const run = (what: ImagesName, ...programs: string[]): Contestant["words"] => {
    const missing = programs.find((program) => findProgram(program) === undefined);
    return missing === undefined ? [...nodeWords(place, "images-run"), what, brig] : { missing: `${missing} is not installed (apt-get install ${missing})` };
  };
  return {
    pull: { what: "brig pull, unpacked too", words: run("pull"), heavy: true },
    skopeo: { what: "skopeo copy and umoci unpack", words: run("skopeo", "skopeo", "umoci"), heavy: true },
    unpack: { what: "the library: a gzipped layer unpacked and checked", words: run("unpack"), heavy: true },
    tar: { what: "GNU tar -xz", words: run("tar", "tar"), heavy: true },
  };
}

/** Where no systemd runs, systemd-nspawn can register nothing. */
const UNREGISTERED = ["--register=no", "--keep-unit"];

/** A root with one program in it, and Debian's as the tests have built it. */
function listMachines(place: Place, brig: string): Record<MachineName, Contestant> {
  const root = join(place.scratch, "machine");
  for (const folder of ["usr", "etc"]) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(join(place.scratch, "nothing"), join(root, "usr", "nothing"));
  const words = ["-q", "-P", "-D", root, "/usr/nothing"];
  const debian = findCachedRoot("machine");
  const boot = (program: string | undefined, ...more: string[]): Contestant["words"] => {
    if (program === undefined) return { missing: "systemd-nspawn is not installed (apt-get install systemd-container)" };
    return existsSync(debian) ? [...nodeWords(place, "boot-run"), debian, program, ...more] : { missing: "the tests' Debian root is not built yet (npm test -- roots)" };
  };
  return {
    machine: { what: "brig nspawn -D ROOT, repeated", words: repeat(place, [brig, "nspawn", ...words]) },
    firstMachine: { what: "brig nspawn -D ROOT, first time", words: repeat(place, [brig, "nspawn", ...words, "%n"]) },
    nspawn: { what: "systemd-nspawn -D ROOT", words: repeatProgram(place, "systemd-nspawn", [...UNREGISTERED, ...words]) },
    boot: { what: "brig nspawn -b, to multi-user.target", words: boot(brig, "nspawn"), heavy: true },
    nspawnBoot: { what: "systemd-nspawn -b, to multi-user.target", words: boot(findProgram("systemd-nspawn"), ...UNREGISTERED), heavy: true },
  };
}

function repeat(place: Place, command: string[], file?: string): string[] {
  return [join(place.scratch, "repeat"), ...(file === undefined ? [] : ["--file3", file]), ...command];
}

function repeatProgram(place: Place, name: string, words: string[], file?: string): Contestant["words"] {
  const program = findProgram(name);
  if (program === undefined) return { missing: `${name} is not installed (apt-get install ${MISSING_PACKAGE[name]})` };
  return repeat(place, [program, ...words], file);
}

function nodeWords(place: Place, name: string): string[] {
  return [process.execPath, join(place.built, "bench", `${name}.js`)];
}

function libraryWords(place: Place, kind: string, ...rest: string[]): Contestant["words"] {
  const library = join(place.root, "dist", "lib", "index.js");
  if (!existsSync(library)) return { missing: "the library is not built (npm run build)" };
  return [...nodeWords(place, "library-run"), kind, pathToFileURL(library).href, ...rest];
}

/** bwrap's words for the walls that limit.c and the safe default make, as far as bwrap has them. */
function bwrapWalls(place: Place): string[] {
  const binds = ["--ro-bind", "/usr", "/usr", "--ro-bind", place.scratch, "/payload", "--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"];
  const links = ["bin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]);
  return ["--unshare-all", ...binds, ...links, "--hostname", "limit", "--cap-drop", "ALL", "--seccomp", "3"];
}

/** Brig's own filter for bwrap, so that both install the same. */
function writeFilter(place: Place): string {
  const file = join(place.scratch, "filter.bpf");
  writeFileSync(file, compileSeccomp(defaultSeccomp()).program);
  return file;
}

function limitWords(place: Place): string[] {
  const file = join(place.scratch, "limit.json");
  const spec = describeLimit(place.scratch, process.getuid?.() ?? 0, process.getgid?.() ?? 0, defaultSeccomp());
  writeFileSync(file, JSON.stringify(spec));
  return ["--spec", file];
}

function writePlan(place: Place, brig: string, name: string, words: string[]): string {
  const file = join(place.scratch, name);
  execFileSync(brig, ["plan", "--out", file, ...words], { stdio: ["ignore", "ignore", "inherit"] });
  return file;
}
