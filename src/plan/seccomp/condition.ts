import { BrigError } from "../../error/brig-error.js";
import type { SeccompArg, SeccompOperator } from "../../spec/oci.js";

/** One compare of one argument, checked and with its numbers as 64-bit words. */
export interface Condition {
  /** 0-5. */
  index: number;
  /** "eq" and "ne" look at the bits in `mask` alone, the others at the whole argument, unsigned. */
  op: "eq" | "ne" | "lt" | "le" | "ge" | "gt";
  /** 0n-2^64-1. */
  value: bigint;
  mask: bigint;
}

const OPERATORS: Record<SeccompOperator, Condition["op"]> = {
  SCMP_CMP_NE: "ne",
  SCMP_CMP_LT: "lt",
  SCMP_CMP_LE: "le",
  SCMP_CMP_EQ: "eq",
  SCMP_CMP_GE: "ge",
  SCMP_CMP_GT: "gt",
  SCMP_CMP_MASKED_EQ: "eq",
};
const ALL_ONES = 0xffffffffffffffffn;

/** Checks one `args` entry. Throws on an index, an operator or a number that the kernel could not compare. */
export function readCondition(arg: SeccompArg, names: string[]): Condition {
  const about = names.join(",");
  if (!Number.isInteger(arg.index) || arg.index < 0 || arg.index > 5) throw refuse(about, `argument index ${arg.index} is not in 0-5`);
  if (!Object.hasOwn(OPERATORS, arg.op)) throw refuse(about, `unknown compare ${JSON.stringify(arg.op)}`);
  const op = OPERATORS[arg.op];
  const value = readWord(arg.value, about);
  const valueTwo = readWord(arg.valueTwo ?? 0, about);
  if (arg.op !== "SCMP_CMP_MASKED_EQ") return { index: arg.index, op, value, mask: ALL_ONES };
  // Bits outside of the mask say nothing, as with libseccomp.
  return { index: arg.index, op, value: valueTwo & value, mask: value };
}

/**
 * The same condition as libseccomp compares it on an architecture with 32-bit arguments: by the low half alone.
 */
export function narrowCondition(condition: Condition): Condition {
  return { ...condition, value: condition.value & 0xffffffffn, mask: condition.mask & 0xffffffffn };
}

/** JSON numbers beyond 2^53 have lost digits, so that the compare would not be the one that was written. */
function readWord(value: number | bigint, about: string): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    // An all-ones word is so common in profiles that its rounded form is unmistakable.
    if (value === 2 ** 64) return ALL_ONES;
    throw refuse(about, `${value} has more digits than a JSON number keeps`);
  }
  const word = BigInt(value);
  if (word < 0n || word > ALL_ONES) throw refuse(about, `${value} is not an unsigned 64-bit number`);
  return word;
}

function refuse(about: string, what: string): BrigError {
  return new BrigError(`seccomp rule for ${about}: ${what}`, {
    code: "BRIG_SECCOMP_ARGUMENT",
    hint: "see config-linux.md#seccomp of the OCI runtime specification; in the library a large number can be a bigint",
  });
}
