import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import { readNumber, readText } from "../host/read-text.js";
import { listMembers } from "./members.js";
import { listOwnCgroups, type Sandbox } from "./sandbox.js";
import type { ProcessStat } from "./process.js";

/** What a sandbox uses now. Sizes in bytes. */
export interface Stats {
  id: string;
  name: string | undefined;
  /** Of processor time, since it began, in microseconds. */
  cpuUs: number;
  memory: number;
  /** The sandbox's own limit, or the host's memory. */
  memoryLimit: number;
  /** Processes and threads. */
  pids: number;
  readBytes: number | undefined;
  writtenBytes: number | undefined;
  receivedBytes: number | undefined;
  sentBytes: number | undefined;
  /** "cgroup": counted by the kernel for the whole sandbox; "processes": summed over those that live. */
  source: { cpu: "cgroup" | "processes"; memory: "cgroup" | "processes" };
}

const TICK_US = 10_000;

/** Counts by the sandbox's own cgroups, and what they do not count by its processes (proc(5)). */
export function readStats(sandbox: Sandbox): Stats {
  const cgroups = listOwnCgroups(sandbox).filter((folder) => existsSync(folder));
  const members = listMembers(sandbox);
  const cpu = firstOf(cgroups, readCpu);
  const memory = firstOf(cgroups, readMemory);
  const io = firstOf(cgroups, readIo) ?? sumIo(members);
  const net = readNetwork(sandbox.first?.pid);
  return {
    id: sandbox.id,
    name: sandbox.name,
    cpuUs: cpu ?? members.reduce((sum, { userTicks, systemTicks }) => sum + (userTicks + systemTicks) * TICK_US, 0),
    memory: memory?.used ?? members.reduce((sum, { resident }) => sum + resident, 0),
    memoryLimit: Math.min(memory?.limit ?? Infinity, totalmem()),
    pids: firstOf(cgroups, (folder) => readNumber(`${folder}/pids.current`)) ?? members.reduce((sum, { threads }) => sum + threads, 0),
    readBytes: io?.read, writtenBytes: io?.written, receivedBytes: net?.received, sentBytes: net?.sent,
    source: { cpu: cpu === undefined ? "processes" : "cgroup", memory: memory ? "cgroup" : "processes" },
  };
}

function firstOf<T>(folders: string[], read: (folder: string) => T | undefined): T | undefined {
  for (const folder of folders) {
    const found = read(folder);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** cpuacct.usage is in nanoseconds; cpu.stat of version 2 says usage_usec. */
function readCpu(folder: string): number | undefined {
  const old = readNumber(`${folder}/cpuacct.usage`);
  return old === undefined ? readField(`${folder}/cpu.stat`, "usage_usec") : Math.floor(old / 1000);
}

/** Without the part of the page cache that can go at once, as docker stats has it. */
function readMemory(folder: string): { used: number; limit: number | undefined } | undefined {
  const old = readNumber(`${folder}/memory.usage_in_bytes`);
  const all = old ?? readNumber(`${folder}/memory.current`);
  if (all === undefined) return undefined;
  const cache = readField(`${folder}/memory.stat`, old === undefined ? "inactive_file" : "total_inactive_file") ?? 0;
  const limit = readNumber(`${folder}/${old === undefined ? "memory.max" : "memory.limit_in_bytes"}`);
  return { used: Math.max(0, all - cache), limit };
}

function readIo(folder: string): { read: number; written: number } | undefined {
  const unified = readText(`${folder}/io.stat`);
  if (unified !== undefined) return { read: sumMatches(unified, /\brbytes=(\d+)/g), written: sumMatches(unified, /\bwbytes=(\d+)/g) };
  const old = readText(`${folder}/blkio.throttle.io_service_bytes_recursive`);
  return old === undefined ? undefined : { read: sumMatches(old, / Read (\d+)/g), written: sumMatches(old, / Write (\d+)/g) };
}

/** Closed to who may not trace the processes: then nothing is said. */
function sumIo(members: ProcessStat[]): { read: number; written: number } | undefined {
  const texts = members.flatMap(({ pid }) => readText(`/proc/${pid}/io`) ?? []);
  if (texts.length === 0) return undefined;
  return { read: texts.reduce((sum, text) => sum + sumMatches(text, /^read_bytes: (\d+)/gm), 0), written: texts.reduce((sum, text) => sum + sumMatches(text, /^write_bytes: (\d+)/gm), 0) };
}

/** All links but loopback, of the network namespace that the first process is in. */
function readNetwork(pid: number | undefined): { received: number; sent: number } | undefined {
  const text = pid === undefined ? undefined : readText(`/proc/${pid}/net/dev`);
  if (text === undefined) return undefined;
  const links = text.split("\n").flatMap((line) => /^\s*([^\s:|]+):\s*(.*)$/.exec(line)?.slice(1) ? [line] : []);
  const counts = links.filter((line) => !/^\s*lo:/.test(line)).map((line) => line.slice(line.indexOf(":") + 1).trim().split(/\s+/).map(Number));
  return { received: counts.reduce((sum, [bytes]) => sum + (bytes ?? 0), 0), sent: counts.reduce((sum, fields) => sum + (fields[8] ?? 0), 0) };
}

function sumMatches(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

function readField(file: string, name: string): number | undefined {
  const value = new RegExp(`^${name} (\\d+)$`, "m").exec(readText(file) ?? "")?.[1];
  return value === undefined ? undefined : Number(value);
}
