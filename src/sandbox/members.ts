import { readdirSync } from "node:fs";
import { readText } from "../host/read-text.js";
import { type ProcessId, type ProcessStat, readAllProcesses, readNamespace } from "./process.js";
import { listOwnCgroups, type Sandbox } from "./sandbox.js";

/**
 * Every process in a sandbox, the first one included: those in its pid namespace; where it shares the host's, those in
 * its cgroups and the descendants of its first process.
 */
export function listMembers(sandbox: Sandbox): ProcessStat[] {
  const all = readAllProcesses();
  const first = sandbox.first && all.get(sandbox.first.pid);
  if (!first || first.start !== sandbox.first?.start) return [];
  const members = addDescendants(new Set([first.pid]), all);
  for (const pid of listOwnCgroups(sandbox).flatMap(readCgroupProcesses)) members.add(pid);
  addNamespaceMates(members, all);
  return [...members].flatMap((pid) => all.get(pid) ?? []);
}

function addDescendants(members: Set<number>, all: Map<number, ProcessStat>): Set<number> {
  for (let size = 0; size < members.size; ) {
    size = members.size;
    for (const { pid, parent } of all.values()) if (members.has(parent)) members.add(pid);
  }
  return members;
}

/** What was executed in it later has its parent outside. */
function addNamespaceMates(members: Set<number>, all: Map<number, ProcessStat>): void {
  const own = readNamespace("self", "pid");
  const namespaces = new Set([...members].flatMap((pid) => readNamespace(pid, "pid") ?? []).filter((namespace) => namespace !== own));
  if (namespaces.size === 0) return;
  for (const { pid } of all.values()) if (namespaces.has(readNamespace(pid, "pid") ?? "")) members.add(pid);
}

/** The processes of a cgroup and of those below it. */
export function readCgroupProcesses(folder: string): number[] {
  const own = (readText(`${folder}/cgroup.procs`) ?? "").split("\n").filter((line) => /^[1-9]\d*$/.test(line)).map(Number);
  return [...own, ...listBelow(folder).flatMap(readCgroupProcesses)];
}

export function listBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

/**
 * The process that was asked for: init's first child, else the first process itself. Init leaves as soon as it ends,
 * and whoever is left to init later has started later.
 */
export function findPayload(sandbox: Sandbox): ProcessId | undefined {
  const { first, extension, record } = sandbox;
  if (!first) return undefined;
  if (!record?.spec.process?.args) return undefined;
  if (!extension.init) return first;
  const children = [...readAllProcesses().values()].filter(({ parent }) => parent === first.pid);
  return children.sort((a, b) => Number(BigInt(a.start) - BigInt(b.start)) || a.pid - b.pid)[0];
}
