import type { RootEntry } from "../spec/extension.js";
import type { Mount } from "../spec/oci.js";
import { isAsked, lack, put, type UnitDraft } from "./draft.js";
import { quotePath } from "./quote.js";

/** What PrivateDevices= makes by itself. */
const DEVICES = new Set(["null", "zero", "full", "random", "urandom", "tty", "pts", "shm", "mqueue", "fd", "stdin", "stdout", "stderr", "ptmx", "console"].map((name) => `/dev/${name}`));

/** What the payload finds in its root, and what it may change of that. */
export function writeRoot(draft: UnitDraft, home: { from: string } | undefined): void {
  const { spec, extension } = draft;
  const path = spec.root?.path ?? "";
  if (path === "") {
    if (!extension.rootTmpfs) lack(draft, "/root", "a root that stays where the caller is");
    // not TemporaryFileSystem=/, which a ProtectSystem= that DynamicUser= brings along silently undoes
    put(draft, "RuntimeDirectory", "brig-%N", "an empty root; what follows is all there is in it");
    put(draft, "RootDirectory", "/run/brig-%N");
  } else put(draft, "RootDirectory", quotePath(path));
  if (path === "" || spec.root?.readonly) put(draft, "ProtectSystem", "strict");
  put(draft, "MountAPIVFS", "yes");
  for (const entry of extension.files ?? []) if (!(entry.type === "dir" && entry.path === home?.from)) writeEntry(draft, entry);
  for (const [index, mount] of (spec.mounts ?? []).entries()) writeMount(draft, mount, index);
  // MountAPIVFS= brings the host's, which tells of its devices and network
  if (!spec.mounts?.some(({ destination }) => destination === "/sys")) put(draft, "InaccessiblePaths", inRoot("/sys"));
  for (const masked of spec.linux?.maskedPaths ?? []) if (!masked.startsWith("/proc/")) put(draft, "InaccessiblePaths", inRoot(masked));
  for (const readonly of spec.linux?.readonlyPaths ?? []) if (!readonly.startsWith("/proc/")) put(draft, "ReadOnlyPaths", inRoot(readonly));
}

/** "+": meant from RootDirectory=, and not from the host's root, where it would close nothing. */
function inRoot(path: string): string {
  const quoted = quotePath(path);
  return quoted.startsWith('"') ? `"-+${quoted.slice(1)}` : `-+${quoted}`;
}

function writeEntry(draft: UnitDraft, entry: RootEntry): void {
  if (DEVICES.has(entry.path) || isOfApi(entry.path)) return;
  if (entry.type === "dir") return putTmpfs(draft, entry.path, [`mode=${(entry.mode ?? 0o755).toString(8).padStart(4, "0")}`]);
  // a link of the host's system folders (/bin to /usr/bin): what it leads to, in its place
  if (entry.type === "symlink" && draft.facts.exists(entry.path)) return put(draft, "BindReadOnlyPaths", `-${quotePath(entry.path)}`);
  if (entry.type === "symlink" && /^(usr\/)?(s?bin|lib\w*)$/.test(entry.target)) return;
  lack(draft, "/annotations/dev.brig.files", `${entry.type} ${entry.path}, made in the root`);
}

function writeMount(draft: UnitDraft, mount: Mount, index: number): void {
  const { destination, source = "", type = "bind", options = [] } = mount;
  if (DEVICES.has(destination) || (isOfApi(destination) && (type !== "bind" || source === destination)) || isRootItself(draft, mount)) return;
  if (type === "tmpfs") return putTmpfs(draft, destination, options);
  if (type !== "bind" && !options.some((option) => /^r?bind$/.test(option))) return lack(draft, `/mounts/${index}`, `a ${type} at ${destination}`);
  if (source.startsWith("/proc/self/fd/")) return lack(draft, `/mounts/${index}`, `a descriptor of the caller at ${destination}`);
  // a default shows what there is: the host that the service comes to may have other folders
  const optional = draft.extension.optionalBinds?.includes(index) || !isAsked(draft, `/mounts/${index}`) ? "-" : "";
  const recursive = options.includes("rbind") ? "" : ":norbind";
  const words = source === destination && recursive === "" ? quotePath(source) : `${quotePath(source)}:${quotePath(destination)}${recursive}`;
  put(draft, options.some((option) => /^r?ro$/.test(option)) ? "BindReadOnlyPaths" : "BindPaths", `${optional}${words}`);
  if (options.some((option) => /^r?noexec$/.test(option)) && !destination.startsWith("/dev/")) put(draft, "NoExecPaths", inRoot(destination));
  if (destination.startsWith("/dev/")) put(draft, "DeviceAllow", `${quotePath(destination)} rw`);
}

/** tmpfs's own options; what else may be said of a mount is the same for all that the payload can write. */
function putTmpfs(draft: UnitDraft, path: string, options: readonly string[]): void {
  const kept = options.filter((option) => /^(size|mode|nr_inodes|uid|gid)=|^(ro|noexec|nosuid|nodev)$/.test(option));
  put(draft, "TemporaryFileSystem", `${quotePath(path)}${kept.length > 0 ? `:${[...new Set([...kept, "nosuid", "nodev"])].join(",")}` : ""}`);
}

/** Some front-ends bind the root's folder to "/": that is what RootDirectory= does. */
function isRootItself({ spec }: UnitDraft, { destination, source }: Mount): boolean {
  return destination === "/" && source !== undefined && source === spec.root?.path;
}

/** What MountAPIVFS= and PrivateDevices= mount. */
function isOfApi(path: string): boolean {
  return path === "/proc" || path === "/sys" || path === "/dev" || path === "/dev/pts";
}

/** Binds that the payload may write to, but for devices. */
export function listWritableBinds(draft: UnitDraft): { mount: Mount; index: number }[] {
  return (draft.spec.mounts ?? []).map((mount, index) => ({ mount, index })).filter(({ mount }) => isWritableBind(draft, mount));
}

function isWritableBind(draft: UnitDraft, mount: Mount): boolean {
  const { type = "bind", options = [], destination } = mount;
  const isBind = type === "bind" || options.some((option) => /^r?bind$/.test(option));
  if (!isBind || destination.startsWith("/dev/") || isOfApi(destination)) return false;
  return isRootItself(draft, mount) ? !draft.spec.root?.readonly : !options.some((option) => /^r?ro$/.test(option));
}
