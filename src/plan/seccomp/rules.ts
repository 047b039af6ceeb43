import type { Seccomp, SeccompRule } from "../../spec/oci.js";
import { RETURN, compareStrictness, encodeAction } from "./actions.js";
import { isWide } from "./architectures.js";
import { type Condition, narrowCondition, readCondition } from "./condition.js";
import { readMultiplexed } from "./multiplex.js";
import { type SyscallTable, readSyscalls } from "./tables.js";

/** All conditions hold: the filter returns `value`. */
export interface Clause {
  conditions: Condition[];
  value: number;
}

/** What becomes of one call: the first clause that holds decides, else `otherwise`. */
export interface Decision {
  clauses: Clause[];
  otherwise: number;
}

/** A rule with everything checked that does not depend on an architecture. */
export interface CheckedRule {
  names: string[];
  value: number;
  /** Empty: the rule is unconditional. Otherwise one of them must hold. */
  alternatives: Condition[][];
}

/** Checks the rules once for all architectures. Throws on what is not an OCI rule. */
export function checkRules(seccomp: Seccomp): CheckedRule[] {
  return (seccomp.syscalls ?? []).map(checkRule);
}

function checkRule(rule: SeccompRule): CheckedRule {
  const conditions = (rule.args ?? []).map((arg) => readCondition(arg, rule.names));
  return { names: rule.names, value: encodeAction(rule.action, rule.errnoRet), alternatives: listAlternatives(conditions) };
}

/**
 * Several compares of one argument in a rule are alternatives, not a conjunction: libseccomp cannot compare an
 * argument twice in a rule, and runc and crun then add one rule for each compare.
 */
function listAlternatives(conditions: Condition[]): Condition[][] {
  if (conditions.length === 0) return [];
  const indexes = new Set(conditions.map((condition) => condition.index));
  return indexes.size < conditions.length ? conditions.map((condition) => [condition]) : [conditions];
}

/**
 * What the rules mean for one architecture, as runc and libseccomp take them: a rule with the default's action says
 * nothing; an unconditional rule beats every conditional one of the same call, and the first of several holds;
 * conditional rules are alternatives. Where conditional rules with different actions overlap, libseccomp's answer
 * depends on the order of its tree; here the most restrictive holds.
 */
export function decideCalls(rules: CheckedRule[], fallback: number, table: SyscallTable): Map<number, Decision> {
  const decisions: Decisions = new Map();
  for (const rule of rules) if (rule.value !== fallback) decideRule(decisions, rule, fallback, table);
  for (const { clauses } of decisions.values())
    if (clauses.length > 1) clauses.sort((a, b) => compareStrictness(a.value, b.value));
  return decisions;
}

type Decisions = Map<number, Decision & { fixed?: boolean }>;

function decideRule(decisions: Decisions, rule: CheckedRule, fallback: number, table: SyscallTable): void {
  const numbers = readSyscalls(table);
  const clauses = rule.alternatives.map((conditions) => ({
    conditions: isWide(table) ? conditions : conditions.map(narrowCondition),
    value: rule.value,
  }));
  for (const name of rule.names) {
    const number = numbers.get(name);
    if (number !== undefined) addClauses(decisions, number, clauses, rule.value, fallback);
    if (table === "x86") addMultiplexed(decisions, rule, name, fallback);
  }
}

/**
 * The same call through its multiplexer, where the real arguments are behind a pointer: a rule that opens by
 * arguments cannot be told apart there and opens nothing, one that refuses must refuse all.
 */
function addMultiplexed(decisions: Decisions, rule: CheckedRule, name: string, fallback: number): void {
  const multiplexed = readMultiplexed(name);
  if (!multiplexed || (rule.alternatives.length > 0 && compareStrictness(rule.value, fallback) >= 0)) return;
  const clause = { conditions: [multiplexed.condition], value: rule.value };
  addClauses(decisions, multiplexed.number, [clause], rule.value, fallback);
}

/** No clauses: the rule is unconditional. */
function addClauses(decisions: Decisions, number: number, clauses: Clause[], value: number, fallback: number): void {
  const decision = decisions.get(number);
  if (decision?.fixed) return;
  if (clauses.length === 0) decisions.set(number, { clauses, otherwise: value, fixed: true });
  else if (decision) decision.clauses.push(...clauses);
  else decisions.set(number, { clauses: [...clauses], otherwise: fallback });
}

/** The highest number below `limit` that any rule names, or -1. */
export function findLastNamed(rules: CheckedRule[], table: SyscallTable, limit: number): number {
  const numbers = readSyscalls(table);
  let last = -1;
  for (const { names } of rules)
    for (const name of names) {
      const number = numbers.get(name) ?? -1;
      if (number > last && number < limit) last = number;
    }
  return last;
}

/** Whether any rule asks a supervisor. */
export function usesNotify(rules: CheckedRule[]): boolean {
  return rules.some((rule) => rule.value === RETURN.SCMP_ACT_NOTIFY);
}
