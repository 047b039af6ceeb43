import { totalmem } from "node:os";
import type { RootEntry } from "../../spec/extension.js";
import type { Device, Mount } from "../../spec/oci.js";
import type { NspawnContext } from "./context.js";
import type { Tree } from "./root.js";
import type { Users } from "./users.js";

/** What stands in a machine's root besides its own files. */
export interface Furniture {
  mounts: Mount[];
  files: RootEntry[];
  devices: Device[];
  maskedPaths: string[];
  /** What comes behind that many mounts, which are all. */
  finish(after: number): RootEntry[];
}

/** What decides about it. */
export interface FurnitureWish {
  users: Users;
  /** It does not have the host's network; and it is the machine's own, made with it. */
  privateNetwork: boolean;
  ownsNetwork: boolean;
  cgroups: "unified" | "legacy" | "none";
  console: boolean;
  uuid: string;
  tree: Tree;
}

export const NOTIFY = "/run/host/notify";
const BOOT_ID = "/run/host/.boot-id";
/** What of /proc changes the host. */
const READONLY = ["/proc/sys", "/proc/acpi", "/proc/apm", "/proc/bus", "/proc/fs", "/proc/irq"];
/** What of it speaks of the host. */
const MASKED = ["/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/kmsg", "/proc/scsi", "/proc/asound", "/sys/firmware"];
const HARMLESS: [name: string, minor: number][] = [["null", 3], ["zero", 5], ["full", 7], ["random", 8], ["urandom", 9]];

/** /proc, /sys, /dev, /run and /tmp as systemd-nspawn(1) furnishes a machine, with what tells it where it is. */
export function furnish(wish: FurnitureWish, context: NspawnContext): Furniture {
  const mounts: Mount[] = [
    tmpfs("/tmp", ["nosuid", "nodev", "mode=01777", size(10), "nr_inodes=400k"]),
    ...mountSys(wish, context),
    tmpfs("/dev", ["nosuid", "mode=0755", "size=4m", "nr_inodes=64k"]),
    tmpfs("/dev/shm", ["nosuid", "nodev", "mode=01777", size(10), "nr_inodes=400k"]),
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...(hasGroup(wish.users, 5) ? ["gid=5"] : [])] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "nodev", "noexec"] },
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] },
    tmpfs("/run", ["nosuid", "nodev", "mode=0755", size(20), "nr_inodes=800k"]),
    tmpfs("/run/host", ["nosuid", "nodev", "noexec", "mode=0755", "size=4m"]),
    ...mountCgroups(wish),
  ];
  const inner: Mount[] = [];
  if (context.read("/etc/os-release") !== undefined) inner.push({ destination: "/run/host/os-release", type: "bind", source: "/etc/os-release", options: ["bind", "ro", "nosuid", "nodev", "noexec"] });
  return { mounts: [...mounts, ...inner], files: listFiles(wish), finish: (after) => finish(wish, after), devices: listDevices(), maskedPaths: MASKED };
}

function tmpfs(destination: string, options: string[]): Mount {
  return { destination, type: "tmpfs", source: "tmpfs", options };
}

/** A share of the host's memory, in percent. */
function size(percent: number): string {
  return `size=${Math.floor((totalmem() * percent) / 100 / 4096) * 4096}`;
}

function hasGroup({ mappings }: Users, gid: number): boolean {
  return mappings === undefined || mappings.gids.some(({ containerID, size: count }) => gid >= containerID && gid < containerID + count);
}

/** A sysfs of its own shows its own network; without one, in a user namespace, only the host's can be shown. */
function mountSys({ users, ownsNetwork }: FurnitureWish, { host }: NspawnContext): Mount[] {
  if (ownsNetwork || !users.mappings) return [{ destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro", "nosuid", "nodev", "noexec"] }];
  // what is mounted below it, only root may leave out
  if (host.euid !== 0) return [{ destination: "/sys", type: "bind", source: "/sys", options: ["rbind", "rro", "nosuid", "nodev", "noexec"] }];
  return [{ destination: "/sys", type: "bind", source: "/sys", options: ["bind", "ro", "nosuid", "nodev", "noexec"] }];
}

function mountCgroups({ cgroups }: FurnitureWish): Mount[] {
  const options = ["nosuid", "nodev", "noexec"];
  if (cgroups === "unified") return [{ destination: "/sys/fs/cgroup", type: "cgroup2", source: "cgroup", options }];
  if (cgroups === "none") return [];
  return [
    tmpfs("/sys/fs/cgroup", [...options, "mode=0755", "size=4m", "nr_inodes=1k"]),
    { destination: "/sys/fs/cgroup/systemd", type: "cgroup", source: "cgroup", options: [...options, "name=systemd"] },
  ];
}

function listFiles({ console, uuid }: FurnitureWish): RootEntry[] {
  const links: Record<string, string> = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2", core: "/proc/kcore", ptmx: "pts/ptmx" };
  if (console) links["console"] = "pts/0";
  return [
    ...Object.entries(links).map(([name, target]): RootEntry => ({ type: "symlink", path: `/dev/${name}`, target })),
    { type: "file", path: "/run/host/container-manager", mode: 0o444, content: "systemd-nspawn\n" },
    { type: "file", path: "/run/host/container-uuid", mode: 0o444, content: `${uuid}\n` },
    { type: "dir", path: "/run/host/incoming", mode: 0o700 },
    { type: "notify", path: NOTIFY },
  ];
}

/** Behind all mounts: what is shown at other places, and what becomes read-only. */
function finish({ privateNetwork, cgroups }: FurnitureWish, after: number): RootEntry[] {
  const bind = (path: string, source: string, readonly: boolean): RootEntry => ({ type: "bind", path, source, optional: true, after, ...(readonly ? { readonly } : {}) });
  return [
    { type: "uuid", path: BOOT_ID, mode: 0o444, after },
    ...READONLY.map((path) => bind(path, path, true)),
    ...(privateNetwork ? [bind("/proc/sys/net", "/proc/sys/net", false)] : []),
    bind("/proc/sys/kernel/random/boot_id", BOOT_ID, true),
    ...(cgroups === "legacy" ? [{ type: "readonly" as const, path: "/sys/fs/cgroup", after }] : []),
    { type: "readonly", path: "/run/host", after },
  ];
}

function listDevices(): Device[] {
  const devices: Device[] = HARMLESS.map(([name, minor]) => ({ type: "c", path: `/dev/${name}`, major: 1, minor, fileMode: 0o666, uid: 0, gid: 0 }));
  devices.push({ type: "c", path: "/dev/tty", major: 5, minor: 0, fileMode: 0o666, uid: 0, gid: 0 });
  return devices;
}
