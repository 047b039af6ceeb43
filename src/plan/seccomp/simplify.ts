import type { Clause } from "./rules.js";

/**
 * Fewer compares with the same meaning: neighbouring clauses that each look at one bit of one argument and return
 * the same become one. "bit 0 is set, or bit 4 is clear" is "(argument & 0x11) != 0x10". This is what makes the
 * complement of a set, which OCI can only write as many one-bit rules, as cheap as the set.
 */
export function simplifyClauses(clauses: Clause[]): Clause[] {
  const bits = new Map<string, Clause>();
  const kept: Clause[] = [];
  for (const clause of clauses) {
    if (!looksAtOneBit(clause)) {
      kept.push(clause);
      continue;
    }
    const key = `${clause.conditions[0]!.index},${clause.value}`;
    const merged = mergeBit(bits.get(key), clause);
    if (!bits.has(key)) kept.push(merged);
    bits.set(key, merged);
  }
  return kept;
}

function looksAtOneBit({ conditions }: Clause): boolean {
  const [only, ...others] = conditions;
  return others.length === 0 && only!.op === "eq" && isOneBit(only!.mask);
}

function isOneBit(mask: bigint): boolean {
  return mask !== 0n && (mask & (mask - 1n)) === 0n;
}

/** Widens `merged` in place, so that it stays where the first of its clauses stood. */
function mergeBit(merged: Clause | undefined, clause: Clause): Clause {
  const { index, mask, value } = clause.conditions[0]!;
  const unwanted = value ^ mask;
  if (!merged) return { value: clause.value, conditions: [{ index, op: "ne", mask, value: unwanted }] };
  const condition = merged.conditions[0];
  if (!condition) return merged;
  // Both values of one bit: the clause always holds.
  if ((condition.mask & mask) !== 0n && (condition.value & mask) !== unwanted) merged.conditions = [];
  else merged.conditions = [{ ...condition, mask: condition.mask | mask, value: condition.value | unwanted }];
  return merged;
}
