import type { SeccompAction } from "../../spec/oci.js";
import { decodeAction, isAllowed } from "./actions.js";
import { AUDIT_ARCH } from "./architectures.js";
import { AND, type Instruction, JUMP, LOAD, RETURN_VALUE, TESTS, decodeProgram } from "./bpf.js";
import { type SyscallTable, readSyscalls } from "./tables.js";

/** A system call as the kernel shows it to a filter: struct seccomp_data. */
export interface SyscallEvent {
  /** Whose call it is, or an AUDIT_ARCH_* number. */
  arch: SyscallTable | number;
  nr: number;
  /** Up to six, unsigned; the missing ones are 0. */
  args?: readonly (number | bigint)[];
  /** Instruction pointer. */
  ip?: number | bigint;
}

export interface SeccompVerdict {
  action: SeccompAction;
  /** The errno, or the tracer's message. */
  data: number;
  /** Instructions that were run. */
  steps: number;
}

/** Runs a filter on one call, as the kernel would. Throws RangeError on a program that the kernel would not take. */
export function evaluateSeccomp(program: Uint8Array, event: SyscallEvent): SeccompVerdict {
  return run(decodeProgram(program), encodeEvent(event));
}

/** How many of an architecture's calls happen when all of their arguments are zero. */
export function countAllowed(program: Uint8Array, arch: SyscallTable): number {
  return readSyscalls(arch).size - listRefused(program, arch).length;
}

/** The names of an architecture's calls that do not happen when all of their arguments are zero, in table order. */
export function listRefused(program: Uint8Array, arch: SyscallTable): string[] {
  const instructions = decodeProgram(program);
  const refused = ([, nr]: [string, number]): boolean => {
    const { value } = walk(instructions, encodeEvent({ arch, nr }));
    return !isAllowed(value);
  };
  return [...readSyscalls(arch)].filter(refused).map(([name]) => name);
}

/** struct seccomp_data as sixteen 32-bit words. */
function encodeEvent({ arch, nr, args = [], ip = 0 }: SyscallEvent): Uint32Array {
  const words = new Uint32Array(16);
  const view = new DataView(words.buffer);
  view.setUint32(0, nr, true);
  view.setUint32(4, typeof arch === "number" ? arch : AUDIT_ARCH[arch], true);
  view.setBigUint64(8, BigInt(ip), true);
  for (const [index, argument] of args.slice(0, 6).entries()) view.setBigUint64(16 + 8 * index, BigInt(argument), true);
  return words;
}

function run(instructions: Instruction[], words: Uint32Array): SeccompVerdict {
  const { value, steps } = walk(instructions, words);
  return { ...decodeAction(value), steps };
}

function walk(instructions: Instruction[], words: Uint32Array): { value: number; steps: number } {
  let accumulator = 0;
  for (let at = 0, steps = 1; ; at++, steps++) {
    const instruction = instructions[at];
    if (!instruction) throw new RangeError(`the program runs off its end at ${at}`);
    const { code, yes, no, k } = instruction;
    if (code === RETURN_VALUE) return { value: k, steps };
    if (code === LOAD) accumulator = load(words, k);
    else if (code === AND) accumulator = (accumulator & k) >>> 0;
    else if (code === JUMP) at += k;
    else at += holds(code, accumulator, k) ? yes : no;
  }
}

function load(words: Uint32Array, offset: number): number {
  const word = words[offset / 4];
  if (word === undefined) throw new RangeError(`no 32-bit word of struct seccomp_data is at ${offset}`);
  return word;
}

function holds(code: number, accumulator: number, k: number): boolean {
  if (code === TESTS.eq) return accumulator === k;
  if (code === TESTS.ge) return accumulator >= k;
  if (code === TESTS.gt) return accumulator > k;
  if (code === TESTS.set) return (accumulator & k) !== 0;
  throw new RangeError(`operation 0x${code.toString(16)} is not one that brig writes`);
}
