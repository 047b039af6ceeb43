import type { FileBytes } from "./file-bytes.js";
import type { ElfFile } from "./read-elf.js";

const MAX_STRINGS = 16 << 20;

/**
 * Which of `names` stand in the file's dynamic string table: the symbols that it imports or defines. A hint, not a
 * proof: a string table says neither which.
 */
export function findDynamicNames(file: FileBytes, elf: ElfFile, names: readonly string[]): string[] {
  if (elf.strings === undefined) return [];
  const table = file.read(elf.strings.offset, Math.min(elf.strings.size, MAX_STRINGS));
  return names.filter((name) => table.includes(`\0${name}\0`, 0, "latin1"));
}
