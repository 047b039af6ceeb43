import type { Seccomp, SeccompArg, SeccompRule } from "../../../src/spec/oci.js";
import { type SyscallTable, readSyscalls } from "../../../src/plan/seccomp/tables.js";

/** What OCI rules mean, said as plainly as possible: no ranges, no sharing, one call at a time. */

const ACTIONS: Record<string, number> = {
  SCMP_ACT_KILL_PROCESS: 0x80000000, SCMP_ACT_KILL: 0, SCMP_ACT_KILL_THREAD: 0, SCMP_ACT_TRAP: 0x30000,
  SCMP_ACT_ERRNO: 0x50000, SCMP_ACT_NOTIFY: 0x7fc00000, SCMP_ACT_TRACE: 0x7ff00000, SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};
const STRICTEST_FIRST = [0x80000000, 0, 0x30000, 0x50000, 0x7fc00000, 0x7ff00000, 0x7ffc0000, 0x7fff0000];
const NOSYS = 0x50000 + 38;

export function toValue(action: string, errnoRet: number | undefined): number {
  const takesData = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return ACTIONS[action]! + (takesData ? (errnoRet ?? 1) : 0);
}

export function compare(arg: SeccompArg, actual: bigint, wide: boolean): boolean {
  const cut = (word: bigint | number): bigint => (wide ? BigInt(word) : BigInt(word) & 0xffffffffn);
  const [given, first, second] = [cut(actual), cut(arg.value), cut(arg.valueTwo ?? 0)];
  switch (arg.op) {
    case "SCMP_CMP_EQ": return given === first;
    case "SCMP_CMP_NE": return given !== first;
    case "SCMP_CMP_LT": return given < first;
    case "SCMP_CMP_LE": return given <= first;
    case "SCMP_CMP_GT": return given > first;
    case "SCMP_CMP_GE": return given >= first;
    case "SCMP_CMP_MASKED_EQ": return (given & first) === (second & first);
  }
}

function matches(rule: SeccompRule, args: bigint[], wide: boolean): boolean {
  const all = rule.args ?? [];
  const repeated = all.some((a, i) => all.some((b, j) => i !== j && a.index === b.index));
  const test = (arg: SeccompArg): boolean => compare(arg, args[arg.index]!, wide);
  return repeated ? all.some(test) : all.every(test);
}

/** SECCOMP_RET_* for one call. Without x86's multiplexers, which have their own tests. */
export function interpret(seccomp: Seccomp, table: SyscallTable, nr: number, args: bigint[]): number {
  const fallback = toValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  const numbers = readSyscalls(table);
  const wide = table === "x64" || table === "arm64";
  const all = (seccomp.syscalls ?? []).filter((rule) => rule.names.some((name) => numbers.get(name) === nr));
  const said = all.filter((rule) => toValue(rule.action, rule.errnoRet) !== fallback);
  const plain = said.find((rule) => (rule.args ?? []).length === 0);
  if (plain) return toValue(plain.action, plain.errnoRet);
  const held = said.filter((rule) => matches(rule, args, wide)).map((rule) => toValue(rule.action, rule.errnoRet));
  for (const action of STRICTEST_FIRST) {
    const found = held.find((value) => ((value & 0xffff0000) >>> 0) === action);
    if (found !== undefined) return found;
  }
  return said.length > 0 ? fallback : interpretUnnamed(seccomp, table, nr, fallback);
}

function interpretUnnamed(seccomp: Seccomp, table: SyscallTable, nr: number, fallback: number): number {
  if (table === "x64" && nr >= 0x40000000) return NOSYS;
  if (["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(seccomp.defaultAction)) return fallback;
  const numbers = readSyscalls(table);
  const last = Math.max(...[...numbers.values()].filter((number) => number < 0xf0000));
  if (nr > last) return NOSYS;
  const named = (seccomp.syscalls ?? []).flatMap((rule) => rule.names).map((name) => numbers.get(name) ?? -1);
  const lastNamed = Math.max(-1, ...named.filter((number) => number < 0xf0000));
  return seccomp.defaultAction === "SCMP_ACT_ERRNO" && nr >= 424 && nr > lastNamed ? NOSYS : fallback;
}
