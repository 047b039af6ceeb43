import type { Extension, RootEntry } from "../../spec/extension.js";
import { BIND, CREATE, DATA_MACHINE_ID, MOUNT_ATTR, MS, REPLACE } from "../format.js";
import { addStep, type Context, refuse, takeSlot } from "./context.js";
import { attachDisplay, openDisplay } from "./display.js";
import { attachDevices, hasNodes, type PlannedDevice, planDevices, prepareDevices } from "./devices.js";
import { attachMount, choosePropagation, needsUserXattr, normalisePath, type PlannedMount, planMounts, prepareMount, preparesOnHost } from "./mounts.js";
import { compileNetworkJoin, isNew } from "./namespaces.js";
import { rootFromLayers } from "./root-layers.js";
import { compilePty } from "./terminal.js";

const KEEP = 0xffffffff;
const MNT_DETACH = 2;
const O_PATH_DIRECTORY = 0o10000000 | 0o200000;

/** The root, everything in it, and letting go of the host's. */
export function compileRoot(context: Context): void {
  const mounts = planMounts(context);
  const devices = planDevices(context, mounts);
  checkMountNamespace(context, mounts);
  compilePropagation(context);
  const rootMount = mounts[0]?.destination === "/" ? mounts.shift() : undefined;
  prepareDevices(context, devices);
  for (const planned of mounts) prepareMount(context, planned);
  const overlays = prepareOverlays(context);
  const display = openDisplay(context);
  const rootOverlay = overlays[0]?.destination === "/" ? overlays.shift() : undefined;
  const rooted = rootOverlay ? rootFromOverlay(context, rootOverlay) : makeRoot(context, rootMount, hasNodes(context, devices));
  for (const path of context.extension.unmount ?? [])
    addStep(context, "child", { op: "UMOUNT_HOST", target: path, flags: MNT_DETACH }, "/annotations/dev.brig.unmount");
  // a tool's mounts are the new root's, as unshare --root --mount-proc has it
  if (!rooted) compileChroot(context);
  fillRoot(context, [...mounts, ...overlays], devices);
  attachDisplay(context, display);
  compilePty(context, mounts, rooted);
  protectPaths(context);
  // letting go of the old root waits for the kernel's other processors, much longer while a network is being made
  compileNetworkJoin(context);
  if (!rooted) return;
  finishRoot(context);
  compileChroot(context);
}

function checkMountNamespace(context: Context, mounts: PlannedMount[]): void {
  const { spec, extension, namespaces } = context;
  const asked = spec.root?.path || extension.rootTmpfs || extension.rootLayers || mounts.length > 0 || spec.linux?.maskedPaths?.length || spec.linux?.readonlyPaths?.length;
  if (!asked || namespaces.mount !== "host" || extension.stateless) return;
  throw refuse(extension, mounts[0]?.pointer ?? "/root", "BRIG_BAD_SPEC", "a root or mounts of its own need a mount namespace", 'add {"type": "mount"} to linux.namespaces');
}

const PROPAGATIONS: Record<string, number> = { shared: MS.SHARED, slave: MS.SLAVE, private: MS.PRIVATE, unbindable: MS.UNBINDABLE };

/**
 * What is mounted inside never appears on the host. A mount namespace that is made together with a user namespace is
 * a slave of the host's from the start (mount_namespaces(7)); any other is a peer of it until this step.
 */
function compilePropagation(context: Context): void {
  const { spec, extension } = context;
  if (!isNew(context, "mount")) return;
  const asked = spec.linux?.rootfsPropagation;
  if (asked === undefined && extension.stateless) return;
  const kind = asked?.replace(/^r/, "") ?? "slave";
  const flag = PROPAGATIONS[kind];
  if (flag === undefined) throw refuse(extension, "/linux/rootfsPropagation", "BRIG_BAD_SPEC", `${asked} is no propagation`, "one of shared, slave, private, unbindable, each with or without r before it");
  if (flag === MS.SLAVE && isNew(context, "user")) return;
  // a shared root of the sandbox is shared within it; the host's is let go of, and must not learn of it
  const inherits = extension.stateless ? flag : flag === MS.SHARED || flag === MS.UNBINDABLE ? MS.SLAVE : flag;
  const recursive = asked === undefined || asked.startsWith("r") ? MS.REC : 0;
  addStep(context, "child", { op: "PROPAGATION", flags: inherits | recursive }, "/linux/rootfsPropagation");
}

