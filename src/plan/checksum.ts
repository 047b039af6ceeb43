/** FNV-1a 64 (RFC 9923) in two 32-bit halves: BigInt would cost a thousand times as much a byte. */
export interface Hash {
  high: number;
  low: number;
}

export function makeHash(): Hash {
  return { high: 0xcbf29ce4 | 0, low: 0x84222325 | 0 };
}

/** Goes on over `bytes[from, to)`. */
export function addBytes(hash: Hash, bytes: Uint8Array, from = 0, to = bytes.length): Hash {
  let { high, low } = hash;
  for (let at = from; at < to; at++) {
    low ^= bytes[at] as number;
    // times 0x100000001b3 = 2^40 + 435; 16 bits at a time, so that each product stays a small integer
    const first = (low & 0xffff) * 435;
    const second = (low >>> 16) * 435 + (first >>> 16);
    high = (Math.imul(high, 435) + (second >>> 16) + (low << 8)) | 0;
    low = ((second & 0xffff) << 16) | (first & 0xffff);
  }
  hash.high = high;
  hash.low = low;
  return hash;
}

/** As `addBytes`, over eight bytes at a time, low half first, and over the rest byte by byte: a plan's checksum. */
export function addWords(hash: Hash, bytes: Uint8Array, from: number, to: number): Hash {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let { high, low } = hash;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    low ^= view.getInt32(at, true);
    high ^= view.getInt32(at + 4, true);
    const first = (low & 0xffff) * 435;
    const second = (low >>> 16) * 435 + (first >>> 16);
    high = (Math.imul(high, 435) + (second >>> 16) + (low << 8)) | 0;
    low = ((second & 0xffff) << 16) | (first & 0xffff);
  }
  hash.high = high;
  hash.low = low;
  return addBytes(hash, bytes, at, to);
}

/** Sixteen hex digits. */
export function formatHash(hash: Hash): string {
  return hexOf(hash.high) + hexOf(hash.low);
}

export function hashToBigInt(hash: Hash): bigint {
  return (BigInt(hash.high >>> 0) << 32n) | BigInt(hash.low >>> 0);
}

function hexOf(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
