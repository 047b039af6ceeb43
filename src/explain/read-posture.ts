import { readlinkSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { decodeCapabilities } from "../host/capabilities.js";
import { readHostFacts } from "../host/facts.js";
import { isAtLeast } from "../host/landlock.js";
import { type MountEntry, parseMountinfo } from "../host/mountinfo.js";
import { readText } from "../host/read-text.js";
import { parseNumbers, parseStatusFields } from "../host/status-fields.js";
import type { IdMapping } from "../spec/oci.js";
import { findAbstractSockets, findAgent, findDevices, findSockets } from "./find-exposed.js";
import { type IdentityPosture, mapInside, type Posture } from "./posture.js";
import { readLeadingOut } from "./read-descriptors.js";
import { readLimits, readProcessLimit } from "./read-limits.js";
import { findReference, readNamespaces, readRoot, type Reference } from "./read-namespaces.js";
import { findReach, findReachOfChroot, type ReachOfMounts } from "./read-reach.js";
import { readStartTime } from "./read-start-time.js";
import { readTerminal } from "./read-terminal.js";
import { RootView } from "./view-of-root.js";

const PROC = "/proc/";

/**
 * What separates a running process from this host, out of /proc (proc(5)).
 * @throws BrigError BRIG_NO_PROCESS when there is none, it ended meanwhile, or it is a zombie or a kernel thread.
 */
export function readPosture(pid: number): Posture {
  const folder = `${PROC}${pid}`;
  const start = Number.isSafeInteger(pid) && pid > 0 ? readStartTime(folder) : undefined;
  const status = parseStatusFields(readText(`${folder}/status`) ?? "");
  if (start === undefined) throw refuse(pid, "there is none");
  if (status.get("Kthread") === "1") throw refuse(pid, "it is a thread of the kernel");
  if (/^[ZX]/.test(status.get("State") ?? "")) throw refuse(pid, "it has ended and waits for its parent");
  const posture = collect(pid, folder, status);
  if (readStartTime(folder) !== start) throw refuse(pid, "it ended while it was looked at");
  return posture;
}

function refuse(pid: number, why: string): BrigError {
  return new BrigError(`cannot explain process ${pid}: ${why}`, { code: "BRIG_NO_PROCESS", hint: "ps -e lists the processes, brig ps the sandboxes" });
}

function collect(pid: number, folder: string, status: Map<string, string>): Posture {
  const reference = findReference(PROC);
  const namespaces = readNamespaces(folder, reference);
  const root = readRoot(folder, reference, namespaces.mnt);
  const mounts = readMounts(folder);
  const view = new RootView(`${folder}/root`, mounts);
  const isReadable = view.stat("/") !== undefined;
  const posture: Posture = {
    pid,
    command: readCommand(folder, status),
    comparedWith: reference.name,
    root,
    namespaces,
    identity: readIdentity(folder, status),
    capabilities: readCapabilitySets(status),
    noNewPrivileges: status.get("NoNewPrivs") === "1",
    seccomp: readSeccomp(status),
    landlock: { state: "unknown" },
    limits: readLimits(readText(`${folder}/cgroup`) ?? "", readMounts(`${PROC}self`)),
    ...(isReadable ? readReach(folder, root, mounts, reference) : { writable: undefined, readable: undefined }),
    devices: isReadable ? findDevices(view) : undefined,
    sockets: isReadable ? findAllSockets(folder, view, namespaces.net.state === "shared") : undefined,
    descriptors: namespaces.mnt.state === "shared" ? [] : readLeadingOut(folder, mounts),
    interfaces: readInterfaces(`${folder}/net/dev`),
    terminal: readTerminal("/", pid),
    notes: [],
  };
  const processes = isAtLeast(readHostFacts().kernel, [5, 14]) ? readProcessLimit(folder, reference.folder, posture) : undefined;
  const pids = Math.min(posture.limits.pids ?? Infinity, processes ?? Infinity);
  return { ...posture, limits: { ...posture.limits, pids: pids === Infinity ? undefined : pids }, notes: describeGaps(posture, view) };
}

function readMounts(folder: string): MountEntry[] {
  return parseMountinfo(readText(`${folder}/mountinfo`) ?? "");
}

/** The command line; a process that has wiped it goes by its name in brackets, as in ps(1). */
function readCommand(folder: string, status: Map<string, string>): string[] {
  const words = (readText(`${folder}/cmdline`) ?? "").split("\0");
  if (words.at(-1) === "") words.pop();
  return words.length > 0 ? words : [`[${status.get("Name") ?? "?"}]`];
}

/** The kernel writes Uid and the maps' second column in the reader's terms, which are the outside's. */
function readIdentity(folder: string, status: Map<string, string>): IdentityPosture {
  const uidMap = parseIdMap(readText(`${folder}/uid_map`) ?? "");
  const gidMap = parseIdMap(readText(`${folder}/gid_map`) ?? "");
  const outsideUid = parseNumbers(status.get("Uid"))[1];
  const outsideGid = parseNumbers(status.get("Gid"))[1];
  const insideUid = outsideUid === undefined ? undefined : mapInside(outsideUid, uidMap);
  return { outsideUid, outsideGid, insideUid, groups: parseNumbers(status.get("Groups")), uidMap, gidMap };
}

/** /proc/PID/uid_map: lines of three numbers (user_namespaces(7)). */
export function parseIdMap(text: string): IdMapping[] {
  return text.split("\n").flatMap((line) => {
    const [containerID, hostID, size] = parseNumbers(line.trim());
    return containerID === undefined || hostID === undefined || size === undefined ? [] : [{ containerID, hostID, size }];
  });
}

function readCapabilitySets(status: Map<string, string>): Posture["capabilities"] {
  const read = (name: string): string[] => decodeCapabilities(status.get(name) ?? "");
  return { inheritable: read("CapInh"), permitted: read("CapPrm"), effective: read("CapEff"), bounding: read("CapBnd"), ambient: read("CapAmb") };
}

/** Seccomp's mode as a number; Seccomp_filters came with Linux 5.10. */
function readSeccomp(status: Map<string, string>): Posture["seccomp"] {
  const mode = (["none", "strict", "filter"] as const)[Number(status.get("Seccomp") ?? 0)] ?? "none";
  const filters = status.get("Seccomp_filters");
  return { mode, ...(filters !== undefined && mode === "filter" && { filters: Number(filters) }) };
}

function readReach(folder: string, root: Posture["root"], mounts: MountEntry[], reference: Reference): ReachOfMounts {
  const host = readMounts(reference.folder);
  if (root !== "chroot") return findReach(mounts, host);
  return findReachOfChroot(readlinkSync(`${folder}/root`), mounts, host);
}

function findAllSockets(folder: string, view: RootView, sharesNetwork: boolean): NonNullable<Posture["sockets"]> {
  const files = [...findSockets(view), ...findAgent(view, readText(`${folder}/environ`) ?? "")];
  const abstract = sharesNetwork ? findAbstractSockets(`${folder}/net/unix`) : [];
  return [...new Map([...files, ...abstract].map((socket) => [socket.path, socket])).values()];
}

/** The names in /proc/PID/net/dev (proc_pid_net(5)). */
export function readInterfaces(file: string): string[] | undefined {
  return readText(file)?.split("\n").flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? []);
}

function describeGaps(posture: Posture, view: RootView): string[] {
  const notes = [];
  if (posture.comparedWith === "caller") notes.push("pid 1 cannot be read by this user: compared with the namespaces of brig itself");
  if (Object.values(posture.namespaces).some((namespace) => namespace.state === "unknown")) notes.push("the process does not let this user read its namespaces, files and descriptors: run as root");
  for (const point of view.untouched) notes.push(`${point} is a FUSE mount and was not looked into`);
  return notes;
}
