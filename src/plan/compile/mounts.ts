import { posix } from "node:path";
import { DISPLAY_COOKIES, DISPLAY_SOCKETS } from "../../spec/extension.js";
import type { Mount } from "../../spec/oci.js";
import { BIND, CREATE, MS } from "../format.js";
import { compileCgroupMount } from "./cgroup-mount.js";
import { addStep, type Context, refuse, takeSlot } from "./context.js";
import { isMapped } from "./identity.js";
import { layLayers } from "./layers.js";
import { type MountOptions, parseMountOptions } from "./mount-options.js";
import { isNew } from "./namespaces.js";

const MNT_DETACH = 2;

/** A mount with what the compiler found out about it. */
export interface PlannedMount {
  mount: Mount;
  pointer: string;
  destination: string;
  options: MountOptions;
  /** Steps that have to come before the new root, where the host's paths are still in reach; then it is in this slot. */
  slot?: number;
}

export function planMounts(context: Context): PlannedMount[] {
  return (context.spec.mounts ?? []).map((mount, index) => {
    const pointer = `/mounts/${index}`;
    const destination = normalisePath(mount.destination);
    return { mount, pointer, destination, options: parseMountOptions(mount, context.extension, pointer) };
  });
}

/** Without "." and double slashes, and without a slash at the end; the launcher keeps ".." and links in the root. */
export function normalisePath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/**
 * Binds are prepared on the host's side when this is root with a user namespace: whose root cannot go where the
 * host's root can.
 */
export function preparesOnHost(context: Context): boolean {
  return !context.inPlace && !context.extension.bindsInside && isNew(context, "user") && context.host.capabilities.has("CAP_SYS_ADMIN");
}

/** What has to be opened before the new root is in place. */
export function prepareMount(context: Context, planned: PlannedMount): void {
  const { options, mount } = planned;
  if (options.bind) prepareBind(context, planned);
  else if (mount.type === "overlay" || (mount.source?.startsWith("/") && mount.type !== "tmpfs")) prepareFileSystem(context, planned);
}

function prepareBind(context: Context, planned: PlannedMount): void {
  const { options, mount, pointer } = planned;
  if (!mount.source) throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `the bind mount ${mount.destination} has no source`, "give it a source");
  if (options.data.length > 0) throw refuse(context.extension, pointer, "BRIG_CANNOT_MOUNT", `a bind mount has no option ${options.data[0]}`, "leave the option out");
  if (options.idmap) checkIdmap(context, planned);
  const early = preparesOnHost(context) || options.idmap;
  // behind chroot(2) the source would be looked up in the new root
  if (!early && !isOwnFolder(mount) && !context.extension.chroot) return;
  const phase = early ? "host" : "child";
  const slot = (planned.slot = takeSlot(context));
  addStep(context, phase, { op: "OPEN_TREE", slot, path: mount.source, recursive: options.recursive ? 1 : 0, nofollow: 0 }, pointer);
  const propagation = choosePropagation(options);
  addStep(context, phase, { op: "MOUNT_ATTR", slot, set: options.set, clear: options.clear, propagation, recursive: options.recursive ? 1 : 0 }, pointer);
  if (options.idmap) addStep(context, "parent", { op: "IDMAP", slot, namespace: 0xffffffff }, pointer);
}

/** A display server's folders are found from the launcher's working folder, which it leaves with the old root. */
function isOwnFolder({ source }: Mount): boolean {
  return source === DISPLAY_SOCKETS || source === DISPLAY_COOKIES;
}

/** Private unless said otherwise: what the host mounts there later shall not appear inside. */
export function choosePropagation(options: MountOptions): number {
  return options.propagation || MS.PRIVATE;
}

/** mount_setattr(2): only with CAP_SYS_ADMIN over the file system's owner, which is the host; Linux 5.12. */
function checkIdmap(context: Context, planned: PlannedMount): void {
  const { extension, host, spec } = context;
  const fail = (why: string, hint: string): Error =>
    refuse(extension, planned.pointer, "BRIG_CANNOT_IDMAP", `${planned.mount.source} cannot be bound with mapped ids: ${why}`, hint);
  if (!isNew(context, "user")) throw fail("the sandbox has no user namespace of its own", "leave out idmap, or give linux.uidMappings");
  if (!preparesOnHost(context)) throw fail("only root may do that", "run as root, or leave out idmap");
  const [major, minor] = host.kernel;
  if (major < 5 || (major === 5 && minor < 12)) throw fail(`Linux ${major}.${minor} lacks it (5.12)`, "leave out idmap, or use a newer kernel");
  if (planned.options.recursive && !planned.options.idmapRecursive && planned.mount.options?.includes("idmap"))
    throw fail("with rbind every mount below would be mapped too", "say ridmap, or bind in place of rbind");
  for (const [mine, whole] of [[planned.mount.uidMappings, spec.linux?.uidMappings], [planned.mount.gidMappings, spec.linux?.gidMappings]])
    if (mine && JSON.stringify(mine) !== JSON.stringify(whole)) throw fail("its mapping is another than the sandbox's own", "give it the mapping of linux.uidMappings and linux.gidMappings");
}

/** Overlays and the file systems of devices name paths of the host. */
function prepareFileSystem(context: Context, planned: PlannedMount): void {
  const { mount, options, pointer } = planned;
  const slot = (planned.slot = takeSlot(context));
  const source = mount.source && mount.source !== mount.type && mount.type !== "overlay" ? [`source=${mount.source}`] : [];
  const place = context.extension.overlayOnTmpfs?.find((one) => `/mounts/${one.mount}` === pointer)?.place;
  if (place !== undefined) options.data.push(...coverPlace(context, place, pointer));
  const layered = context.extension.layeredOverlays?.find((one) => `/mounts/${one.mount}` === pointer);
  if (layered) options.data.push(...layLayers(context, layered, pointer));
  const extra = mount.type === "overlay" && needsUserXattr(context) && !options.data.includes("userxattr") ? ["userxattr"] : [];
  addStep(context, "child", { op: "FS_MOUNT", slot, type: mount.type ?? "none", options: [...source, ...options.data, ...extra], attributes: options.set }, pointer);
  const covered = place ?? layered?.place;
  if (covered !== undefined) addStep(context, "child", { op: "UMOUNT_HOST", target: covered, flags: MNT_DETACH }, pointer);
}

