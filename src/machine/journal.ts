import { closeSync, constants, fstatSync, openSync, readdirSync } from "node:fs";
import type { HostFacts } from "../host/facts.js";
import { readHostFacts } from "../host/facts.js";
import { holdPlan, runLauncher } from "../launch/run-plan.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { buildSpec } from "../policy/build-spec.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";

/** Where journald keeps its files, the lasting ones first (journald.conf(5), Storage=). */
const PLACES = [["var", "log", "journal"], ["run", "log", "journal"]];
const O_PATH = 0o10000000;

/** A machine's journal, held open: what its names lead to later does not matter. */
export interface Journal {
  /** A folder that this mount namespace can show elsewhere, or the files of one in the machine's. */
  folder: number | undefined;
  files: number[];
  owner: { uid: number; gid: number };
}

/** machine-id(5); a namespace of the journal's has "." and its name behind. */
const MACHINE_ID = /^[0-9a-f]{32}(\.|$)/;

/** How many files of a journal are looked at that cannot be shown as a folder, the newest. */
const MOST_FILES = 64;

/**
 * A machine's journal, or undefined when it keeps none. No link in the machine's root is followed.
 * @param machine its root as a folder of the host, and as the machine sees it where it runs
 */
export function openJournal({ folder, live }: { folder?: string | undefined; live?: string | undefined }): Journal | undefined {
  const lasting = folder === undefined ? undefined : openFilled(folder, PLACES[0]!);
  if (lasting !== undefined) return { folder: lasting, files: [], owner: readOwner(lasting) };
  for (const place of live === undefined ? [] : PLACES) {
    const fd = openFilled(live!, place);
    if (fd === undefined) continue;
    const files = openFiles(fd);
    const owner = readOwner(fd);
    closeSync(fd);
    if (files.length > 0) return { folder: undefined, files, owner };
  }
  return undefined;
}

/** journald makes the folder before it writes there: one that has no folder of a machine in it is empty. */
function openFilled(root: string, names: readonly string[]): number | undefined {
  const fd = openBeneath(root, names);
  if (fd === undefined || listNames(fd).some((name) => MACHINE_ID.test(name))) return fd;
  closeSync(fd);
  return undefined;
}

function openBeneath(root: string, names: readonly string[]): number | undefined {
  let fd = openAt(root, constants.O_DIRECTORY);
  for (const name of names) {
    const below: number | undefined = fd === undefined ? undefined : openAt(reach(fd, name), constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (fd !== undefined) closeSync(fd);
    fd = below;
  }
  return fd;
}

/** "*.journal" in the folders of the journal's folder, one for each machine-id. */
function openFiles(journal: number): number[] {
  const folders = listNames(journal).filter((name) => MACHINE_ID.test(name)).flatMap((name) => openAt(reach(journal, name), constants.O_DIRECTORY | constants.O_NOFOLLOW) ?? []);
  const files = folders.flatMap((folder) => listNames(folder).filter((name) => name.endsWith(".journal")).flatMap((name) => openAt(reach(folder, name), constants.O_NOFOLLOW) ?? []));
  for (const folder of folders) closeSync(folder);
  const [regular, others] = [files.filter((fd) => fstatSync(fd).isFile()), files.filter((fd) => !fstatSync(fd).isFile())];
  const newest = regular.sort((a, b) => fstatSync(b).mtimeMs - fstatSync(a).mtimeMs);
  for (const fd of [...others, ...newest.slice(MOST_FILES)]) closeSync(fd);
  return newest.slice(0, MOST_FILES);
}

function listNames(fd: number): string[] {
  try {
    return readdirSync(reach(fd, ""));
  } catch {
    return [];
  }
}

function reach(fd: number, name: string): string {
  return `/proc/self/fd/${fd}/${name}`;
}

function openAt(path: string, flags: number): number | undefined {
  try {
    return openSync(path, O_PATH | flags);
  } catch {
    return undefined;
  }
}

function readOwner(fd: number): Journal["owner"] {
  const { uid, gid } = fstatSync(fd);
  return { uid, gid };
}

/**
 * Runs the host's journalctl on it. The files are the machine's, and whoever could break journalctl by them finds
 * nothing: it sees only them and the host's programs, and has no rights and no network.
 * @param words of journalctl(1), without where from
 * @returns its exit status
 */
export async function showJournal(journal: Journal, words: readonly string[], host: HostFacts = readHostFacts()): Promise<number> {
  const plan = compilePlan(buildJournalSpec(journal, words, host), host, { cwd: "/", detachKeys: "" });
  const held = journal.folder === undefined ? journal.files : [journal.folder];
  return await holdPlan(encodePlan(plan), (fd) => runLauncher(["--plan-fd", "3"], [fd, ...held]));
}

/** The first of the held descriptors, as runLauncher numbers them. */
const FIRST = 4;

function buildJournalSpec({ folder, files, owner }: Journal, words: readonly string[], host: HostFacts): Spec {
  const where = folder === undefined ? files.map((_, index) => `--file=/proc/self/fd/${FIRST + index}`) : ["--directory=/journal"];
  const asRoot = host.euid === 0 ? { share: ["user"], user: `${owner.uid}:${owner.gid}` } : {};
  const options = { project: "none" as const, cwd: "/tmp", memory: "none", landlock: "none" as const, tty: "never" as const, init: false, ...asRoot };
  const names = ["LANG", "LC_ALL", "LC_TIME", "TZ", "TERM", "COLUMNS", "SYSTEMD_COLORS"];
  const env = Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  const path = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  const built = buildSpec({ ...options, env }, ["journalctl", "--no-pager", ...where, ...words], { cwd: "/", env: { ...path, ...env }, home: "/", host });
  const mount = { destination: "/journal", source: `/proc/self/fd/${FIRST}`, type: "bind", options: ["bind", "ro", "nosuid", "nodev", "noexec"] };
  const extension = { ...readExtension(built), ...(folder === undefined ? { keepFds: files.map((_, index) => FIRST + index) } : { descriptors: {} }) };
  return writeExtension({ ...built, mounts: [...(built.mounts ?? []), ...(folder === undefined ? [] : [mount])] }, extension);
}
