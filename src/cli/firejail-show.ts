import { setTimeout as sleep } from "node:timers/promises";
import { CAPABILITY_NAMES } from "../host/capabilities.js";
import { readText } from "../host/read-text.js";
import { findPayload, listMembers } from "../sandbox/members.js";
import type { Sandbox } from "../sandbox/sandbox.js";
import { readStats, type Stats } from "../sandbox/stats.js";
import type { Spec } from "../spec/oci.js";
import { describeOrigin, originOf } from "../spec/origin.js";
import { BrigError } from "../error/brig-error.js";

/** Annotations of a jail's spec for what the spec has no words for. */
export const PROFILE = "org.firejail.profile";
export const PROTOCOL = "org.firejail.protocol";

/** What --NAME.print tells of a running sandbox, in firejail's words where it has some. */
export const PRINTERS: Record<string, (sandbox: Sandbox) => string> = {
  "caps.print": (sandbox) => showCapabilities(readStatus(sandbox, "CapBnd")),
  "seccomp.print": (sandbox) => showFilter(findSpec(sandbox)),
  "protocol.print": (sandbox) => findSpec(sandbox).annotations?.[PROTOCOL] || "no protocol filter",
  "cpu.print": (sandbox) => `  Cpus_allowed_list:\t${readStatus(sandbox, "Cpus_allowed_list")}`,
  "profile.print": (sandbox) => findSpec(sandbox).annotations?.[PROFILE] || "no profile",
  "fs.print": (sandbox) => showFiles(findSpec(sandbox)),
  "apparmor.print": (sandbox) => `  AppArmor: ${(readText(`/proc/${findPid(sandbox)}/attr/current`) ?? "unconfined").replace(/\0/g, "").trim()}`,
};

function findSpec({ record, id }: Sandbox): Spec {
  if (record) return record.spec;
  throw new BrigError(`sandbox ${id} has no record`, { code: "BRIG_NO_SUCH_SANDBOX", exitCode: 1, hint: "brig firejail --list" });
}

/** The program's process, on the host. */
export function findPid(sandbox: Sandbox): number {
  const pid = findPayload(sandbox)?.pid ?? sandbox.first?.pid;
  if (pid !== undefined) return pid;
  throw new BrigError(`sandbox ${sandbox.id} is not running`, { code: "BRIG_NOT_RUNNING", exitCode: 1, hint: "brig firejail --list" });
}

function readStatus(sandbox: Sandbox, field: string): string {
  return new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readText(`/proc/${findPid(sandbox)}/status`) ?? "")?.[1] ?? "";
}

function showCapabilities(mask: string): string {
  const bits = BigInt(`0x${mask || "0"}`);
  return CAPABILITY_NAMES.map((name, number) => `${name.slice(4).toLowerCase().padEnd(20)}- ${(bits >> BigInt(number)) & 1n ? "enabled" : "disabled"}`).join("\n");
}

function showFilter({ linux }: Spec): string {
  const { seccomp } = linux ?? {};
  if (!seccomp) return "no seccomp filter";
  const say = (action: string, errno: number | undefined): string => `${action.replace("SCMP_ACT_", "")}${errno === undefined ? "" : ` ${errno}`}`;
  const rules = (seccomp.syscalls ?? []).map(({ names, action, errnoRet, args }) => `  ${say(action, errnoRet)}${args?.length ? " (by arguments)" : ""}: ${names.join(",")}`);
  return [`default: ${say(seccomp.defaultAction, seccomp.defaultErrnoRet)}`, `architectures: ${(seccomp.architectures ?? []).join(",")}`, ...rules].join("\n");
}

/** What is mounted and hidden, each with the rule that asked for it. */
export function showFiles(spec: Spec): string {
  const why = (pointer: string): string => {
    const origin = originOf(spec, pointer);
    return origin ? ` (${describeOrigin(origin)})` : "";
  };
  const mounts = (spec.mounts ?? []).map(({ type, destination, source, options = [] }, index) => `${type === "bind" && source !== destination ? `${source} on ` : `${type} `}${destination} ${options.join(",")}${why(`/mounts/${index}`)}`);
  const hidden = (spec.linux?.maskedPaths ?? []).map((path, index) => `blacklist ${path}${why(`/linux/maskedPaths/${index}`)}`);
  return [...mounts, ...hidden].join("\n");
}

const SECOND = 1000;

/** Tables of what runs: once, or each second where somebody looks at a terminal. */
export async function showAgain(draw: (before: Map<string, Stats>) => string, list: () => Sandbox[]): Promise<number> {
  for (;;) {
    const before = new Map(list().map((sandbox) => [sandbox.id, readStats(sandbox)]));
    await sleep(SECOND);
    const text = draw(before);
    process.stdout.write(process.stdout.isTTY ? `\u001b[H\u001b[2J${text}\n` : `${text}\n`);
    if (!process.stdout.isTTY) return 0;
  }
}

/** --top: memory in KiB. */
export function drawTop(sandboxes: readonly Sandbox[], before: ReadonlyMap<string, Stats>, user: string, name: (sandbox: Sandbox) => string): string {
  const lines = sandboxes.map((sandbox) => {
    const { cpuUs, memory } = readStats(sandbox);
    const used = (cpuUs - (before.get(sandbox.id)?.cpuUs ?? cpuUs)) / (SECOND * 10);
    return [sandbox.supervisor?.pid ?? "", user, Math.round(memory / 1024), used.toFixed(1), listMembers(sandbox).length, name(sandbox)];
  });
  return drawColumns([["PID", "User", "RES(KiB)", "CPU%", "Prcs", "Command"], ...lines]);
}

/** --netstats: of sandboxes with a network of their own, in KB a second. */
export function drawNetwork(sandboxes: readonly Sandbox[], before: ReadonlyMap<string, Stats>, user: string, name: (sandbox: Sandbox) => string): string {
  const lines = sandboxes.flatMap((sandbox) => {
    const { receivedBytes, sentBytes } = readStats(sandbox);
    const old = before.get(sandbox.id);
    if (receivedBytes === undefined || sentBytes === undefined) return [];
    return [[sandbox.supervisor?.pid ?? "", user, ((receivedBytes - (old?.receivedBytes ?? receivedBytes)) / 1000).toFixed(1), ((sentBytes - (old?.sentBytes ?? sentBytes)) / 1000).toFixed(1), name(sandbox)]];
  });
  return drawColumns([["PID", "User", "RX(KB/s)", "TX(KB/s)", "Command"], ...lines]);
}

function drawColumns(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? String(cell) : String(cell).padEnd(widths[column]! + 1))).join("").trimEnd()).join("\n");
}
