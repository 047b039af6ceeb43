/** An IP address as a number, with the family that it belongs to; IPv4 within IPv6 (::ffff:1.2.3.4) is IPv4. */
export interface Address {
  family: 4 | 6;
  value: bigint;
}

export interface Range extends Address {
  bits: number;
}


/** "1.2.3.4", "2001:db8::1"; undefined for anything else, octal and short forms included. */
export function readAddress(text: string): Address | undefined {
  const { isIP } = process.getBuiltinModule("node:net"); // loaded only here: it takes 3 ms
  const family = text.includes("%") ? 0 : isIP(text);
  if (family === 4) return { family, value: readBytes(text) };
  if (family !== 6) return undefined;
  const value = readGroups(text);
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family, value };
}

/** "10.0.0.0/8", "fd00::/8", or one address. The bits behind the prefix must be zero. */
export function readRange(text: string): Range | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = readAddress(match?.[1] ?? "");
  if (!match || !address) return undefined;
  const width = widthOf(address);
  const bits = match[2] === undefined ? width : Number(match[2]);
  if (bits > width || (address.value & ((1n << BigInt(width - bits)) - 1n)) !== 0n) return undefined;
  return { ...address, bits };
}

export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

export function isWithin(address: Address, range: Range): boolean {
  const shift = BigInt(widthOf(range) - range.bits);
  return address.family === range.family && address.value >> shift === range.value >> shift;
}

/**
 * Whether the address belongs to the internet at large: not this host, a private network, a carrier's, a link's, a
 * group, documentation, nor one that carries an IPv4 address through a translator (IANA's special-purpose registries,
 * RFC 6890, 6598, 6052, 3056, 4380).
 */
export function isPublic(address: Address): boolean {
  const isIn = (text: string): boolean => isWithin(address, readRange(text) as Range);
  return (address.family === 4 || isIn(GLOBAL_UNICAST)) && !SPECIAL.some(isIn);
}

function widthOf({ family }: Address): number {
  return family === 4 ? 32 : 128;
}

function readBytes(text: string): bigint {
  return text.split(".").reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

function readGroups(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted?.[2] === undefined ? undefined : readBytes(dotted[2]);
  const plain = tail === undefined ? text : `${dotted?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = "", rest] = plain.split("::");
  const left = head.split(":").filter(Boolean);
  const right = (rest ?? "").split(":").filter(Boolean);
  const zeros = rest === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

const GLOBAL_UNICAST = "2000::/3";
const SPECIAL = [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
  "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
  "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20",
];
