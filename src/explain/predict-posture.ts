import { LANDLOCK_ABIS } from "../host/landlock.js";
import { compileSeccomp } from "../plan/seccomp/compile.js";
import { type Extension, type NetworkFilter, readExtension } from "../spec/extension.js";
import type { Namespace, Resources, Spec } from "../spec/oci.js";
import { withDisplay } from "./explain-display.js";
import { predictReach, SpecView } from "./predict-reach.js";
import { type IdentityPosture, isHarmlessDevice, mapOutside, NAMESPACE_KINDS, type NamespaceKind, type NamespacePosture, type Posture } from "./posture.js";
import { findDevices, findSockets } from "./find-exposed.js";

/** What cannot be read out of a spec. */
export interface SpecNote {
  /** What the caller is, where the spec makes no user namespace. Default: this process. */
  uid?: number;
  gid?: number;
  /** Landlock ABI of the host; 0 makes an optional Landlock none. */
  landlockAbi?: number | undefined;
  /** dev.tty.legacy_tiocsti is not 0. Default true. */
  injectable?: boolean;
  /** JSON pointers of defaults that the host cannot hold to: `unset` of the plan's note. */
  unset?: readonly string[] | undefined;
}

const OCI_NAMES: Record<NamespaceKind, Namespace["type"]> = { user: "user", pid: "pid", mnt: "mount", net: "network", ipc: "ipc", uts: "uts", cgroup: "cgroup", time: "time" };

/** The posture that a process started from this spec would have. */
export function predictPosture(spec: Spec, note: SpecNote = {}): Posture {
  const extension = readExtension(spec);
  const namespaces = predictNamespaces(spec);
  const sets = spec.process?.capabilities ?? {};
  const view = new SpecView(spec, extension);
  return {
    command: spec.process?.args ?? [],
    comparedWith: "plan",
    root: predictRoot(spec, extension, namespaces),
    namespaces,
    identity: predictIdentity(spec, namespaces.user, note),
    capabilities: { inheritable: sets.inheritable ?? [], permitted: sets.permitted ?? [], effective: sets.effective ?? [], bounding: sets.bounding ?? [], ambient: sets.ambient ?? [] },
    noNewPrivileges: spec.process?.noNewPrivileges === true,
    seccomp: predictSeccomp(spec),
    landlock: describeLandlock(extension.landlock, note.landlockAbi),
    limits: predictLimits(spec, note.unset),
    ...predictReach(view),
    devices: predictDevices(spec, view),
    sockets: withDisplay(findSockets(view), extension.display),
    descriptors: (extension.keepFds ?? []).map((fd) => ({ fd, target: "kept from the caller", folder: false, writable: true })),
    interfaces: predictInterfaces(namespaces.net, extension),
    terminal: predictTerminal(extension, note.injectable ?? true),
    notes: extension.notes ?? [],
  };
}

/** A filter that cannot be compiled cannot be launched either: its error is the answer. */
export function predictSeccomp(spec: Spec): Posture["seccomp"] {
  const seccomp = spec.linux?.seccomp;
  return seccomp ? { mode: "filter", filters: 1, allowed: compileSeccomp(seccomp).allowed } : { mode: "none" };
}

function predictNamespaces(spec: Spec): Record<NamespaceKind, NamespacePosture> {
  const find = (kind: NamespaceKind): NamespacePosture => {
    const namespace = spec.linux?.namespaces?.find((entry) => entry.type === OCI_NAMES[kind]);
    if (!namespace) return { state: "shared" };
    return namespace.path === undefined ? { state: "own" } : { state: "joined", id: namespace.path };
  };
  return Object.fromEntries(NAMESPACE_KINDS.map((kind) => [kind, find(kind)])) as Record<NamespaceKind, NamespacePosture>;
}

function predictRoot(spec: Spec, extension: Extension, namespaces: Record<NamespaceKind, NamespacePosture>): Posture["root"] {
  if (extension.chroot) return "chroot";
  const hasRoot = spec.root !== undefined && spec.root.path !== "/";
  return namespaces.mnt.state === "shared" ? (hasRoot ? "chroot" : "host") : "own";
}

