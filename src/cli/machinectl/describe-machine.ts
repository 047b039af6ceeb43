import { readText, readWord } from "../../host/read-text.js";
import { listHostAddresses, listMachineAddresses, listMachineInterfaces } from "../../machine/addresses.js";
import type { Machine } from "../../machine/find.js";
import { readOsRelease } from "../../machine/os-release.js";
import { readStats } from "../../sandbox/stats.js";
import type { ShownMachine } from "../../tools/machinectl/show-machines.js";

/** The host itself, as machined counts it among the machines. */
export const HOST = ".host";

/** All that is told of a machine. What it says of itself is not trusted. */
export function describeMachine(machine: Machine): ShownMachine {
  const { name, sandbox, record, leader } = machine;
  const release = leader ? readOsRelease(`/proc/${leader.pid}/root`) : new Map<string, string>();
  const stats = leader ? readStats(sandbox) : undefined;
  return {
    name,
    id: record.uuid.replaceAll("-", ""),
    class: record.class,
    service: "brig",
    sinceMs: sandbox.createdMs,
    leader: leader && { pid: leader.pid, name: showName(leader.pid) },
    root: record.root,
    ...readRelease(release),
    interfaces: leader ? listMachineInterfaces(leader.pid) : [],
    addresses: leader ? listMachineAddresses(leader.pid) : [],
    uidShift: findShift(machine),
    unit: undefined,
    state: leader === undefined ? "opening" : "running",
    tasks: stats?.pids,
    memory: stats?.memory,
  };
}

/** The host: its own process 1, addresses and system. */
export function describeHost(): ShownMachine {
  return {
    name: HOST, id: readWord("/etc/machine-id"), class: "host", service: undefined, sinceMs: readBootMs(), leader: { pid: 1, name: showName(1) }, root: "/",
    ...readRelease(readOsRelease("/")), interfaces: [], addresses: listHostAddresses(), uidShift: undefined, unit: "-.slice", state: "running", tasks: undefined, memory: undefined,
  };
}

function readRelease(release: ReadonlyMap<string, string>): Pick<ShownMachine, "os" | "osId" | "version"> {
  return { os: release.get("PRETTY_NAME") ?? release.get("NAME"), osId: release.get("ID"), version: release.get("VERSION_ID") };
}

function findShift({ sandbox }: Machine): number | undefined {
  return sandbox.record?.spec.linux?.uidMappings?.find(({ containerID }) => containerID === 0)?.hostID;
}

function showName(pid: number): string {
  // oxlint-disable-next-line no-control-regex
  return (readText(`/proc/${pid}/comm`) ?? "?").trim().replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}

/** btime in /proc/stat (proc(5)): seconds since the epoch. */
function readBootMs(): number {
  return Number(/^btime (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1] ?? 0) * 1000;
}