/** Makes the detached mount that becomes "/". False where the payload stays in the root that is there. */
function makeRoot(context: Context, mount: PlannedMount | undefined, withNodes: boolean): boolean {
  const { spec, extension } = context;
  if (mount) return rootFromMount(context, mount);
  if (extension.rootLayers) return rootFromLayers(context, extension.rootLayers);
  if (extension.rootImage) return rootFromImage(context, extension.rootImage);
  if (extension.rootTmpfs) return rootFromTmpfs(context, withNodes);
  if (spec.root?.path && !context.extension.chroot) return rootFromFolder(context, normalisePath(spec.root.path));
  return false;
}

function rootFromMount(context: Context, planned: PlannedMount): boolean {
  const { mount, options, pointer } = planned;
  prepareMount(context, planned);
  const slot = (planned.slot ??= takeSlot(context));
  const made = [...context.plan.steps.host, ...context.plan.steps.child].some((step) => (step.op === "OPEN_TREE" || step.op === "FS_MOUNT") && step.slot === slot);
  if (!made && options.bind) openTree(context, "child", slot, mount.source ?? "", options.recursive, options.set, pointer, choosePropagation(options));
  else if (!made) addStep(context, "child", { op: "FS_MOUNT", slot, type: mount.type ?? "tmpfs", options: options.data, attributes: options.set }, pointer);
  addStep(context, "child", { op: "ROOT", slot }, pointer);
  return true;
}

/** It is mounted on the host's side, where loop devices are, and by nobody of the sandbox. */
function rootFromImage(context: Context, { path, type, offset, size, readonly, map }: NonNullable<Extension["rootImage"]>): boolean {
  const pointer = "/annotations/dev.brig.rootImage";
  const slot = takeSlot(context);
  const image = new Uint8Array(24);
  const view = new DataView(image.buffer);
  view.setBigUint64(0, BigInt(offset), true);
  view.setBigUint64(8, BigInt(size), true);
  view.setUint32(16, readonly ? 1 : 0, true);
  addStep(context, "host", { op: "IMAGE", slot, path, type, image }, pointer);
  if (map) addStep(context, "parent", { op: "IDMAP", slot, namespace: 0xffffffff }, pointer);
  addStep(context, "child", { op: "ROOT", slot }, pointer);
  return true;
}

/** Its mount is made already, in the child. */
function rootFromOverlay(context: Context, { slot = 0, pointer }: PlannedMount): boolean {
  addStep(context, "child", { op: "ROOT", slot }, pointer);
  return true;
}

function rootFromTmpfs(context: Context, withNodes: boolean): boolean {
  const pointer = "/annotations/dev.brig.rootTmpfs";
  const { size } = context.extension.rootTmpfs ?? {};
  const slot = takeSlot(context);
  const options = ["mode=755", ...(size === undefined ? [] : [`size=${size}`])];
  const attributes = MOUNT_ATTR.NOSUID | (withNodes ? 0 : MOUNT_ATTR.NODEV);
  addStep(context, "child", { op: "FS_MOUNT", slot, type: "tmpfs", options, attributes }, pointer);
  addStep(context, "child", { op: "ROOT", slot }, pointer);
  return true;
}

function rootFromFolder(context: Context, path: string): boolean {
  const slot = takeSlot(context);
  openTree(context, preparesOnHost(context) ? "host" : "child", slot, path, true, 0, "/root");
  addStep(context, "child", { op: "ROOT", slot }, "/root");
  return true;
}

/** A private clone: the sandbox's mounts in it stay out of the host's, and the host's out of it. */
function openTree(context: Context, phase: "host" | "child", slot: number, path: string, recursive: boolean, set: number, pointer: string, propagation: number = MS.PRIVATE): void {
  addStep(context, phase, { op: "OPEN_TREE", slot, path, recursive: recursive ? 1 : 0, nofollow: 0 }, pointer);
  addStep(context, phase, { op: "MOUNT_ATTR", slot, set, clear: 0, propagation, recursive: recursive ? 1 : 0 }, pointer);
}

/** The extension's overlays, as mounts. */
function prepareOverlays(context: Context): PlannedMount[] {
  return (context.extension.overlay ?? []).map((overlay, index) => {
    const pointer = `/annotations/dev.brig.overlay/${index}`;
    const escape = (path: string): string => path.replace(/[\\:]/g, "\\$&");
    if (overlay.place !== undefined) mapLower(context, overlay.lower, overlay.place, pointer);
    const options = [`lowerdir=${escape(overlay.place ?? overlay.lower)}`, `upperdir=${escape(overlay.upper)}`, `workdir=${escape(overlay.work)}`];
    // userxattr implies the rest; without it a moved folder would be known only by attributes that no reader of the upper folder sees
    options.push(...(needsUserXattr(context) ? ["userxattr"] : ["redirect_dir=off", "metacopy=off"]));
    const slot = takeSlot(context);
    addStep(context, "child", { op: "FS_MOUNT", slot, type: "overlay", options, attributes: MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV }, pointer);
    const destination = normalisePath(overlay.destination);
    return {
      mount: { destination, type: "overlay" }, pointer, destination, slot,
      options: { bind: false, recursive: false, set: 0, clear: 0, propagation: 0, idmap: false, idmapRecursive: false, data: [] },
    };
  });
}

