import type { Extension } from "../../spec/extension.js";
import type { NamespaceType, Spec } from "../../spec/oci.js";
import { CLONE } from "../format.js";
import { addStep, attachesNetwork, type Context, refuse, takeSlot } from "./context.js";

/** What becomes of each namespace: the host's, a new one, or one that is joined. */
export type Namespaces = Record<NamespaceType, "host" | "new" | { path: string; pointer: string }>;

const O_RDONLY = 0;

export function readNamespaces(spec: Spec): Namespaces {
  const found: Namespaces = {
    pid: "host", network: "host", mount: "host", ipc: "host", uts: "host", user: "host", cgroup: "host", time: "host",
  };
  (spec.linux?.namespaces ?? []).forEach(({ type, path }, index) => {
    found[type] = path === undefined ? "new" : { path, pointer: `/linux/namespaces/${index}` };
  });
  return found;
}

export function isNew(context: Context, type: NamespaceType): boolean {
  return context.namespaces[type] === "new";
}

/** As nsenter(1) joins them: the mount namespace late, since paths are looked up in it. */
const JOIN_ORDER: NamespaceType[] = ["cgroup", "ipc", "uts", "network", "pid", "time", "mount"];
const NEW_ORDER: NamespaceType[] = ["user", "mount", "uts", "ipc", "network", "pid", "cgroup", "time"];

/** Joins what has a path, and sees that what is new is made: at the clone where that is possible. */
export function compileNamespaces(context: Context, entersCgroup: boolean): void {
  joinNamespaces(context);
  const late = listLate(context, entersCgroup);
  const fresh = NEW_ORDER.filter((type) => isNew(context, type) && !(type === "network" && makesNetworkApart(context)));
  context.plan.run.cloneFlags = flagsOf(fresh.filter((type) => !late.includes(type)));
  // an exec enters the new time namespace only when its offsets are written before
  const inside = fresh.filter((type) => late.includes(type));
  if (inside.length === 0) return;
  addStep(context, "child", { op: "UNSHARE", flags: flagsOf(inside) }, "/linux/namespaces");
}

/** Behind the id maps, which a fork would be too early for. In place only later children are in the pid namespace. */
export function compileFork(context: Context): void {
  const { pid, user } = context.namespaces;
  if (context.inPlace) return;
  const joined = typeof pid === "object" && joinsInside(context);
  const unshared = pid === "new" && typeof user === "object";
  if (joined || unshared) addStep(context, "child", { op: "FORK" }, typeof pid === "object" ? pid.pointer : "/linux/namespaces");
}

function flagsOf(types: NamespaceType[]): number {
  return types.reduce((flags, type) => flags + CLONE[type], 0);
}

/**
 * What is not made at the clone: everything when the launcher itself becomes the payload or a user namespace is
 * joined that shall own it; the cgroup namespace when its root shall be the sandbox's own cgroup, which the process
 * enters later; the time namespace when it has offsets, which are fixed as soon as a process is in it.
 */
function listLate(context: Context, entersCgroup: boolean): NamespaceType[] {
  if (context.inPlace || typeof context.namespaces.user === "object") return NEW_ORDER;
  const late: NamespaceType[] = [];
  if (entersCgroup) late.push("cgroup");
  if (context.spec.linux?.timeOffsets) late.push("time");
  return late;
}

/** Inside of a user namespace that is joined by its owner, who has no rights before. */
function joinsInside(context: Context): boolean {
  return typeof context.namespaces.user === "object" && !context.host.capabilities.has("CAP_SYS_ADMIN");
}

function joinNamespaces(context: Context): void {
  const { user } = context.namespaces;
  const userFirst = joinsInside(context);
  if (typeof user === "object" && userFirst) join(context, "child", "user", user);
  for (const type of JOIN_ORDER) {
    const namespace = context.namespaces[type];
    if (typeof namespace === "object") join(context, choosePhase(context, type, namespace.pointer), type, namespace);
  }
  if (typeof user !== "object" || userFirst) return;
  if (dropsGroupsOutside(context)) {
    const { euid, egid } = context.host;
    addStep(context, "child", { op: "IDS", uid: euid, gid: egid, groups: [], keepGroups: 0, keepCapabilities: 0 }, "/process/user");
  }
  join(context, "child", "user", user);
}

/** A user namespace may refuse setgroups(2) for good; who has the right outside lets go of his groups before. */
export function dropsGroupsOutside({ extension, host, namespaces, spec }: Context): boolean {
  const groups = spec.process?.user?.additionalGids;
  return extension.stateless === true && typeof namespaces.user === "object" && groups?.length === 0 && host.capabilities.has("CAP_SETGID");
}

/**
 * In the host's phase when the sandbox has a new user namespace, from whose inside nothing of the host's can be
 * joined; a pid namespace too, since only the children of who joins are in it.
 */
function choosePhase(context: Context, type: NamespaceType, pointer: string): "host" | "child" {
  if (context.inPlace || joinsInside(context)) return "child";
  if (!isNew(context, "user")) return type === "pid" ? "host" : "child";
  if (type !== "mount") return "host";
  throw refuse(context.extension, pointer, "BRIG_CANNOT_JOIN_MOUNTS", "a mount namespace cannot be joined together with a new user namespace", "leave the user namespace out, or join it by its path too");
}

