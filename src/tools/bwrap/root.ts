import type { RootEntry } from "../../spec/extension.js";
import type { Mount } from "../../spec/oci.js";
import type { Notes } from "../grammar/origins.js";
import { resolveFrom } from "../grammar/program.js";
import type { BwrapContext } from "./context.js";
import type { RootOperation } from "./options.js";
import { placeForTmpfs, writeLayers } from "./overlay.js";
import { refuseWords } from "./values.js";

/** The root as the spec has it. */
export interface Root {
  mounts: Mount[];
  files: RootEntry[];
  readonlyPaths: string[];
  optionalBinds: number[];
  overlayOnTmpfs: { mount: number; place: string }[];
}

interface Builder extends Root {
  context: BwrapContext;
  notes: Notes;
  /** A proc of its own shows the sandbox's processes; without it the host's is bound. */
  ownProc: boolean;
}

/** The operations in their order, as mounts and what stands between them. */
export function buildRoot(operations: RootOperation[], context: BwrapContext, notes: Notes, ownProc: boolean): Root {
  const builder: Builder = { mounts: [], files: [], readonlyPaths: [], optionalBinds: [], overlayOnTmpfs: [], context, notes, ownProc };
  refuseSpent(operations);
  for (const operation of listVisible(operations)) apply(builder, operation);
  const { mounts, files, readonlyPaths, optionalBinds, overlayOnTmpfs } = builder;
  return { mounts, files, readonlyPaths, optionalBinds, overlayOnTmpfs };
}

/** What a descriptor gave is read to its end and closed: bwrap has nothing to write for a second `--file`, and fails. */
function refuseSpent(operations: RootOperation[]): void {
  const spent = new Set<number>();
  for (const one of operations) {
    if (one.kind !== "file" && one.kind !== "data") continue;
    if (one.kind === "file" && spent.has(one.fd))
      throw refuseWords(`Can't write data to file ${one.dest}: Bad file descriptor`, `descriptor ${one.fd} was read for an option before this one; open another for it`);
    spent.add(one.fd);
  }
}

const COVERS = new Set(["bind", "bind-fd", "overlay", "tmpfs", "mqueue"]);

/** A mount on "/" hides all that was made before it. */
function listVisible(operations: RootOperation[]): RootOperation[] {
  const last = operations.findLastIndex((one) => COVERS.has(one.kind) && toPath(one.dest) === "/");
  return last < 0 ? operations : operations.slice(last);
}

/** As bwrap takes them: a relative path counts from the new root. */
function toPath(dest: string): string {
  const parts = dest.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

const DATA_MODE = 0o600;

function apply(builder: Builder, operation: RootOperation): void {
  if (operation.kind === "data") addParents(builder, { ...operation, perms: operation.perms ?? DATA_MODE });
  else if ("perms" in operation && operation.perms !== undefined && operation.kind !== "chmod") addParents(builder, operation);
  switch (operation.kind) {
    case "bind": return addBind(builder, operation);
    case "bind-fd": return addMount(builder, operation, { type: "bind", source: `/proc/self/fd/${operation.fd}`, options: bindOptions(operation.access) }, `Can't find source path /proc/self/fd/${operation.fd}`);
    case "overlay": return addOverlay(builder, operation);
    case "tmpfs": return addTmpfs(builder, operation);
    case "proc": return addProc(builder, operation);
    case "dev": return addDev(builder, operation);
    case "mqueue": return addMount(builder, operation, { type: "mqueue", source: "mqueue", options: [] });
    case "dir": return addDir(builder, operation);
    case "file": return addEntry(builder, operation, { type: "copy", path: toPath(operation.dest), mode: operation.perms ?? 0o666, fd: operation.fd }, `Can't create file ${operation.dest}`);
    case "data": return addData(builder, operation);
    case "symlink": return addEntry(builder, operation, { type: "symlink", path: toPath(operation.dest), target: operation.target }, `Can't make symlink at ${operation.dest}`);
    case "chmod": return addEntry(builder, operation, { type: "chmod", path: toPath(operation.dest), mode: operation.perms }, `Can't chmod ${formatMode(operation.perms)} ${operation.dest}`);
    case "remount-ro": return addEntry(builder, operation, { type: "readonly", path: toPath(operation.dest) }, `Can't remount readonly on /newroot${toPath(operation.dest)}`);
  }
}

/** As printf's "%#o". */
function formatMode(mode: number): string {
  return mode === 0 ? "0" : `0${mode.toString(8)}`;
}

type Made = Omit<Mount, "destination">;

function addMount(builder: Builder, { dest, text }: { dest: string; text: string }, mount: Made, opening?: string): void {
  const pointer = `/mounts/${builder.mounts.length}`;
  const what = mount.type === "bind" ? `bind mount /oldroot${mount.source} on /newroot${toPath(dest)}` : `mount ${mount.type} on /newroot${toPath(dest)}`;
  builder.notes.add(pointer, text, `Can't ${what}`);
  builder.notes.sayings[`${pointer}#mkdir`] = `Can't mkdir ${dest}`;
  builder.notes.sayings[`${pointer}#create`] = `Can't create file at ${dest}`;
  if (opening !== undefined) builder.notes.sayings[`${pointer}#open`] = builder.notes.sayings[`${pointer}#readlink`] = opening;
  builder.mounts.push({ destination: toPath(dest), ...mount });
}

type Unplaced = RootEntry extends infer One ? (One extends RootEntry ? Omit<One, "after"> : never) : never;

function addEntry(builder: Builder, { text }: { text: string }, entry: Unplaced, saying: string): void {
  builder.notes.add(`/annotations/dev.brig.files/${builder.files.length}`, text, saying);
  builder.files.push({ ...entry, after: builder.mounts.length } as RootEntry);
}

/** What the host mounts there later appears inside too, as with bwrap. */
function bindOptions(access: "write" | "read" | "device"): string[] {
  return ["rbind", "rslave", "nosuid", ...(access === "device" ? [] : ["nodev"]), ...(access === "read" ? ["ro"] : [])];
}

const DESCRIPTOR = /^\/proc\/self\/fd\/\d+$/;

function addBind(builder: Builder, operation: RootOperation & { kind: "bind" }): void {
  const { access, source, optional } = operation;
  const path = resolveFrom(builder.context.cwd, source);
  if (optional && !DESCRIPTOR.test(path)) builder.optionalBinds.push(builder.mounts.length);
  addMount(builder, operation, { type: "bind", source: path, options: bindOptions(access) }, `Can't find source path ${source}`);
}

function addOverlay(builder: Builder, operation: RootOperation & { kind: "overlay" }): void {
  const { cwd, kernel } = builder.context;
  const lower = operation.lower.map((path) => resolveFrom(cwd, path));
  const { upper } = operation;
  if (upper === "tmpfs") builder.overlayOnTmpfs.push({ mount: builder.mounts.length, place: placeForTmpfs(lower) });
  const written = typeof upper === "object" ? [`upperdir=${resolveFrom(cwd, upper.upper)}`, `workdir=${resolveFrom(cwd, upper.work)}`] : [];
  addMount(builder, operation, { type: "overlay", source: "overlay", options: [...writeLayers(lower, kernel), ...written, "userxattr"] });
}

function addTmpfs(builder: Builder, operation: RootOperation & { kind: "tmpfs" }): void {
  const { perms = 0o755, size } = operation;
  const options = ["nosuid", "nodev", `mode=${perms.toString(8).padStart(4, "0")}`, ...(size === undefined ? [] : [`size=${size}`])];
  addMount(builder, operation, { type: "tmpfs", source: "tmpfs", options });
}

/** Parts of /proc that a process may write to though it should not: for root only. */
const COVERED = ["sys", "sysrq-trigger", "irq", "bus"];

function addProc(builder: Builder, operation: { dest: string; text: string }): void {
  if (builder.ownProc) addMount(builder, operation, { type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] });
  else addMount(builder, operation, { type: "bind", source: "/proc", options: bindOptions("write") });
  const covered = COVERED.filter((name) => builder.context.isWritable(`/proc/${name}`)).map((name) => `${toPath(operation.dest)}/${name}`);
  builder.readonlyPaths.push(...covered);
}

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [name: string, target: string][] = [
  ["stdin", "/proc/self/fd/0"], ["stdout", "/proc/self/fd/1"], ["stderr", "/proc/self/fd/2"], ["fd", "/proc/self/fd"], ["core", "/proc/kcore"],
];

