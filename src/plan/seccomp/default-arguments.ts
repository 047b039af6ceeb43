import type { SeccompArg, SeccompRule } from "../../spec/oci.js";

/**
 * Rules that look at arguments. The kernel reads many of them as `int` and never sees the upper half of the register,
 * so they are compared by the lower half: an attacker's upper half changes nothing, and neither does what a compiler
 * left there.
 */
const INT = 0xffffffff;

/** (argument & mask) == value. */
export function whereMasked(index: number, mask: number, value: number): SeccompArg {
  return { index, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: value };
}

/** The `int` argument is this value. */
export function whereInt(index: number, value: number): SeccompArg {
  return whereMasked(index, INT, value);
}

export function allow(names: string | string[], ...args: SeccompArg[]): SeccompRule {
  const rule: SeccompRule = { names: typeof names === "string" ? names.split(" ") : names, action: "SCMP_ACT_ALLOW" };
  return args.length > 0 ? { ...rule, args } : rule;
}

/** One rule for each value of the `int` argument. */
export function allowInts(names: string, index: number, values: readonly number[]): SeccompRule[] {
  return values.map((value) => allow(names, whereInt(index, value)));
}

/**
 * Allows every value of the `int` argument but these. OCI has no masked "not equal", and rules with different
 * actions that overlap mean different things to different runtimes, so the complement is spelled out in rules that
 * each fix a prefix of the bits: those that leave all paths to a refused value. The compiler joins them again.
 */
export function allowIntsExcept(names: string, index: number, refused: readonly number[]): SeccompRule[] {
  return listComplement(refused.map((value) => value >>> 0)).map(({ mask, value }) => allow(names, whereMasked(index, mask, value)));
}

interface MaskedValue {
  mask: number;
  value: number;
}

/** Masked values that together match all 32-bit words but these, by bits on which the refused ones agree first. */
function listComplement(refused: number[]): MaskedValue[] {
  const bits = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);
  const agreed = bits.filter((bit) => refused.every((word) => ((word ^ refused[0]!) & bit) === 0));
  const away = agreed.map((bit) => ({ mask: bit, value: (~refused[0]! & bit) >>> 0 }));
  return [...away, ...listUnused(refused, bits.filter((bit) => !agreed.includes(bit)))];
}

/** All combinations of the bits on which they differ that none of them has. */
function listUnused(refused: number[], bits: number[]): MaskedValue[] {
  const mask = bits.reduce((sum, bit) => (sum | bit) >>> 0, 0);
  const combinations = bits.reduce<number[]>((words, bit) => words.flatMap((word) => [word, (word | bit) >>> 0]), [0]);
  const taken = new Set(refused.map((word) => (word & mask) >>> 0));
  return combinations.filter((word) => !taken.has(word)).map((value) => ({ mask, value }));
}
