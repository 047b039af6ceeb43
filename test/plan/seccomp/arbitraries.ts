import { fc } from "../../fast-check.js";
import type { Seccomp, SeccompArg, SeccompOperator, SeccompRule } from "../../../src/spec/oci.js";
import { type SyscallTable, readSyscalls } from "../../../src/plan/seccomp/tables.js";

const EDGES = [0n, 1n, 2n, 0x5412n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x100000001n, 0x7e020000n];
const TOP = [0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffff00000000n, 0xffffffffffffffffn];

/** 64-bit words that meet each other and the edges of halves often. */
export const word = fc.oneof(
  fc.constantFrom(...EDGES, ...TOP),
  fc.bigInt({ min: 0n, max: 7n }),
  fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  fc.tuple(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 3n })).map(([high, low]) => (high << 32n) | low),
);
const OPERATORS: SeccompOperator[] = [
  "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
];
const oneBit = fc.integer({ min: 0, max: 63 }).map((bit) => 1n << BigInt(bit));

const ordinary: fc.Arbitrary<SeccompArg> = fc.record({
  index: fc.integer({ min: 0, max: 5 }), op: fc.constantFrom(...OPERATORS), value: word, valueTwo: word,
});
/** Compares of one bit, which the compiler joins. */
const bitwise: fc.Arbitrary<SeccompArg> = fc
  .tuple(fc.integer({ min: 0, max: 1 }), oneBit, fc.boolean())
  .map(([index, bit, set]) => ({ index, op: "SCMP_CMP_MASKED_EQ", value: bit, valueTwo: set ? bit : 0n }));
export const arg = fc.oneof(ordinary, bitwise);

export const action = fc.constantFrom(
  { action: "SCMP_ACT_ALLOW" }, { action: "SCMP_ACT_ERRNO", errnoRet: 1 }, { action: "SCMP_ACT_ERRNO", errnoRet: 38 },
  { action: "SCMP_ACT_KILL" }, { action: "SCMP_ACT_KILL_PROCESS" }, { action: "SCMP_ACT_TRAP" }, { action: "SCMP_ACT_LOG" },
  { action: "SCMP_ACT_TRACE", errnoRet: 7 },
) as fc.Arbitrary<Pick<SeccompRule, "action" | "errnoRet">>;

/** Names of a table, few of them often, so that rules meet. */
export function names(table: SyscallTable): fc.Arbitrary<string[]> {
  const all = [...readSyscalls(table).keys()];
  const few = fc.constantFrom("read", "write", "openat", "clone", "futex", "madvise");
  return fc.array(fc.oneof({ weight: 3, arbitrary: few }, { weight: 1, arbitrary: fc.constantFrom(...all) }), { minLength: 1, maxLength: 4 });
}

export function rule(table: SyscallTable): fc.Arbitrary<SeccompRule> {
  return fc
    .record({ names: names(table), how: action, args: fc.array(arg, { maxLength: 3 }) })
    .map(({ names, how, args }) => ({ names, ...how, args }));
}

export function profile(table: SyscallTable): fc.Arbitrary<Seccomp> {
  return fc.record({ how: action, syscalls: fc.array(rule(table), { maxLength: 12 }) }).map(({ how, syscalls }) => ({
    defaultAction: how.action,
    ...(how.errnoRet === undefined ? {} : { defaultErrnoRet: how.errnoRet }),
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    syscalls,
  }));
}

/** Arguments that lie on, next to, or one bit from the numbers that the rules compare with. */
export function argumentsNear(seccomp: Seccomp): fc.Arbitrary<bigint[]> {
  const compared = (seccomp.syscalls ?? []).flatMap((rule) => rule.args ?? []).flatMap((each) => [BigInt(each.value), BigInt(each.valueTwo ?? 0)]);
  const near = fc.tuple(fc.constantFrom(0n, ...compared), fc.constantFrom(0n, 1n, -1n), fc.option(oneBit, { nil: 0n, freq: 3 }));
  const one = fc.oneof(word, near.map(([value, step, bit]) => ((value + step) & 0xffffffffffffffffn) ^ bit));
  return fc.array(one, { minLength: 6, maxLength: 6 });
}
