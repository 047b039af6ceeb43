import { networkInterfaces } from "node:os";
import { readText } from "../host/read-text.js";
import { readNamespace } from "../sandbox/process.js";

/** Addresses of a machine that has a network of its own, IPv4 first, those of one link alone last; none where it shares the host's. */
export function listMachineAddresses(leader: number): string[] {
  const own = readNamespace(leader, "net");
  if (own === undefined || own === readNamespace("self", "net")) return [];
  return [...readAddresses4(leader), ...readAddresses6(leader)];
}

/** The host's, as `machinectl list -a` shows them for ".host". */
export function listHostAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).filter(({ internal }) => !internal);
  const of = (family: string, isLinkLocal: boolean): string[] => all.filter((each) => each.family === family && (each.scopeid !== undefined && each.scopeid > 0) === isLinkLocal).map(({ address }) => address);
  return [...of("IPv4", false), ...of("IPv6", false), ...of("IPv6", true)];
}

/** Names of the machine's interfaces but loopback. */
export function listMachineInterfaces(leader: number): string[] {
  const own = readNamespace(leader, "net");
  if (own === undefined || own === readNamespace("self", "net")) return [];
  const lines = (readText(`/proc/${leader}/net/dev`) ?? "").split("\n");
  return lines.flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? []).filter((name) => name !== "lo");
}

/** The local table of routes names each address of the namespace once: a line with it, then one that says so (proc(5)). */
function readAddresses4(leader: number): string[] {
  const found = new Set<string>();
  let last = "";
  for (const line of (readText(`/proc/${leader}/net/fib_trie`) ?? "").split("\n")) {
    last = /\|--\s+(\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1] ?? last;
    if (/\/32 host LOCAL/.test(line) && !last.startsWith("127.")) found.add(last);
  }
  return [...found];
}

/** if_inet6: 32 hex digits, index, prefix length, scope, flags, name. Scope 10 is a host's, 20 a link's. */
function readAddresses6(leader: number): string[] {
  const rows = (readText(`/proc/${leader}/net/if_inet6`) ?? "").split("\n").map((line) => line.trim().split(/\s+/)).filter((row) => row.length >= 6);
  const of = (isLink: boolean): string[] => rows.filter((row) => row[3] !== "10" && (row[3] === "20") === isLink).map((row) => formatAddress6(row[0]!));
  return [...of(false), ...of(true)];
}

function formatAddress6(digits: string): string {
  return new URL(`http://[${digits.match(/.{4}/g)?.join(":") ?? "::"}]`).hostname.slice(1, -1);
}
