import { BrigError } from "../../error/brig-error.js";
import type { FileBytes } from "./file-bytes.js";
import type { ElfKind } from "./machines.js";

/** What a loader must know of an ELF file (elf(5)). Names come from the file: nothing in them can be trusted. */
export interface ElfFile extends ElfKind {
  type: "executable" | "shared";
  /** PT_INTERP; undefined in a static program and in most libraries. */
  interpreter: string | undefined;
  needed: string[];
  /** DT_AUXILIARY and DT_FILTER: libraries looked for as DT_NEEDED ones are; an auxiliary one may be absent. */
  auxiliary: string[];
  filters: string[];
  soname: string | undefined;
  rpath: string | undefined;
  runpath: string | undefined;
  /** DF_1_NODEFLIB: neither the cache nor the default folders are searched. */
  noDefaultLibraries: boolean;
  /** Where the names of the dynamic symbols are in the file. */
  strings: { offset: number; size: number } | undefined;
}

const MAX_PHDRS_SIZE = 65_536; // the kernel's own limit (fs/binfmt_elf.c load_elf_phdrs)
const MAX_INTERPRETER = 4096; // PATH_MAX, the kernel's own limit
const MAX_DYNAMIC = 1 << 20;
const MAX_NEEDED = 1024;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const ET_EXEC = 2;
const ET_DYN = 3;
const DT = { needed: 1, strtab: 5, strsz: 10, soname: 14, rpath: 15, runpath: 29, flags1: 0x6ffffffb } as const;
const DT_AUXILIARY = 0x7ffffffd;
const DT_FILTER = 0x7fffffff;
const DF_1_NODEFLIB = 0x800;

interface Segment {
  type: number;
  offset: number;
  vaddr: number;
  size: number;
}

/** Numbers of one class and byte order. */
interface Words {
  half(bytes: Buffer, at: number): number;
  word(bytes: Buffer, at: number): number;
  address(bytes: Buffer, at: number): number;
  addressSize: 4 | 8;
}

/** Whether the first bytes are an ELF file's. */
export function isElf(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46;
}

/**
 * Reads an ELF executable or shared object of either class and byte order. The file is hostile: every table is
 * bounded and a lie in it is an error.
 *
 * @param name how errors call the file
 * @throws BrigError BRIG_BAD_ELF
 */
export function readElf(file: FileBytes, name: string): ElfFile {
  const head = file.read(0, 64);
  const words = readIdentity(head, name);
  const type = words.half(head, 16);
  if (type !== ET_EXEC && type !== ET_DYN) throw badElf(name, "it is neither an executable nor a shared object");
  const segments = readSegments(file, head, words, name);
  const kind: ElfKind = { bits: words.addressSize === 8 ? 64 : 32, littleEndian: head[5] === 1, machine: words.half(head, 18) };
  return {
    ...kind,
    type: type === ET_EXEC ? "executable" : "shared",
    interpreter: readInterpreter(file, segments, name),
    ...readDynamic(file, segments, words, name),
  };
}

function badElf(name: string, why: string): BrigError {
  return new BrigError(`cannot read the ELF file ${JSON.stringify(name)}: ${why}`, {
    code: "BRIG_BAD_ELF",
    hint: "the file is damaged or was made to mislead; take it from its package again",
  });
}

function readIdentity(head: Buffer, name: string): Words {
  if (!isElf(head)) throw badElf(name, "it does not begin as one");
  const [bits, order] = [head[4], head[5]];
  if (bits !== 1 && bits !== 2) throw badElf(name, `its class is ${bits}`);
  if (order !== 1 && order !== 2) throw badElf(name, `its byte order is ${order}`);
  if (head.length < (bits === 2 ? 64 : 52)) throw badElf(name, "it ends within the header");
  return makeWords(bits === 2, order === 1, name);
}