function join(context: Context, phase: "host" | "child", type: NamespaceType, namespace: { path: string; pointer: string }): void {
  const slot = takeSlot(context);
  addStep(context, "host", { op: "OPEN", slot, path: namespace.path, flags: O_RDONLY }, namespace.pointer);
  addStep(context, phase, { op: "SETNS", slot, flags: CLONE[type] }, namespace.pointer);
}

const CLOCKS = ["monotonic", "boottime"];

/** time_namespaces(7): "monotonic 3600 0", written before any process is in the namespace. */
export function compileTimeOffsets(context: Context): void {
  const offsets = Object.entries(context.spec.linux?.timeOffsets ?? {});
  if (offsets.length === 0) return;
  const pointer = "/linux/timeOffsets";
  if (!isNew(context, "time"))
    throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", "clock offsets need a new time namespace", 'add {"type": "time"} to linux.namespaces');
  const lines = offsets.map(([clock, { secs = 0, nanosecs = 0 }]) => {
    if (!CLOCKS.includes(clock)) throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `a time namespace has no clock ${clock}`, `it has ${CLOCKS.join(" and ")}`);
    return `${clock} ${secs} ${nanosecs}\n`;
  });
  checkTimeEntry(context, pointer);
  addStep(context, "child", { op: "SELF_WRITE", file: "timens_offsets", content: lines.join("") }, pointer);
}

/** A process enters at its next fork or, since Linux 6.1, exec. */
function checkTimeEntry(context: Context, pointer: string): void {
  const [major, minor] = context.host.kernel;
  const forks = context.extension.init === true || isNew(context, "pid");
  if (forks || major > 6 || (major === 6 && minor >= 1)) return;
  throw refuse(context.extension, pointer, "BRIG_CANNOT_SET_CLOCKS", `Linux ${major}.${minor} enters a time namespace with offsets only by a fork`, "keep brig's init (--init)");
}

/** What is set inside of the new namespaces, before there is a new root: /proc/sys is the host's mount, seen from inside. */
export function compileNames(context: Context): void {
  const { spec, extension } = context;
  if (extension.loopback) {
    if (!isNew(context, "network"))
      throw refuse(extension, "/annotations/dev.brig.loopback", "BRIG_BAD_SPEC", "bringing the loopback link up needs a new network namespace", 'add {"type": "network"} to linux.namespaces');
  }
  if (makesNetworkApart(context)) addStep(context, "child", { op: "NETWORK_START", loopback: extension.loopback ? 1 : 0 }, "/linux/namespaces");
  else if (extension.loopback) {
    addStep(context, "child", { op: "LOOPBACK" }, "/annotations/dev.brig.loopback");
  }
  for (const name of ["hostname", "domainname"] as const) {
    const value = spec[name];
    if (value === undefined) continue;
    if (context.namespaces.uts === "host")
      throw refuse(extension, `/${name}`, "BRIG_BAD_SPEC", `a ${name} of its own needs a uts namespace`, "leave uts out of --share");
    addStep(context, "child", { op: name === "hostname" ? "HOSTNAME" : "DOMAINNAME", name: value }, `/${name}`);
  }
  compileSysctls(context);
}

/**
 * Whether the network namespace is made by a second process while the first one mounts, which takes a quarter off the
 * whole: when nothing before the payload wants to see it.
 */
function makesNetworkApart(context: Context): boolean {
  const { extension, spec } = context;
  if (!isNew(context, "network") || !isNew(context, "user") || !isNew(context, "mount") || context.inPlace) return false;
  const told = extension.descriptors?.info !== undefined || extension.descriptors?.status !== undefined;
  const seen = told || attachesNetwork(extension) || extension.persist?.length || spec.hooks || spec.linux?.sysctl;
  return !seen && !spec.mounts?.some(({ type }) => type === "sysfs");
}

/** Behind the mounts. */
export function compileNetworkJoin(context: Context): void {
  if (makesNetworkApart(context)) addStep(context, "child", { op: "NETWORK_JOIN" }, "/linux/namespaces");
}

/** Which namespace each sysctl belongs to; all others are the whole host's. */
function findSysctlOwner(extension: Extension, name: string): NamespaceType {
  const slashed = name.includes("/") ? name : name.replaceAll(".", "/");
  if (slashed.startsWith("net/")) return "network";
  if (/^kernel\/(msg\w*|sem\w*|shm\w*|auto_msgmni)$/.test(slashed) || slashed.startsWith("fs/mqueue/")) return "ipc";
  if (slashed === "kernel/hostname" || slashed === "kernel/domainname") return "uts";
  throw refuse(extension, sysctlPointer(name), "BRIG_CANNOT_SYSCTL", `the sysctl ${name} belongs to no namespace: setting it would change the host`, "set it on the host with sysctl(8)");
}

function compileSysctls(context: Context): void {
  for (const [name, value] of Object.entries(context.spec.linux?.sysctl ?? {})) {
    if (name.includes("..") || name.startsWith("/") || value === "")
      throw refuse(context.extension, sysctlPointer(name), "BRIG_BAD_SPEC", `${name}=${value} is no sysctl`, "names are like net.ipv4.ip_forward");
    const owner = findSysctlOwner(context.extension, name);
    if (context.namespaces[owner] === "host")
      throw refuse(context.extension, sysctlPointer(name), "BRIG_CANNOT_SYSCTL", `the sysctl ${name} would change the host: the sandbox shares its ${owner} namespace`, `leave ${owner} out of --share`);
    addStep(context, "child", { op: "SYSCTL", name, value }, sysctlPointer(name));
  }
}

function sysctlPointer(name: string): string {
  return `/linux/sysctl/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