/** An overlay cannot be idmapped, but what it lies on can (Linux 5.19). */
function mapLower(context: Context, lower: string, place: string, pointer: string): void {
  const slot = takeSlot(context);
  openTree(context, "host", slot, lower, false, MOUNT_ATTR.RDONLY, pointer);
  addStep(context, "parent", { op: "IDMAP", slot, namespace: 0xffffffff }, pointer);
  addStep(context, "child", { op: "MOUNT", slot, target: place, create: CREATE.NOTHING }, pointer);
}

/**
 * Mounts in the spec's order; before each, the entries whose place is ready: an entry comes as soon as every mount
 * that lies above it is there. Devices follow the last mount that is above one of them.
 */
function fillRoot(context: Context, mounts: PlannedMount[], devices: PlannedDevice[]): void {
  const moved = (context.spec.mounts?.length ?? 0) + (context.extension.overlay?.length ?? 0) - mounts.length; // the root's own
  const entries = (context.extension.files ?? []).map((entry, index) => ({
    entry, index, after: entry.after === undefined ? lastAbove(mounts, normalisePath(entry.path)) : entry.after - 1 - moved,
  }));
  const devicesAfter = Math.max(-1, ...devices.map(({ device }) => lastAbove(mounts, device.path)));
  for (let place = -1; place < mounts.length; place++) {
    const planned = mounts[place];
    if (planned) attachMount(context, planned);
    for (const { entry, index, after } of entries) if (after === place) makeEntry(context, entry, `/annotations/dev.brig.files/${index}`);
    if (devicesAfter === place) attachDevices(context, devices, mounts);
  }
}

/** The place of the last mount that covers a path from above, or -1. */
function lastAbove(mounts: PlannedMount[], path: string): number {
  return mounts.findLastIndex(({ destination }) => destination !== path && isAbove(destination, path));
}

