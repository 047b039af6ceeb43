import { basename } from "node:path";
import type { CgroupHierarchy } from "../../host/cgroup-facts.js";
import { BIND, CREATE, MOUNT_ATTR, MS } from "../format.js";
import { addStep, type Context, refuse } from "./context.js";
import type { PlannedMount } from "./mounts.js";

/**
 * OCI's mount of type "cgroup": the sandbox's view of every hierarchy of the host, in version 1 as folders by name in
 * a small tmpfs (config-linux.md, "Default Filesystems"). With a new cgroup namespace it begins at the sandbox's own
 * cgroup. Without one only the caller's own cgroups are bound, to be read: a mount would show all of the host's.
 */
export function compileCgroupMount(context: Context, planned: PlannedMount): void {
  const { host, namespaces, extension } = context;
  const { pointer, destination, options, mount } = planned;
  if (namespaces.cgroup === "host" && !(options.set & MOUNT_ATTR.RDONLY))
    throw refuse(extension, pointer, "BRIG_CANNOT_MOUNT", `${destination} would give the host's cgroups to the sandbox to write`, 'add {"type": "cgroup"} to linux.namespaces, or the option ro');
  if (options.data.some((option) => option.startsWith("name="))) return mountNamed(context, planned);
  if (mount.type === "cgroup2" || host.cgroup.layout === "v2") return mountUnified(context, planned, destination);
  if (host.cgroup.layout === "none") throw refuse(extension, pointer, "BRIG_CANNOT_MOUNT", `this host has no cgroups to show at ${destination}`, "leave the mount out");
  mountOld(context, planned);
}

/** A version 1 hierarchy without controllers. */
function mountNamed(context: Context, { destination, options, pointer }: PlannedMount): void {
  addStep(context, "child", { op: "FS", type: "cgroup", target: destination, options: ["none", ...options.data], attributes: options.set, create: CREATE.DIR }, pointer);
}

function mountUnified(context: Context, planned: PlannedMount, target: string): void {
  const { options, pointer } = planned;
  if (context.namespaces.cgroup === "host" && context.host.cgroup.unified) return bindOwn(context, planned, target, context.host.cgroup.unified);
  addStep(context, "child", { op: "FS", type: "cgroup2", target, options: options.data, attributes: options.set, create: CREATE.DIR }, pointer);
}

function bindOwn(context: Context, { options, pointer }: PlannedMount, target: string, { folder }: CgroupHierarchy): void {
  const flags = BIND.RECURSIVE | BIND.CREATE;
  addStep(context, "child", { op: "BIND", source: folder, target, set: options.set, clear: 0, flags, propagation: MS.PRIVATE }, pointer);
}

function mountOld(context: Context, planned: PlannedMount): void {
  const { host } = context;
  const { destination: base, options, pointer } = planned;
  const tmpfs = options.set & ~MOUNT_ATTR.RDONLY;
  addStep(context, "child", { op: "FS", type: "tmpfs", target: base, options: ["mode=755"], attributes: tmpfs, create: CREATE.DIR }, pointer);
  const hierarchies = new Map<string, { names: string[]; hierarchy: CgroupHierarchy }>();
  for (const [name, controller] of Object.entries(host.cgroup.controllers))
    if (controller.version === 1) hierarchies.set(controller.mount, { names: [...(hierarchies.get(controller.mount)?.names ?? []), name], hierarchy: controller });
  for (const [mount, { names, hierarchy }] of hierarchies) {
    const target = `${base}/${basename(mount)}`;
    if (context.namespaces.cgroup === "host") bindOwn(context, planned, target, hierarchy);
    else addStep(context, "child", { op: "FS", type: "cgroup", target, options: names, attributes: options.set, create: CREATE.DIR }, pointer);
  }
  if (host.cgroup.unified) mountUnified(context, { ...planned, options: { ...options, data: [] } }, `${base}/${basename(host.cgroup.unified.mount)}`);
  if (options.set & MOUNT_ATTR.RDONLY)
    addStep(context, "child", { op: "ATTR", target: base, set: MOUNT_ATTR.RDONLY, clear: 0, propagation: 0, recursive: 0 }, pointer);
}
