import { netnsError } from "./names.js";

/** An IPv4 network: its first address as a number, and the length of its prefix in bits. */
export interface Subnet {
  first: number;
  bits: number;
}

/** Where brig looks for a free /30 when none is asked for: shared address space behind a carrier's NAT (RFC 6598). */
const POOL: Subnet = { first: toNumber([100, 88, 0, 0]), bits: 14 };

/** Two addresses for the ends of a link are the least: /30 and wider. */
const LONGEST_PREFIX = 30;

/**
 * "10.1.2.0/24". The bits behind the prefix must be zero.
 * @throws BrigError
 */
export function parseSubnet(text: string): Subnet {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const bytes = match?.slice(1, 5).map(Number) ?? [];
  const bits = Number(match?.[5]);
  if (!match || bytes.some((byte) => byte > 255) || bits < 8 || bits > LONGEST_PREFIX)
    throw netnsError(`${JSON.stringify(text)} is no IPv4 network with room for two hosts`, 255, "as in --subnet 10.77.0.0/30");
  const first = toNumber(bytes);
  if (first % sizeOf({ first, bits }) !== 0)
    throw netnsError(`${text} has bits behind its prefix`, 255, `the network is ${formatSubnet({ first: first - (first % sizeOf({ first, bits })), bits })}`);
  return { first, bits };
}

/** The first /30 of the pool that meets none of these networks. */
export function findFreeSubnet(taken: readonly Subnet[]): Subnet {
  for (let first = POOL.first; first < POOL.first + sizeOf(POOL); first += 4) {
    const candidate = { first, bits: LONGEST_PREFIX };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  throw netnsError("no free network is left for a link", 1, "name one: --subnet A.B.C.D/30");
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.first < b.first + sizeOf(b) && b.first < a.first + sizeOf(a);
}

/** The nth address of a network: 1 is the host's end, 2 the namespace's. */
export function addressOf(subnet: Subnet, index: number): string {
  return formatAddress(subnet.first + index);
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.first)}/${subnet.bits}`;
}

/** A route or address as `ip -json` writes it ("10.0.0.0/8", "10.0.0.1"); undefined for IPv6 and "default". */
export function readSubnet(text: string): Subnet | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (!match) return undefined;
  const bits = match[5] === undefined ? 32 : Number(match[5]);
  const address = toNumber(match.slice(1, 5).map(Number));
  return { first: address - (address % sizeOf({ first: 0, bits })), bits };
}

function sizeOf({ bits }: Subnet): number {
  return 2 ** (32 - bits);
}

function toNumber(bytes: number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
