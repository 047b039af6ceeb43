import { AARCH64 } from "./tables/aarch64.js";
import { ARM } from "./tables/arm.js";
import { I386 } from "./tables/i386.js";
import { X86_64 } from "./tables/x86-64.js";

/** A set of system call numbers as the kernel's `seccomp_data.arch` tells them apart. */
export type SyscallTable = "x64" | "x86" | "arm64" | "arm";

const TEXTS: Record<SyscallTable, string> = { x64: X86_64, x86: I386, arm64: AARCH64, arm: ARM };
const parsed = new Map<SyscallTable, Map<string, number>>();

/**
 * Name to number, in the order of numbers. Parsed when first asked for: a foreign table costs nothing but its text.
 */
export function readSyscalls(table: SyscallTable): ReadonlyMap<string, number> {
  let numbers = parsed.get(table);
  if (!numbers) parsed.set(table, (numbers = parseTable(TEXTS[table])));
  return numbers;
}

/** 32-bit tables first: what a profile names beyond the machine's own calls is mostly theirs. */
const ALL_NAMES = ["", ARM, I386, X86_64, AARCH64, ""].join(" ");

/** Whether any architecture that brig knows has a call of this name. */
export function isKnownSyscall(name: string): boolean {
  return /^[a-z_]\w*$/.test(name) && ALL_NAMES.includes(` ${name} `);
}

/** The highest number that the table gives to a call of the kernel's common range (not ARM's private calls). */
export function readLastNumber(table: SyscallTable): number {
  let last = 0;
  for (const number of readSyscalls(table).values()) if (number < ARM_PRIVATE) last = Math.max(last, number);
  return last;
}

/** First of ARM's private calls, far behind all others (arch/arm/include/uapi/asm/unistd.h, __ARM_NR_BASE). */
const ARM_PRIVATE = 0x0f0000;

function parseTable(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.split(" "))
    if (word.charCodeAt(0) <= NINE) next = Number(word);
    else numbers.set(word, next++);
  return numbers;
}

const NINE = "9".charCodeAt(0);
