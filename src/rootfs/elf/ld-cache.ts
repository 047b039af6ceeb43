/** One line of ld.so.cache: `ldconfig -p` prints "name (flags) => path". */
export interface CacheEntry {
  name: string;
  path: string;
  flags: number;
  /** The glibc-hwcaps folder that it was found in. */
  hwcaps?: string;
}

const MAGIC = "glibc-ld.so.cache1.1"; // glibc sysdeps/generic/dl-cache.h
const OLD_MAGIC = "ld.so-1.7.0";
const HEADER = 48;
const ENTRY = 24;
const EXTENSION_MAGIC = 0xeaa42174;
const HWCAP_EXTENSION = 1n << 62n;

/** Reads ld.so.cache (glibc 2.2 and later, either byte order). Undefined for what ld.so itself would ignore. */
export function parseCache(bytes: Buffer): CacheEntry[] | undefined {
  const start = findStart(bytes);
  if (start === undefined || bytes.length < start + HEADER) return undefined;
  const cache = bytes.subarray(start);
  const little = readIsLittle(cache);
  const word = (at: number) => (little ? cache.readUInt32LE(at) : cache.readUInt32BE(at));
  const count = word(20);
  if (HEADER + count * ENTRY > cache.length) return undefined;
  const hwcaps = readHwcapNames(cache, word);
  const entries: CacheEntry[] = [];
  for (let at = HEADER; at < HEADER + count * ENTRY; at += ENTRY) {
    const [name, path] = [readName(cache, word(at + 4)), readName(cache, word(at + 8))];
    if (!name || !path) continue;
    const hwcap = little ? cache.readBigUInt64LE(at + 16) : cache.readBigUInt64BE(at + 16);
    entries.push({ name, path, flags: word(at), ...nameHwcap(hwcap, hwcaps) });
  }
  return entries;
}

function findStart(bytes: Buffer): number | undefined {
  if (bytes.toString("latin1", 0, MAGIC.length) === MAGIC) return 0;
  if (bytes.toString("latin1", 0, OLD_MAGIC.length) !== OLD_MAGIC || bytes.length < 16) return undefined;
  // The old format comes first and the new one follows, aligned to 8.
  const at = (16 + bytes.readUInt32LE(12) * 12 + 7) & ~7;
  return bytes.toString("latin1", at, at + MAGIC.length) === MAGIC ? at : undefined;
}

/** Byte order: 2 little, 3 big, 0 from before glibc 2.33, which did not say (little everywhere that matters). */
function readIsLittle(cache: Buffer): boolean {
  return (cache[28]! & 3) !== 3;
}

function readName(cache: Buffer, offset: number): string | undefined {
  const end = offset < cache.length ? cache.indexOf(0, offset) : -1;
  return end < 0 || end - offset > 4096 ? undefined : cache.toString("utf8", offset, end);
}

function readHwcapNames(cache: Buffer, word: (at: number) => number): string[] {
  const at = word(32);
  if (at === 0 || at + 8 > cache.length || word(at) !== EXTENSION_MAGIC) return [];
  const sections = Math.min(word(at + 4), 16);
  for (let section = at + 8; section < at + 8 + sections * 16 && section + 16 <= cache.length; section += 16) {
    const [tag, offset, size] = [word(section), word(section + 8), word(section + 12)];
    if (tag !== 1 || offset + size > cache.length) continue;
    return Array.from({ length: Math.min(size >>> 2, 64) }, (_, index) => readName(cache, word(offset + index * 4)) ?? "");
  }
  return [];
}

function nameHwcap(hwcap: bigint, names: string[]): { hwcaps?: string } {
  if (hwcap === 0n) return {};
  const index = Number(hwcap & 0xffffffffn);
  // A legacy bit mask names no folder that we can check: "?" is no level that any processor has.
  return { hwcaps: (hwcap & HWCAP_EXTENSION) === 0n ? "?" : (names[index] ?? "?") };
}

/** Writes an ld.so.cache of this machine's byte order; ld.so searches it by halves, so its own order is kept. */
export function encodeCache(entries: CacheEntry[], littleEndian = true): Buffer {
  const sorted = entries.filter(({ hwcaps }) => hwcaps === undefined).sort((a, b) => compareNames(b.name, a.name) || b.flags - a.flags);
  const strings = sorted.flatMap(({ name, path }) => [Buffer.from(`${name}\0`), Buffer.from(`${path}\0`)]);
  const table = Buffer.alloc(HEADER + sorted.length * ENTRY);
  const word = (value: number, at: number) => (littleEndian ? table.writeUInt32LE(value, at) : table.writeUInt32BE(value, at));
  table.write(MAGIC, 0, "latin1");
  word(sorted.length, 20);
  word(strings.reduce((sum, text) => sum + text.length, 0), 24);
  table[28] = littleEndian ? 2 : 3;
  let offset = table.length;
  sorted.forEach(({ flags }, index) => {
    const at = HEADER + index * ENTRY;
    word(flags, at);
    word(offset, at + 4);
    word((offset += strings[index * 2]!.length), at + 8);
    offset += strings[index * 2 + 1]!.length;
  });
  return Buffer.concat([table, ...strings]);
}

/** _dl_cache_libcmp (glibc elf/dl-cache.c): runs of digits compare as numbers, and a digit is above any other sign. */
export function compareNames(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length) {
    const [digitA, digitB] = [isDigit(a, i), isDigit(b, j)];
    if (digitA !== digitB) return digitA ? 1 : -1;
    if (!digitA) {
      if (a[i] !== b[j]) return (a.charCodeAt(i) || 0) - (j < b.length ? b.charCodeAt(j) : 0);
      i++;
      j++;
      continue;
    }
    const [runA, runB] = [/^\d+/.exec(a.slice(i))![0], /^\d+/.exec(b.slice(j))![0]];
    const difference = BigInt(runA) - BigInt(runB);
    if (difference !== 0n) return difference > 0n ? 1 : -1;
    i += runA.length;
    j += runB.length;
  }
  return j < b.length ? -1 : 0;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
