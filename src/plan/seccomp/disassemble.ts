import { decodeAction } from "./actions.js";
import { AUDIT_ARCH } from "./architectures.js";
import { AND, type Instruction, JUMP, LOAD, RETURN_VALUE, TESTS, decodeProgram } from "./bpf.js";
import type { Test } from "./graph.js";

const SIGNS: Record<Test, string> = { eq: "==", gt: ">", ge: ">=", set: "&" };

/** One line an instruction: `  12  if (A >= 41) goto 20 else 13`. */
export function disassembleSeccomp(program: Uint8Array): string[] {
  const instructions = decodeProgram(program);
  const width = String(instructions.length - 1).length;
  const loaded = traceLoads(instructions);
  return instructions.map((instruction, at) => `${String(at).padStart(width)}  ${describe(instruction, at, loaded[at] ?? "")}`);
}

/** What the accumulator holds when each instruction is reached, where all ways to it agree on that. */
function traceLoads(instructions: Instruction[]): string[] {
  const loaded: string[] = [];
  const reach = (at: number, word: string): void => {
    loaded[at] = loaded[at] === undefined || loaded[at] === word ? word : "";
  };
  for (const [at, { code, k, yes, no }] of instructions.entries()) {
    const held = code === LOAD ? nameWord(k) : (loaded[at] ?? "");
    if (code === JUMP) reach(at + 1 + k, held);
    else if (code !== RETURN_VALUE) for (const skip of new Set([yes, no])) reach(at + 1 + skip, held);
  }
  return loaded;
}

function describe(instruction: Instruction, at: number, loaded: string): string {
  const { code, k, yes, no } = instruction;
  if (code === LOAD) return `A = ${nameWord(k)}`;
  if (code === AND) return `A &= ${hex(k)}`;
  if (code === JUMP) return `goto ${at + 1 + k}`;
  if (code === RETURN_VALUE) return `return ${nameAction(k)}`;
  const test = (Object.keys(TESTS) as Test[]).find((name) => TESTS[name] === code);
  if (!test) return `unknown operation ${hex(code)}, k ${hex(k)}`;
  return `if (A ${SIGNS[test]} ${nameConstant(k, loaded)}) goto ${at + 1 + yes} else ${at + 1 + no}`;
}

/** A field of struct seccomp_data (linux/seccomp.h). */
function nameWord(offset: number): string {
  if (offset < 16) return ["nr", "arch", "ip.low", "ip.high"][offset / 4] ?? `word at ${offset}`;
  return `arg${Math.floor((offset - 16) / 8)}.${offset % 8 === 0 ? "low" : "high"}`;
}

function nameConstant(k: number, loaded: string): string {
  if (loaded === "nr") return k >= 0x40000000 ? hex(k) : String(k);
  if (loaded !== "arch") return hex(k);
  return Object.entries(AUDIT_ARCH).find(([, number]) => number === k)?.[0] ?? hex(k);
}

function nameAction(value: number): string {
  const { action, data } = decodeAction(value);
  return action.replace("SCMP_ACT_", "") + (data === 0 ? "" : `(${data})`);
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
