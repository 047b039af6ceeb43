import type { Test } from "./graph.js";

/** Classic BPF as seccomp uses it (linux/filter.h, linux/bpf_common.h): the operation codes. */
export const LOAD = 0x20; /* BPF_LD | BPF_W | BPF_ABS */
export const AND = 0x54; /* BPF_ALU | BPF_AND | BPF_K */
export const JUMP = 0x05; /* BPF_JMP | BPF_JA */
export const RETURN_VALUE = 0x06; /* BPF_RET | BPF_K */
export const TESTS: Record<Test, number> = { eq: 0x15, gt: 0x25, ge: 0x35, set: 0x45 };

/** BPF_MAXINSNS: the kernel takes no longer program. */
export const MAX_INSTRUCTIONS = 4096;
/** Bytes of struct sock_filter. */
export const INSTRUCTION_SIZE = 8;

/** struct sock_filter. */
export interface Instruction {
  code: number;
  /** Instructions skipped when a compare holds, and when it does not: 0-255. */
  yes: number;
  no: number;
  k: number;
}

/** An array of struct sock_filter as little-endian bytes. */
export function encodeProgram(instructions: Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, yes, no, k }] of instructions.entries()) {
    const at = index * INSTRUCTION_SIZE;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, yes);
    view.setUint8(at + 3, no);
    view.setUint32(at + 4, k, true);
  }
  return bytes;
}

/** The reverse; bytes behind the last whole instruction are left out. */
export function decodeProgram(program: Uint8Array): Instruction[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: Math.floor(program.length / INSTRUCTION_SIZE) }, (_, index) => {
    const at = index * INSTRUCTION_SIZE;
    return { code: view.getUint16(at, true), yes: view.getUint8(at + 2), no: view.getUint8(at + 3), k: view.getUint32(at + 4, true) };
  });
}
