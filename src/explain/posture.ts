import type { IdMapping } from "../spec/oci.js";

export type NamespaceKind = "user" | "pid" | "mnt" | "net" | "ipc" | "uts" | "cgroup" | "time";

export const NAMESPACE_KINDS: readonly NamespaceKind[] = ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup", "time"];

export interface NamespacePosture {
  /** "joined": another one than the host's, but not made for this sandbox alone (a plan's path). */
  state: "own" | "shared" | "joined" | "unknown";
  /** "net:[4026531840]", or the path that is joined. */
  id?: string;
}

/** Numbers as the host sees them, and as the process does. */
export interface IdentityPosture {
  outsideUid: number | undefined;
  outsideGid: number | undefined;
  insideUid: number | undefined;
  /** Supplementary groups, as the host sees them. */
  groups: number[];
  uidMap: IdMapping[];
  gidMap: IdMapping[];
}

export type CapabilitySet = "inheritable" | "permitted" | "effective" | "bounding" | "ambient";

/** Something of the host's that can be reached inside. */
export interface Reach {
  /** Where it is seen inside. */
  path: string;
  /** Where it lies on the host, when that can be told. */
  host: string | undefined;
}

/** An open descriptor that leads outside. */
export interface Descriptor {
  fd: number;
  target: string;
  folder: boolean;
  writable: boolean;
}

/** A socket of the host's whose owner does things for its clients. */
export interface KnownSocket {
  path: string;
  what: string;
  /** It does less for this sandbox than for others. */
  narrow?: true;
}

/** Everything that separates a process from its host: read from a running one, or foretold from a spec. */
export interface Posture {
  pid?: number;
  command: string[];
  /** What the namespaces were held against: pid 1, the caller (when pid 1 cannot be read), or nothing yet. */
  comparedWith: "pid 1" | "caller" | "plan";
  /** "host": the host's own. "chroot": another folder, in the host's mount namespace. "own": a root of its own. */
  root: "host" | "chroot" | "own" | "unknown";
  namespaces: Record<NamespaceKind, NamespacePosture>;
  identity: IdentityPosture;
  capabilities: Record<CapabilitySet, string[]>;
  noNewPrivileges: boolean;
  /** `allowed`: system calls that are let through, where the filter is known. */
  seccomp: { mode: "none" | "strict" | "filter"; filters?: number; allowed?: number };
  landlock: { state: "unknown" | "none" | "restricted"; what?: string };
  /** Memory in bytes, processors in whole ones; undefined is no limit. */
  limits: { memory: number | undefined; pids: number | undefined; cpus: number | undefined };
  /** These and what follows are undefined when the process does not let them be read. */
  writable: Reach[] | undefined;
  readable: Reach[] | undefined;
  /** Device nodes beyond the harmless ones. */
  devices: string[] | undefined;
  sockets: KnownSocket[] | undefined;
  descriptors: Descriptor[] | undefined;
  /** Network interfaces. */
  interfaces: string[] | undefined;
  terminal: { state: "none" | "own" | "shared"; injectable: boolean };
  /** What could not be looked at, and why. */
  notes: string[];
}

/** An id as the host sees it; undefined where the map has no place for it. */
export function mapOutside(id: number, map: readonly IdMapping[]): number | undefined {
  const range = map.find((entry) => id >= entry.containerID && id < entry.containerID + entry.size);
  return range && id - range.containerID + range.hostID;
}

/** The reverse: a host's id as it is inside. */
export function mapInside(id: number, map: readonly IdMapping[]): number | undefined {
  return mapOutside(id, map.map(({ containerID, hostID, size }) => ({ containerID: hostID, hostID: containerID, size })));
}

/** Nodes that give a payload nothing of the host: no data, no memory, no hardware. */
export const HARMLESS_DEVICES: ReadonlySet<string> = new Set(
  ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "console", "pts/ptmx"].map((name) => `/dev/${name}`),
);

export function isHarmlessDevice(path: string): boolean {
  return HARMLESS_DEVICES.has(path) || /^\/dev\/pts\/\d+$/.test(path);
}
