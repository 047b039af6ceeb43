import { join } from "node:path";
import { isBeneath, isWritableMount, type MountEntry, resolveMount } from "../host/mountinfo.js";
import { isHarmlessDevice, type Reach } from "./posture.js";

/** File systems of the kernel's own making; what they give away belongs to other walls. */
const KERNEL_TYPES = new Set(["devpts", "mqueue", "cgroup", "cgroup2", "sysfs", "securityfs", "tracefs", "debugfs", "bpf", "pstore", "fusectl", "configfs", "binfmt_misc", "hugetlbfs", "nsfs"]);

export interface ReachOfMounts {
  writable: Reach[];
  readable: Reach[];
}

/**
 * What of the host's files a process reaches through its mounts: those whose file system is mounted on the host as
 * well. A tmpfs or proc of its own is on a device that the host does not have mounted.
 */
export function findReach(mounts: readonly MountEntry[], host: readonly MountEntry[]): ReachOfMounts {
  const reach: ReachOfMounts = { writable: [], readable: [] };
  for (const mount of mounts) {
    if (resolveMount(mounts, mount.point) !== mount || isUninteresting(mount)) continue;
    if (!host.some((other) => other.device === mount.device)) continue;
    const entry = { path: mount.point, host: findHostPath(mount, host) };
    if (entry.host !== undefined && isHarmlessDevice(entry.host)) continue; // a mask made of /dev/null
    (isWritableMount(mount) ? reach.writable : reach.readable).push(entry);
  }
  return reach;
}

function isUninteresting(mount: MountEntry): boolean {
  return KERNEL_TYPES.has(mount.type) || isHarmlessDevice(mount.point);
}

/** Where what is mounted lies on the host. */
function findHostPath(mount: MountEntry, host: readonly MountEntry[]): string | undefined {
  const candidates = host.filter((other) => other.device === mount.device && isBeneath(mount.root, other.root));
  const best = candidates.findLast((other) => resolveMount(host, other.point) === other) ?? candidates.at(-1);
  if (!best) return undefined;
  const rest = best.root === "/" ? mount.root : mount.root.slice(best.root.length);
  return join(best.point, rest).replace(/(.)\/$/, "$1");
}

/** The same for a chroot: its folder need not be a mount, so the mount below decides. */
export function findReachOfChroot(folder: string, mounts: readonly MountEntry[], host: readonly MountEntry[]): ReachOfMounts {
  const reach = findReach(mounts, host);
  if (mounts.some((mount) => mount.point === "/")) return reach;
  const below = resolveMount(host, folder);
  const list = below && !isWritableMount(below) ? reach.readable : reach.writable;
  list.unshift({ path: "/", host: folder });
  return reach;
}
