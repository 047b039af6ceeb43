import { lstatSync } from "node:fs";
import type { Device } from "../../spec/oci.js";
import { BIND, MS } from "../format.js";
import { addStep, type Context, leaveOut, refuse, takeSlot } from "./context.js";
import { normalisePath, type PlannedMount, preparesOnHost } from "./mounts.js";

const DEFAULT_NAMES = ["null", "zero", "full", "random", "urandom", "tty"];
const DEFAULT_NUMBERS: Record<string, [number, number]> = { null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9], tty: [5, 0] };
const DEFAULT_LINKS = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2" };
const TYPES = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 } as const;
const KEEP = 0xffffffff;

/** A device with its slot, where it was opened on the host's side. */
export interface PlannedDevice {
  device: Device;
  pointer: string;
  slot?: number;
}

/**
 * linux.devices, and those that OCI gives to every container (config-linux.md, "Default Devices") where the root is a
 * folder: a root that brig makes itself has what the spec names and nothing else.
 */
export function planDevices(context: Context, mounts: PlannedMount[]): PlannedDevice[] {
  const listed = (context.spec.linux?.devices ?? []).map((device, index): PlannedDevice => ({
    device: { ...device, path: normalisePath(device.path) },
    pointer: `/linux/devices/${index}`,
  }));
  if (!hasDefaultDevices(context, mounts)) return listed;
  const taken = new Set([...listed.map(({ device }) => device.path), ...mounts.map(({ destination }) => destination)]);
  const defaults = DEFAULT_NAMES.filter((name) => !taken.has(`/dev/${name}`)).map((name): PlannedDevice => {
    const [major, minor] = DEFAULT_NUMBERS[name] as [number, number];
    return { device: { type: "c", path: `/dev/${name}`, major, minor, fileMode: 0o666, uid: 0, gid: 0 }, pointer: "/linux/devices" };
  });
  return [...defaults, ...listed];
}

function hasDefaultDevices(context: Context, mounts: PlannedMount[]): boolean {
  if (!context.spec.root?.path || context.inPlace || context.extension.chroot) return false;
  return !mounts.some(({ destination, options }) => destination === "/dev" && options.bind);
}

/** mknod(2) of a device needs CAP_MKNOD on the host itself; a user namespace never has it. */
function mayMakeNodes(context: Context): boolean {
  return context.namespaces.user === "host" && context.host.capabilities.has("CAP_MKNOD");
}

export function hasNodes(context: Context, devices: PlannedDevice[]): boolean {
  return mayMakeNodes(context) && devices.some(({ device }) => device.type !== "p");
}

export function prepareDevices(context: Context, devices: PlannedDevice[]): void {
  if (!preparesOnHost(context)) return;
  for (const planned of devices) {
    if (planned.device.type === "p") continue;
    const slot = (planned.slot = takeSlot(context));
    addStep(context, "host", { op: "OPEN_TREE", slot, path: planned.device.path, recursive: 0, nofollow: 1 }, planned.pointer);
    addStep(context, "host", { op: "MOUNT_ATTR", slot, set: 0, clear: 0, propagation: MS.PRIVATE, recursive: 0 }, planned.pointer);
  }
}

export function attachDevices(context: Context, devices: PlannedDevice[], mounts: PlannedMount[]): void {
  for (const planned of devices) attachDevice(context, planned);
  if (!hasDefaultDevices(context, mounts)) return;
  const made = new Set((context.extension.files ?? []).map(({ path }) => path));
  const links: Record<string, string> = { ...DEFAULT_LINKS };
  if (mounts.some(({ destination, mount }) => destination === "/dev/pts" && mount.type === "devpts")) links["ptmx"] = "pts/ptmx";
  // a root may have them: they are a convenience, and no wall
  for (const [name, target] of Object.entries(links))
    if (!made.has(`/dev/${name}`)) addStep(context, "child", { op: "SYMLINK", target, path: `/dev/${name}`, optional: true }, "/linux/devices");
}

function attachDevice(context: Context, { device, pointer, slot }: PlannedDevice): void {
  const { path, type, fileMode = 0o666, uid = KEEP, gid = KEEP } = device;
  if (type === "p" || mayMakeNodes(context))
    return addStep(context, "child", { op: "NODE", path, mode: TYPES[type] | fileMode, major: device.major ?? 0, minor: device.minor ?? 0, uid, gid }, pointer);
  checkHostNode(context, device, pointer);
  if (slot !== undefined) return addStep(context, "child", { op: "MOUNT", slot, target: path, create: 2 }, pointer);
  addStep(context, "child", { op: "BIND", source: path, target: path, set: 0, clear: 0, flags: BIND.CREATE | BIND.NOFOLLOW, propagation: MS.PRIVATE }, pointer);
}

/** A bind shows the host's node: it must be the device that is asked for. */
function checkHostNode(context: Context, device: Device, pointer: string): void {
  const stat = lstatSync(device.path, { throwIfNoEntry: false });
  const [major, minor] = stat ? splitDevice(stat.rdev) : [];
  const fits = stat && (device.type === "b" ? stat.isBlockDevice() : stat.isCharacterDevice());
  if (!fits || (device.major !== undefined && (device.major !== major || device.minor !== minor)))
    throw refuse(context.extension, pointer, "BRIG_CANNOT_MAKE_DEVICE", `${device.path} is not on this host as ${device.type} ${device.major ?? "?"}:${device.minor ?? "?"}, and a user namespace cannot make it`, "run it without a user namespace, or make the node on the host");
  if (pointer !== "/linux/devices" && (device.fileMode !== undefined || device.uid !== undefined || device.gid !== undefined) && (stat.mode & 0o777) !== (device.fileMode ?? stat.mode & 0o777))
    leaveOut(context, `${device.path} keeps the mode that it has on the host, 0${(stat.mode & 0o777).toString(8)}`);
}

/** As glibc's major(3) and minor(3). */
function splitDevice(device: number): [major: number, minor: number] {
  const high = Math.floor(device / 2 ** 32);
  const low = device >>> 0;
  return [((low >>> 8) & 0xfff) | (high & 0xfffff000), (low & 0xff) | ((low >>> 12) & 0xffffff00)];
}