export function isAbove(folder: string, path: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

function makeEntry(context: Context, entry: RootEntry, pointer: string): void {
  const path = normalisePath(entry.path);
  if (entry.type === "dir") addStep(context, "child", { op: "DIR", path, mode: entry.mode ?? 0o755, uid: entry.uid ?? KEEP, gid: entry.gid ?? KEEP }, pointer);
  else if (entry.type === "file") addStep(context, "child", { op: "FILE", path, mode: entry.mode ?? 0o644, content: entry.content }, pointer);
  else if (entry.type === "symlink") addStep(context, "child", { op: "SYMLINK", target: entry.target, path }, pointer);
  else makeSpecialEntry(context, entry, path, pointer);
}

function makeSpecialEntry(context: Context, entry: Exclude<RootEntry, { type: "dir" | "file" | "symlink" }>, path: string, pointer: string): void {
  const attributes = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV;
  if (entry.type === "copy") addStep(context, "child", { op: "FILE_FD", path, mode: entry.mode, descriptor: entry.fd }, pointer);
  else if (entry.type === "data") addStep(context, "child", { op: "DATA_MOUNT", target: path, mode: entry.mode, descriptor: entry.fd, attributes: attributes | (entry.readonly ? MOUNT_ATTR.RDONLY : 0) }, pointer);
  else if (entry.type === "machineId") addStep(context, "child", { op: "DATA_MOUNT", target: path, mode: 0o444, descriptor: DATA_MACHINE_ID, attributes: attributes | MOUNT_ATTR.NOEXEC | MOUNT_ATTR.RDONLY }, pointer);
  else if (entry.type === "uuid") addStep(context, "child", { op: "UUID_FILE", path, mode: entry.mode }, pointer);
  else if (entry.type === "bind") bindInside(context, entry, path, pointer);
  else if (entry.type === "notify") addStep(context, "child", { op: "NOTIFY", path }, pointer);
  else if (entry.type === "replace") addStep(context, "child", { op: "REPLACE", path, content: entry.content, kind: entry.unlessLink ? REPLACE.UNLESS_LINK : REPLACE.FILE, ...maybe(entry) }, pointer);
  else if (entry.type === "remove") addStep(context, "child", { op: "REPLACE", path, content: "", kind: REPLACE.REMOVE, ...maybe(entry) }, pointer);
  else if (entry.type === "relink") addStep(context, "child", { op: "REPLACE", path, content: entry.target, kind: REPLACE.LINK, ...maybe(entry) }, pointer);
  else if (entry.type === "chmod") addStep(context, "child", { op: "CHMOD", path, mode: entry.mode }, pointer);
  else addStep(context, "child", { op: "ATTR", target: path, set: MOUNT_ATTR.RDONLY, clear: 0, propagation: 0, recursive: 0 }, pointer);
}

function bindInside(context: Context, entry: Extract<RootEntry, { type: "bind" }>, target: string, pointer: string): void {
  const flags = BIND.RECURSIVE | BIND.FROM_NEW_ROOT | BIND.CREATE | (entry.optional ? BIND.MISSING_OK : 0);
  const [set, clear] = entry.readonly ? [MOUNT_ATTR.RDONLY, 0] : [0, MOUNT_ATTR.RDONLY];
  addStep(context, "child", { op: "BIND", source: normalisePath(entry.source), target, set, clear, flags, propagation: MS.PRIVATE }, pointer);
}

function maybe({ optional }: { optional?: boolean }): { optional?: true } {
  return optional ? { optional: true } : {};
}

/** What of a root shall not be seen, and what of it shall not be written. */
function protectPaths(context: Context): void {
  const { maskedPaths = [], readonlyPaths = [] } = context.spec.linux ?? {};
  readonlyPaths.forEach((given, index) => {
    const path = normalisePath(given);
    const flags = BIND.RECURSIVE | BIND.FROM_NEW_ROOT | BIND.MISSING_OK;
    addStep(context, "child", { op: "BIND", source: path, target: path, set: MOUNT_ATTR.RDONLY, clear: 0, flags, propagation: 0 }, `/linux/readonlyPaths/${index}`);
  });
  // last, so that no bind of a folder above one of them shows it again
  maskedPaths.forEach((path, index) => addStep(context, "child", { op: context.extension.denyMasked ? "DENY" : "MASK", path: normalisePath(path) }, `/linux/maskedPaths/${index}`));
}

function finishRoot(context: Context): void {
  const { spec, extension } = context;
  makeCwd(context);
  const shared = spec.linux?.rootfsPropagation?.replace(/^r/, "");
  const propagation = shared === "shared" || shared === "unbindable" ? (PROPAGATIONS[shared] as number) : 0;
  const set = spec.root?.readonly ? MOUNT_ATTR.RDONLY : 0;
  if (set || propagation) addStep(context, "child", { op: "ATTR", target: "/", set, clear: 0, propagation, recursive: 0 }, set ? "/root/readonly" : "/linux/rootfsPropagation");
  if (!extension.chroot) addStep(context, "child", { op: "ROOT_DETACH" });
}

/** A working folder that nothing in the spec brings is made while the root can still be written. */
function makeCwd(context: Context): void {
  const { spec, extension } = context;
  const cwd = normalisePath(spec.process?.cwd ?? "/");
  const brought = [...(spec.mounts ?? []).map(({ destination }) => destination), ...(extension.overlay ?? []).map(({ destination }) => destination), ...(extension.files ?? []).map(({ path }) => path)];
  const made = brought.some((path) => normalisePath(path) !== "/" && isAbove(cwd, normalisePath(path))) || cwd === "/" || extension.cwdCandidates !== undefined;
  const within = (spec.mounts ?? []).some((mount) => mount.destination !== "/" && isAbove(normalisePath(mount.destination), cwd));
  if (!spec.process || made || within || extension.cwd) return;
  addStep(context, "child", { op: "CWD", path: cwd, create: CREATE.DIR }, "/process/cwd");
}

function compileChroot(context: Context): void {
  const { chroot } = context.extension;
  if (!chroot) return;
  const pointer = "/annotations/dev.brig.chroot";
  if (!chroot.held) return addStep(context, "child", { op: "CHROOT", path: chroot.path, skipChdir: chroot.skipChdir ? 1 : 0 }, pointer);
  const slot = takeSlot(context);
  addStep(context, "host", { op: "OPEN", slot, path: chroot.path, flags: O_PATH_DIRECTORY }, pointer);
  addStep(context, "child", { op: "FCHDIR", slot }, pointer);
  addStep(context, "child", { op: "CHROOT", path: ".", skipChdir: chroot.skipChdir ? 1 : 0 }, pointer);
}
