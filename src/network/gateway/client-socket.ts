import { readFileSync } from "node:fs";
import { formatAddress, readAddress } from "../rules/address.js";

/** The other end of a connection that was led to the gateway, as the sandbox's own kernel tables have it. */
export interface ClientSocket {
  /** Where it wanted to go; undefined for a socket that is not connected (UDP). */
  address: string | undefined;
  port: number;
  inode: string;
}

/**
 * Looks up the socket with this local end in /proc/PID/net/tcp or udp (proc(5)). A redirected connection keeps there
 * the address that its program asked for, since only packets are rewritten.
 *
 * Two sockets may have the same local end and different destinations. That leads nowhere: whatever is found here is
 * what is judged and also what is connected to.
 *
 * They are read in the working folder, which is the sandbox's /proc/PID/net.
 */
export function findClientSocket(protocol: "tcp" | "udp", local: { address: string; port: number }): ClientSocket | undefined {
  const wanted = readAddress(local.address);
  if (!wanted) return undefined;
  for (const file of wanted.family === 6 ? [`${protocol}6`] : [protocol, `${protocol}6`]) {
    for (const line of readLines(file)) {
      const fields = line.trim().split(/\s+/);
      const here = readEnd(fields[1]);
      const remote = readEnd(fields[2]);
      if (!here || !remote || here.port !== local.port || !matches(here.address, formatAddress(wanted), protocol)) continue;
      if (protocol === "tcp" && fields[3] !== ESTABLISHED) continue;
      return { address: remote.port === 0 ? undefined : remote.address, port: remote.port, inode: fields[9] ?? "0" };
    }
  }
  return undefined;
}

const ESTABLISHED = "01";
const ANY = new Set(["0.0.0.0", "::"]);

/** An unconnected UDP socket is bound to no address. */
function matches(here: string, wanted: string, protocol: "tcp" | "udp"): boolean {
  return here === wanted || (protocol === "udp" && ANY.has(here));
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "latin1").split("\n").slice(1);
  } catch {
    return [];
  }
}

/** "0100007F:0035": the address's 32-bit words in the host's byte order, the port as a number. */
function readEnd(text: string | undefined): { address: string; port: number } | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text ?? "");
  if (!match?.[1] || !match[2]) return undefined;
  const words = (match[1].match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).reverse().join(""));
  const value = BigInt(`0x${words.join("")}`);
  const address = words.length === 1 ? { family: 4 as const, value } : unmap(value);
  return { address: formatAddress(address), port: parseInt(match[2], 16) };
}

function unmap(value: bigint): { family: 4 | 6; value: bigint } {
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value };
}
