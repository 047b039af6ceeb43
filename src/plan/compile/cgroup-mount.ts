import { basename } from "node:path";
import { CREATE, MOUNT_ATTR } from "../format.js";
import { addStep, type Context, refuse } from "./context.js";
import type { PlannedMount } from "./mounts.js";

/**
 * OCI's mount of type "cgroup": the sandbox's view of every hierarchy of the host, in version 1 as folders by name in
 * a small tmpfs (config-linux.md, "Default Filesystems"). With a new cgroup namespace it begins at the sandbox's own
 * cgroup; without one it would show, and let write, the host's.
 */
export function compileCgroupMount(context: Context, planned: PlannedMount): void {
  const { host, namespaces, extension } = context;
  const { pointer, destination, options, mount } = planned;
  if (namespaces.cgroup === "host" && !(options.set & MOUNT_ATTR.RDONLY))
    throw refuse(extension, pointer, "BRIG_CANNOT_MOUNT", `${destination} would give the host's cgroups to the sandbox to write`, 'add {"type": "cgroup"} to linux.namespaces, or the option ro');
  if (namespaces.cgroup === "host" && namespaces.user !== "host")
    throw refuse(extension, pointer, "BRIG_CANNOT_MOUNT", `cgroups at ${destination} need a new cgroup namespace`, "leave cgroup out of --share");
  if (mount.type === "cgroup2" || host.cgroup.layout === "v2") return mountUnified(context, planned, destination);
  if (host.cgroup.layout === "none") throw refuse(extension, pointer, "BRIG_CANNOT_MOUNT", `this host has no cgroups to show at ${destination}`, "leave the mount out");
  mountOld(context, planned);
}

function mountUnified(context: Context, { options, pointer }: PlannedMount, target: string): void {
  addStep(context, "child", { op: "FS", type: "cgroup2", target, options: options.data, attributes: options.set, create: CREATE.DIR }, pointer);
}

function mountOld(context: Context, planned: PlannedMount): void {
  const { host } = context;
  const { destination: base, options, pointer } = planned;
  const tmpfs = options.set & ~MOUNT_ATTR.RDONLY;
  addStep(context, "child", { op: "FS", type: "tmpfs", target: base, options: ["mode=755"], attributes: tmpfs, create: CREATE.DIR }, pointer);
  const hierarchies = new Map<string, string[]>();
  for (const [name, { mount, version }] of Object.entries(host.cgroup.controllers))
    if (version === 1) hierarchies.set(mount, [...(hierarchies.get(mount) ?? []), name]);
  for (const [mount, names] of hierarchies)
    addStep(context, "child", { op: "FS", type: "cgroup", target: `${base}/${basename(mount)}`, options: names, attributes: options.set, create: CREATE.DIR }, pointer);
  if (host.cgroup.unified) mountUnified(context, { ...planned, options: { ...options, data: [] } }, `${base}/${basename(host.cgroup.unified.mount)}`);
  if (options.set & MOUNT_ATTR.RDONLY)
    addStep(context, "child", { op: "ATTR", target: base, set: MOUNT_ATTR.RDONLY, clear: 0, propagation: 0, recursive: 0 }, pointer);
}