function addDev(builder: Builder, { dest, text }: { dest: string; text: string }): void {
  const at = (name: string) => ({ dest: `${toPath(dest)}/${name}`, text });
  const link = (name: string, target: string) => addEntry(builder, { text }, { type: "symlink", path: at(name).dest, target }, `Can't create symlink ${dest}/${name}`);
  addMount(builder, { dest, text }, { type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=0755"] });
  for (const name of DEVICES) addMount(builder, at(name), { type: "bind", source: `/dev/${name}`, options: bindOptions("device") });
  for (const [name, target] of LINKS) link(name, target);
  addEntry(builder, { text }, { type: "dir", path: at("shm").dest, mode: 0o755 }, `Can't create ${dest}/shm`);
  addMount(builder, at("pts"), { type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=620"] });
  link("ptmx", "pts/ptmx");
  // the terminal on which the program writes, by a name that ttyname(3) finds
  if (builder.context.terminals & 2) addMount(builder, at("console"), { type: "bind", source: "/proc/self/fd/1", options: bindOptions("device") });
}

function addDir(builder: Builder, operation: RootOperation & { kind: "dir" }): void {
  const path = toPath(operation.dest);
  if (path !== "/") addEntry(builder, operation, { type: "dir", path, mode: operation.perms ?? 0o755 }, `Can't mkdir ${operation.dest}`);
}

function addData(builder: Builder, operation: RootOperation & { kind: "data" }): void {
  const { fd, dest, access, perms } = operation;
  const pointer = `/annotations/dev.brig.files/${builder.files.length}`;
  addEntry(builder, operation, { type: "data", path: toPath(dest), mode: perms ?? DATA_MODE, fd, readonly: access === "read" }, `Can't create file at ${dest}`);
  builder.notes.sayings[`${pointer}#read`] = `Can't write data to file ${dest}`;
}

/** Missing parents are no more open than what is made in them: bwrap(1), "Filesystem related options". */
function addParents(builder: Builder, { dest, text, perms = 0 }: { dest: string; text: string; perms?: number }): void {
  const mode = 0o755 & ~((perms & 0o070) === 0 ? 0o050 : 0) & ~((perms & 0o007) === 0 ? 0o005 : 0);
  const parts = toPath(dest).split("/").slice(1, -1);
  if (mode === 0o755) return;
  parts.forEach((_, index) => addEntry(builder, { text }, { type: "dir", path: `/${parts.slice(0, index + 1).join("/")}`, mode }, `Can't mkdir parents for ${dest}`));
}