/** A tmpfs on a folder of the host, in this mount namespace alone, with an overlay's upper side in it. */
function coverPlace(context: Context, place: string, pointer: string): string[] {
  addStep(context, "child", { op: "MOUNT_HOST", source: "tmpfs", target: place, type: "tmpfs", flags: 0, data: "mode=0755" }, pointer);
  for (const name of ["upper", "work"]) addStep(context, "child", { op: "MKDIR_HOST", path: `${place}/${name}`, mode: 0o755, existOk: 0 }, pointer);
  return [`upperdir=${place}/upper`, `workdir=${place}/work`];
}

/** In a user namespace an overlay cannot use trusted.* attributes (Linux 5.11). */
export function needsUserXattr(context: Context): boolean {
  return context.namespaces.user !== "host";
}

/** Attaches the mount at its place. */
export function attachMount(context: Context, planned: PlannedMount): void {
  const { mount, options, pointer, destination, slot } = planned;
  if (slot !== undefined) {
    addStep(context, "child", { op: "MOUNT", slot, target: destination, create: CREATE.SAME }, pointer);
    if (!options.bind && options.propagation) addPropagation(context, planned);
  } else if (options.bind) attachBind(context, planned);
  else if (mount.type === "cgroup" || mount.type === "cgroup2") compileCgroupMount(context, planned);
  else attachFileSystem(context, planned);
}

function attachBind(context: Context, planned: PlannedMount): void {
  const { options, pointer, destination, mount } = planned;
  const descriptor = findDescriptor(context, mount);
  if (descriptor !== undefined) return addStep(context, "child", { op: "BIND_FD", descriptor, target: destination, set: options.set, propagation: choosePropagation(options) }, pointer);
  const optional = context.extension.optionalBinds?.includes(Number(pointer.slice("/mounts/".length))) ? BIND.MISSING_OK : 0;
  const flags = (options.recursive ? BIND.RECURSIVE : 0) | (makesPlaces(context) ? BIND.CREATE : 0) | optional;
  addStep(context, "child", { op: "BIND", source: mount.source ?? "", target: destination, set: options.set, clear: options.clear, flags, propagation: choosePropagation(options) }, pointer);
}

/** A soft tool mounts on what is there, but for one that makes a root of its own. */
function makesPlaces({ extension, spec }: Context): boolean {
  return !extension.stateless || extension.rootTmpfs !== undefined || spec.mounts?.[0]?.destination === "/";
}

/** The caller's descriptor that a source stands for, where the front-end deals in descriptors. */
function findDescriptor({ extension }: Context, { source }: Mount): number | undefined {
  const found = extension.descriptors ? /^\/proc\/self\/fd\/(\d+)$/.exec(source ?? "") : null;
  return found ? Number(found[1]) : undefined;
}

function attachFileSystem(context: Context, planned: PlannedMount): void {
  const { mount, options, pointer, destination } = planned;
  if (!mount.type) throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `the mount ${mount.destination} has no type`, 'give it a type, or "bind" as an option');
  checkOwner(context, planned);
  // as the tools that are stood for name it, where mounts are listed
  const source = context.extension.stateless && mount.source ? [`source=${mount.source}`] : [];
  addStep(context, "child", { op: "FS", type: mount.type, target: destination, options: [...source, ...options.data], attributes: options.set, create: makesPlaces(context) ? CREATE.DIR : CREATE.NOTHING }, pointer);
  if (options.propagation) addPropagation(context, planned);
}

function addPropagation(context: Context, { destination, options, pointer }: PlannedMount): void {
  addStep(context, "child", { op: "ATTR", target: destination, set: 0, clear: 0, propagation: options.propagation, recursive: 0 }, pointer);
}

const OWNERS = { proc: "pid", sysfs: "network", mqueue: "ipc" } as const;

/**
 * These show a namespace, and the kernel lets only the one mount them that holds it: from inside of a new user
 * namespace that means that the namespace is new as well.
 */
function checkOwner(context: Context, { mount, pointer, options }: PlannedMount): void {
  const owner = OWNERS[mount.type as keyof typeof OWNERS];
  if (owner && isNew(context, "user") && context.namespaces[owner] === "host")
    throw refuse(context.extension, pointer, "BRIG_CANNOT_MOUNT", `a new ${mount.type} at ${mount.destination} needs a new ${owner} namespace`, `leave ${owner === "network" ? "net" : owner} out of --share, or bind the host's ${mount.type}`);
  for (const option of options.data) checkMappedOption(context, mount, option, pointer);
}

/** "gid=5" with an id that the sandbox does not have is EINVAL from the kernel, which says little. */
function checkMappedOption(context: Context, mount: Mount, option: string, pointer: string): void {
  const match = /^(uid|gid)=(\d+)$/.exec(option);
  const { identity } = context;
  if (!match || !isNew(context, "user") || identity.map === "none") return;
  if (isMapped(match[1] === "uid" ? identity.uids : identity.gids, Number(match[2]))) return;
  throw refuse(context.extension, pointer, "BRIG_CANNOT_MOUNT", `${mount.type} at ${mount.destination} wants ${option}, which the sandbox's user namespace does not map`, `leave ${option} out, or map it`);
}
