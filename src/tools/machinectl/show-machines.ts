import { formatAgo, formatBytes, formatTimestamp } from "./format.js";
import type { MachinectlOptions } from "./options.js";
import { renderFields } from "./show-images.js";
import { renderSystemdTable } from "./table.js";

/** A machine as `list`, `status` and `show` tell of it. Times in milliseconds, sizes in bytes. */
export interface ShownMachine {
  name: string;
  /** 32 hex digits. */
  id: string | undefined;
  class: string;
  service: string | undefined;
  sinceMs: number;
  leader: { pid: number; name: string } | undefined;
  root: string | undefined;
  os: string | undefined;
  osId: string | undefined;
  version: string | undefined;
  interfaces: string[];
  addresses: string[];
  uidShift: number | undefined;
  unit: string | undefined;
  state: string;
  tasks: number | undefined;
  memory: number | undefined;
}

export function renderMachineList(machines: readonly ShownMachine[], { legend, full, maxAddresses }: Pick<MachinectlOptions, "legend" | "full" | "maxAddresses">): string {
  const most = full ? Infinity : maxAddresses;
  const rows = machines.map((machine) => [
    machine.name, machine.class, machine.service ?? "-", machine.osId ?? "-", machine.version ?? "-", ...(most === 0 ? [] : [showAddresses(machine.addresses, most)]),
  ]);
  return renderSystemdTable(["MACHINE", "CLASS", "SERVICE", "OS", "VERSION", ...(most === 0 ? [] : ["ADDRESSES"])], rows, legend, "machines");
}

function showAddresses(addresses: readonly string[], most: number): string | string[] {
  if (addresses.length === 0) return "-";
  const shown = addresses.slice(0, most);
  return shown.map((address, index) => (index === shown.length - 1 && shown.length < addresses.length ? `${address}…` : address));
}

/** What `status NAME` prints before the processes and the log. */
export function renderMachineStatus(machine: ShownMachine, nowMs = Date.now()): string {
  const [first, ...others] = machine.addresses;
  const lines: [string, string | undefined][] = [
    ["Since", `${formatTimestamp(machine.sinceMs)}; ${formatAgo(machine.sinceMs, nowMs)}`],
    ["Leader", machine.leader && `${machine.leader.pid} (${machine.leader.name})`],
    machine.service === undefined ? ["Class", machine.class] : ["Service", `${machine.service}; class ${machine.class}`],
    ["Root", machine.root],
    ["Iface", machine.interfaces.length > 0 ? machine.interfaces.join(" ") : undefined],
    ["Address", first === undefined ? undefined : [first, ...others].join("\n\t          ")],
    ["OS", machine.os],
    ["UID Shift", machine.uidShift === undefined ? undefined : String(machine.uidShift)],
    ["Tasks", machine.tasks === undefined ? undefined : String(machine.tasks)],
    ["Memory", machine.memory === undefined ? undefined : formatBytes(machine.memory)],
    ["Unit", machine.unit],
  ];
  return `${machine.name}${machine.id === undefined ? "" : `(${machine.id})`}\n${renderFields(lines)}`;
}

/** The properties of `show NAME`, in machined's order. */
export function listMachineProperties(machine: ShownMachine): [string, string][] {
  return [
    ["Name", machine.name],
    ["Id", machine.id ?? ""],
    ["Timestamp", formatTimestamp(machine.sinceMs)],
    ["TimestampMonotonic", String(Math.max(0, Math.round((machine.sinceMs - Date.now()) * 1000 + Number(process.hrtime.bigint() / 1000n))))],
    ["Service", machine.service ?? ""],
    ["Unit", machine.unit ?? ""],
    ["Leader", machine.leader ? String(machine.leader.pid) : ""],
    ["Class", machine.class],
    ["RootDirectory", machine.root ?? ""],
    ["NetworkInterfaces", machine.interfaces.join(" ")],
    ["State", machine.state],
  ];
}

/** A cgroup, or a machine without any: what runs in it, and what is below. */
export interface ProcessTree {
  name: string;
  processes: { pid: number; command: string }[];
  below: ProcessTree[];
}

/** Lines of a tree as systemctl and machinectl draw it, below "Unit:". */
export function renderProcessTree(tree: ProcessTree, width: number): string {
  return drawTree(tree, "\t\t  ").map((line) => `${ellipsize(line, width)}\n`).join("");
}

function drawTree({ processes, below }: ProcessTree, indent: string): string[] {
  const column = Math.max(0, ...processes.map(({ pid }) => String(pid).length));
  const filled = below.filter(hasProcesses);
  const own = processes.map(({ pid, command }, index) => {
    const isLast = index === processes.length - 1 && filled.length === 0;
    return `${indent}${isLast ? "└─" : "├─"}${String(pid).padStart(column)} ${command}`;
  });
  const deeper = filled.flatMap((each, index) => {
    const isLast = index === filled.length - 1;
    return [`${indent}${isLast ? "└─" : "├─"}${each.name}`, ...drawTree(each, `${indent}${isLast ? "  " : "│ "}`)];
  });
  return [...own, ...deeper];
}

function hasProcesses({ processes, below }: ProcessTree): boolean {
  return processes.length > 0 || below.some(hasProcesses);
}

/** Two tabs take sixteen columns. */
function ellipsize(line: string, width: number): string {
  const room = width - 14;
  return line.length > room ? `${line.slice(0, Math.max(1, room - 1))}…` : line;
}