function predictIdentity(spec: Spec, user: NamespacePosture, note: SpecNote): IdentityPosture {
  const { uidMappings: uidMap = [], gidMappings: gidMap = [] } = spec.linux ?? {};
  const insideUid = spec.process?.user?.uid ?? note.uid ?? process.getuid?.() ?? 0;
  const insideGid = spec.process?.user?.gid ?? note.gid ?? process.getgid?.() ?? 0;
  const groups = spec.process?.user?.additionalGids ?? [];
  if (user.state !== "own") return { outsideUid: insideUid, outsideGid: insideGid, insideUid, groups, uidMap: [], gidMap: [] };
  return { outsideUid: mapOutside(insideUid, uidMap), outsideGid: mapOutside(insideGid, gidMap), insideUid, groups, uidMap, gidMap };
}

/** The rules in a few words, and those that the host's ABI is too old for (undefined: not known). */
export function describeLandlock(landlock: Extension["landlock"], abi: number | undefined): Posture["landlock"] {
  if (!landlock || (landlock.optional && abi === 0)) return { state: "none" };
  const count = (verb: string, list: unknown[] | undefined, what: string): string[] => (list ? [`${verb} ${list.length === 0 ? "no" : list.length} ${what}${list.length === 1 ? "" : "s"}`] : []);
  const parts = [
    ...count("reads", landlock.read, "path"),
    ...count("writes", landlock.write, "path"),
    ...count("executes", landlock.execute, "path"),
    ...count("listens on", landlock.bindTcp, "TCP port"),
    ...count("connects to", landlock.connectTcp, "TCP port"),
    ...(landlock.scopes?.length ? [`inside stay ${landlock.scopes.map((scope) => `${scope.replaceAll("-", " ")}s`).join(" and ")}`] : []),
  ];
  const lacking = LANDLOCK_ABIS.filter((entry) => abi !== undefined && entry.abi > abi && isAsked(landlock, entry.abi));
  const unheld = lacking.length > 0 ? `; this kernel's ABI ${abi} does not hold it to: ${lacking.map((entry) => entry.adds).join("; ")}` : "";
  return { state: "restricted", what: parts.join(", ") + unheld };
}

/** Whether rules have to do with what an ABI adds. */
function isAsked(landlock: NonNullable<Extension["landlock"]>, abi: number): boolean {
  if (abi === 4) return landlock.bindTcp !== undefined || landlock.connectTcp !== undefined;
  if (abi === 6) return (landlock.scopes?.length ?? 0) > 0;
  return abi <= 5 && landlock.write !== undefined;
}

/** -1 and 0 are no limit. */
function predictLimits(spec: Spec, unset: readonly string[] = []): Posture["limits"] {
  const isSet = (name: string): boolean => !unset.some((pointer) => pointer.split("/")[3] === name);
  const resources = Object.entries(spec.linux?.resources ?? {}).filter(([name]) => isSet(name));
  const { memory, pids, cpu, unified = {} }: Resources = Object.fromEntries(resources);
  const some = (value: number | undefined): number | undefined => (value !== undefined && value > 0 ? value : undefined);
  const [quota, period] = (unified["cpu.max"] ?? "").split(" ").map(Number);
  const cpus = some(cpu?.quota) === undefined ? quota && quota / (period || 100_000) : (cpu?.quota ?? 0) / (cpu?.period ?? 100_000);
  return { memory: some(memory?.limit) ?? some(Number(unified["memory.max"])), pids: some(pids?.limit) ?? some(Number(unified["pids.max"])), cpus: some(cpus) };
}

function predictDevices(spec: Spec, view: SpecView): string[] {
  const made = (spec.linux?.devices ?? []).filter((device) => device.type !== "p").map((device) => device.path);
  const bound = view.binds.filter((bind) => bind.source === "/dev" || bind.source.startsWith("/dev/")).map((bind) => bind.destination);
  return [...new Set([...made, ...bound, ...findDevices(view)])].filter((path) => !isHarmlessDevice(path) && !path.startsWith("/dev/shm"));
}

/** What stands in an interface's place: sockets that no list of interfaces shows. */
export function describeGateway({ allow }: NetworkFilter): string {
  return `brig's gateway to ${allow.length > 0 ? allow.join(" ") : "nothing"}`;
}

function predictInterfaces(net: NamespacePosture, extension: Extension): string[] | undefined {
  if (net.state !== "own") return undefined;
  const { mode = "none", filter } = extension.network ?? {};
  if (mode === "none" || mode === "host") return ["lo"];
  if (filter) return ["lo", describeGateway(filter)];
  return ["lo", mode === "user" ? "a tap through pasta" : `a ${mode} link`];
}

function predictTerminal(extension: Extension, injectable: boolean): Posture["terminal"] {
  const { terminal = "never" } = extension;
  return { state: terminal === "plain" ? "shared" : terminal === "never" ? "none" : "own", injectable };
}