function makeWords(wide: boolean, little: boolean, name: string): Words {
  const word = (bytes: Buffer, at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const address64 = (bytes: Buffer, at: number) => {
    const value = Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
    // Beyond 2^53 lie kernel addresses and lies; neither is an offset in a file.
    if (!Number.isSafeInteger(value)) throw badElf(name, "a number in it is beyond any file's size");
    return value;
  };
  return {
    half: (bytes, at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    word,
    address: wide ? address64 : word,
    addressSize: wide ? 8 : 4,
  };
}

function readSegments(file: FileBytes, head: Buffer, words: Words, name: string): Segment[] {
  const wide = words.addressSize === 8;
  const entrySize = words.half(head, wide ? 54 : 42);
  const count = words.half(head, wide ? 56 : 44);
  if (count === 0) return [];
  if (entrySize !== (wide ? 56 : 32)) throw badElf(name, `its program headers are ${entrySize} bytes each`);
  if (count * entrySize > MAX_PHDRS_SIZE) throw badElf(name, `it has ${count} program headers`);
  const table = file.read(words.address(head, wide ? 32 : 28), count * entrySize);
  if (table.length < count * entrySize) throw badElf(name, "it ends within the program headers");
  return Array.from({ length: count }, (_, index) => readSegment(table, index * entrySize, words))
    .filter((segment) => segment !== undefined);
}

function readSegment(table: Buffer, at: number, words: Words): Segment | undefined {
  const type = words.word(table, at);
  if (type !== PT_LOAD && type !== PT_DYNAMIC && type !== PT_INTERP) return undefined;
  const [offset, vaddr, size] = words.addressSize === 8 ? [8, 16, 32] : [4, 8, 16];
  return {
    type,
    offset: words.address(table, at + offset!),
    vaddr: words.address(table, at + vaddr!),
    size: words.address(table, at + size!),
  };
}

function readInterpreter(file: FileBytes, segments: Segment[], name: string): string | undefined {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (segment === undefined) return undefined;
  if (segment.size < 2 || segment.size > MAX_INTERPRETER) throw badElf(name, `its interpreter's name is ${segment.size} bytes`);
  const bytes = file.read(segment.offset, segment.size);
  const end = bytes.indexOf(0);
  if (bytes.length < segment.size || end < 0) throw badElf(name, "its interpreter's name does not end");
  return bytes.toString("utf8", 0, end);
}

type Dynamic = Omit<ElfFile, keyof ElfKind | "type" | "interpreter">;

function readDynamic(file: FileBytes, segments: Segment[], words: Words, name: string): Dynamic {
  const tags = readTags(file, segments, words, name);
  const last = (tag: number) => tags.findLast((entry) => entry.tag === tag)?.value;
  const strings = locateStrings(segments, last(DT.strtab), last(DT.strsz) ?? 0, file.stat.size);
  const text = (offset: number) => readString(file, strings, offset, name);
  const all = (tag: number) => {
    const found = tags.filter((entry) => entry.tag === tag);
    if (found.length > MAX_NEEDED) throw badElf(name, `it needs ${found.length} libraries`);
    return found.map(({ value }) => text(value));
  };
  const one = (tag: number) => {
    const value = last(tag);
    return value === undefined ? undefined : text(value);
  };
  return {
    needed: all(DT.needed),
    auxiliary: all(DT_AUXILIARY),
    filters: all(DT_FILTER),
    soname: one(DT.soname),
    rpath: one(DT.rpath),
    runpath: one(DT.runpath),
    noDefaultLibraries: ((last(DT.flags1) ?? 0) & DF_1_NODEFLIB) !== 0,
    strings,
  };
}

const WANTED = new Set<number>([...Object.values(DT), DT_AUXILIARY, DT_FILTER]);

function readTags(file: FileBytes, segments: Segment[], words: Words, name: string): { tag: number; value: number }[] {
  const segment = segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return [];
  if (segment.size > MAX_DYNAMIC) throw badElf(name, `its dynamic section is ${segment.size} bytes`);
  const bytes = file.read(segment.offset, segment.size);
  const step = words.addressSize * 2;
  const tags: { tag: number; value: number }[] = [];
  for (let at = 0; at + step <= bytes.length; at += step) {
    const tag = readTag(bytes, at, words);
    if (tag === 0) break;
    if (WANTED.has(tag)) tags.push({ tag, value: words.address(bytes, at + words.addressSize) });
  }
  return tags;
}

/** A tag fits 32 bits in every known case; a wider one is nobody's and gives -1. */
function readTag(bytes: Buffer, at: number, words: Words): number {
  if (words.addressSize === 4) return words.word(bytes, at);
  const [first, second] = [words.word(bytes, at), words.word(bytes, at + 4)];
  const little = words.half(Buffer.from([1, 0]), 0) === 1;
  const [low, high] = little ? [first, second] : [second, first];
  return high === 0 ? low : -1;
}

function locateStrings(segments: Segment[], vaddr: number | undefined, size: number, fileSize: number): ElfFile["strings"] {
  if (vaddr === undefined) return undefined;
  const segment = segments.find((s) => s.type === PT_LOAD && vaddr >= s.vaddr && vaddr < s.vaddr + s.size);
  if (segment === undefined) return undefined;
  const offset = segment.offset + (vaddr - segment.vaddr);
  if (offset >= fileSize) return undefined;
  return { offset, size: Math.min(size, fileSize - offset) };
}

function readString(file: FileBytes, strings: ElfFile["strings"], offset: number, name: string): string {
  if (strings === undefined || offset >= strings.size) throw badElf(name, "a name in it lies outside its string table");
  const bytes = file.read(strings.offset + offset, Math.min(strings.size - offset, MAX_INTERPRETER * 4));
  const end = bytes.indexOf(0);
  if (end < 0) throw badElf(name, "a name in it does not end");
  return bytes.toString("utf8", 0, end);
}
