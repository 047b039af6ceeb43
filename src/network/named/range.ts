import { type Address, formatAddress, isWithin, type Range, readRange } from "../rules/address.js";

/** Where IPv4 networks are chosen from when none is named, each with this many bits. */
const POOL = "10.208.0.0/12";
const POOL_BITS = 24;

export function sizeOf({ family, bits }: Range): bigint {
  return 1n << BigInt((family === 4 ? 32 : 128) - bits);
}

export function overlaps(a: Range, b: Range): boolean {
  return a.bits <= b.bits ? isWithin(b, a) : isWithin(a, b);
}

export function formatRange(range: Range): string {
  return `${formatAddress(range)}/${range.bits}`;
}

/** The nth address of a network. */
export function addressAt({ family, value }: Address, index: bigint): string {
  return formatAddress({ family, value: value + index });
}

/** A route or an interface's address as `ip -json` writes it: the network that it is in. */
export function readTaken(text: string): Range | undefined {
  const [address = "", bits] = text.split("/");
  const plain = readRange(address);
  if (!plain) return undefined;
  const wide: Range = { ...plain, bits: bits === undefined ? plain.bits : Number(bits) };
  return { ...wide, value: wide.value - (wide.value % sizeOf(wide)) };
}

/** The first network of the pool that meets none of these; undefined when all are taken. */
export function findFreeRange(taken: readonly Range[]): Range | undefined {
  const pool = readRange(POOL) as Range;
  const step = sizeOf({ ...pool, bits: POOL_BITS });
  for (let value = pool.value; value < pool.value + sizeOf(pool); value += step) {
    const candidate: Range = { family: 4, value, bits: POOL_BITS };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  return undefined;
}
