import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { decodeAction } from "../../../src/plan/seccomp/actions.js";
import { type CompiledSeccomp, compileSeccomp } from "../../../src/plan/seccomp/compile.js";
import { countAllowed, evaluateSeccomp } from "../../../src/plan/seccomp/evaluate.js";
import { type SyscallTable, readSyscalls } from "../../../src/plan/seccomp/tables.js";
import type { Seccomp, SeccompRule } from "../../../src/spec/oci.js";
import { argumentsNear, profile, word } from "./arbitraries.js";
import { interpret } from "./naive.js";

const HOSTS = { x64: "x64", x86: "x64", arm64: "arm64", arm: "arm64" } as const;
const MULTIPLEXERS = new Set(["ipc", "socketcall"]);

function assertSame(seccomp: Seccomp, compiled: CompiledSeccomp, table: SyscallTable, nr: number, args: bigint[]): void {
  const { action, data } = evaluateSeccomp(compiled.program, { arch: table, nr, args });
  assert.deepEqual({ action, data }, decodeAction(interpret(seccomp, table, nr, args)), `${table} call ${nr} with ${args.join()}`);
}

function numbersToTry(seccomp: Seccomp, table: SyscallTable): number[] {
  const numbers = readSyscalls(table);
  const named = (seccomp.syscalls ?? []).flatMap((rule) => rule.names).flatMap((name) => numbers.get(name) ?? []);
  const fixed = [0, 334, 335, 400, 423, 424, 451, 470, 471, 600, 0xf0001, 0xf0005, 0xf0007, 0x3fffffff, 0x40000000, 0x40000001, 0xffffffff];
  const skipped = table === "x86" ? [...MULTIPLEXERS].map((name) => numbers.get(name)) : [];
  return [...new Set([...fixed, ...named.flatMap((nr) => [nr, nr + 1, Math.max(0, nr - 1)])])].filter((nr) => !skipped.includes(nr));
}

function one(names: string, action: SeccompRule["action"], ...args: NonNullable<SeccompRule["args"]>): SeccompRule {
  return { names: names.split(" "), action, args };
}

function answer(seccomp: Seccomp, name: string, args: (number | bigint)[] = [], table: SyscallTable = "x64"): string {
  const { program } = compileSeccomp(seccomp, { arch: HOSTS[table] });
  const { action, data } = evaluateSeccomp(program, { arch: table, nr: readSyscalls(table).get(name)!, args });
  return `${action.replace("SCMP_ACT_", "")}${data ? ` ${data}` : ""}`;
}

describe("the compiled tree means what the rules say", () => {
  for (const table of ["x64", "x86", "arm64", "arm"] as const)
    test(`for random rules, calls and arguments on ${table}`, () => {
      fc.assert(
        fc.property(profile(table).chain((seccomp) => fc.tuple(fc.constant(seccomp), fc.array(argumentsNear(seccomp), { minLength: 4, maxLength: 8 }))), ([seccomp, tries]) => {
          const compiled = compileSeccomp(seccomp, { arch: HOSTS[table] });
          for (const nr of numbersToTry(seccomp, table)) for (const args of tries) assertSame(seccomp, compiled, table, nr, args);
        }),
        { numRuns: 150 },
      );
    });

  test("for any number at all", () => {
    fc.assert(
      fc.property(profile("x64"), fc.integer({ min: 0, max: 0xffffffff }), fc.array(word, { minLength: 6, maxLength: 6 }), (seccomp, nr, args) =>
        assertSame(seccomp, compileSeccomp(seccomp, { arch: "x64" }), "x64", nr, args),
      ),
      { numRuns: 200 },
    );
  });

  test("and counts what is allowed as an evaluation of the program does", () => {
    fc.assert(
      fc.property(profile("x64"), (seccomp) => {
        const { program, allowed } = compileSeccomp(seccomp, { arch: "x64" });
        assert.equal(allowed, countAllowed(program, "x64"));
      }),
      { numRuns: 50 },
    );
  });
});

describe("several rules for one call", () => {
  const base = { defaultAction: "SCMP_ACT_ERRNO" } as const;
  const zero = { index: 0, op: "SCMP_CMP_EQ", value: 0 } as const;

  test("that ask different things are alternatives", () => {
    const seccomp: Seccomp = { ...base, syscalls: [0, 5].map((value) => one("personality", "SCMP_ACT_ALLOW", { ...zero, value })) };
    assert.deepEqual([0, 3, 5].map((value) => answer(seccomp, "personality", [value])), ["ALLOW", "ERRNO 1", "ALLOW"]);
  });

  test("of which one asks nothing: that one holds, wherever it stands", () => {
    const rules = [one("read", "SCMP_ACT_KILL_PROCESS", zero), one("read", "SCMP_ACT_ALLOW")];
    assert.equal(answer({ ...base, syscalls: rules }, "read"), "ALLOW");
    assert.equal(answer({ ...base, syscalls: rules.toReversed() }, "read"), "ALLOW");
  });

  test("that all ask nothing: the first one holds", () => {
    const rules = [one("read", "SCMP_ACT_KILL_PROCESS"), one("read", "SCMP_ACT_ALLOW")];
    assert.equal(answer({ ...base, syscalls: rules }, "read"), "KILL_PROCESS");
    assert.equal(answer({ ...base, syscalls: rules.toReversed() }, "read"), "ALLOW");
  });

  test("that overlap with different actions: the most restrictive one holds", () => {
    const rules = [one("read", "SCMP_ACT_ALLOW", { ...zero, op: "SCMP_CMP_GE" }), one("read", "SCMP_ACT_TRAP", zero)];
    assert.equal(answer({ ...base, syscalls: rules }, "read", [0]), "TRAP");
    assert.equal(answer({ ...base, syscalls: rules.toReversed() }, "read", [1]), "ALLOW");
  });

  test("with the default's own action say nothing, as with runc", () => {
    const rules = [one("read", "SCMP_ACT_ERRNO"), one("read", "SCMP_ACT_ALLOW")];
    assert.equal(answer({ ...base, syscalls: rules }, "read"), "ALLOW");
  });
});

test("one rule that compares an argument twice is two alternatives, as with runc and crun", () => {
  const args = [{ index: 0, op: "SCMP_CMP_LT", value: 2 }, { index: 0, op: "SCMP_CMP_GT", value: 8 }] as const;
  const seccomp: Seccomp = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [one("read", "SCMP_ACT_ALLOW", ...args)] };
  assert.deepEqual([1, 5, 9].map((value) => answer(seccomp, "read", [value])), ["ALLOW", "ERRNO 1", "ALLOW"]);
});

describe("architectures", () => {
  const allowAll: Seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
  const verdict = (seccomp: Seccomp, arch: SyscallTable | number, nr: number): string => {
    const { action, data } = evaluateSeccomp(compileSeccomp(seccomp, { arch: "x64" }).program, { arch, nr });
    return `${action} ${data}`;
  };

  test("that the spec does not name are killed even where everything is allowed", () => {
    assert.equal(verdict(allowAll, "x86", 3), "SCMP_ACT_KILL_PROCESS 0");
    assert.equal(verdict(allowAll, 0x16, 3), "SCMP_ACT_KILL_PROCESS 0");
    assert.equal(verdict({ ...allowAll, architectures: ["SCMP_ARCH_X86"] }, "x86", 3), "SCMP_ACT_ALLOW 0");
    assert.equal(verdict({ ...allowAll, architectures: ["SCMP_ARCH_X86"] }, "x64", 3), "SCMP_ACT_ALLOW 0");
  });

  test("x32 is refused even where the spec names it", () => {
    for (const nr of [0x40000000, 0x40000001, 0x40000208, 0xffffffff])
      assert.equal(verdict({ ...allowAll, architectures: ["SCMP_ARCH_X32"] }, "x64", nr), "SCMP_ACT_ERRNO 38");
  });

  test("numbers differ between tables and each is looked up in its own", () => {
    const seccomp: Seccomp = { defaultAction: "SCMP_ACT_ERRNO", architectures: ["SCMP_ARCH_X86"], syscalls: [one("getpid", "SCMP_ACT_ALLOW")] };
    assert.deepEqual([39, 20].map((nr) => verdict(seccomp, "x64", nr)), ["SCMP_ACT_ALLOW 0", "SCMP_ACT_ERRNO 1"]);
    assert.deepEqual([39, 20].map((nr) => verdict(seccomp, "x86", nr)), ["SCMP_ACT_ERRNO 1", "SCMP_ACT_ALLOW 0"]);
  });

  test("with an unknown name are an error", () => {
    assert.throws(() => compileSeccomp({ ...allowAll, architectures: ["SCMP_ARCH_Z80"] }), hasCode("BRIG_SECCOMP_ARCH"));
    assert.throws(() => compileSeccomp({ ...allowAll, architectures: ["constructor"] }), hasCode("BRIG_SECCOMP_ARCH"));
    assert.throws(() => compileSeccomp(allowAll, { arch: "mips" as "x64" }), hasCode("BRIG_SECCOMP_ARCH"));
  });
});

describe("32-bit x86's multiplexers", () => {
  const seccomp = (rule: SeccompRule, defaultAction: Seccomp["defaultAction"]): Seccomp => ({ defaultAction, architectures: ["SCMP_ARCH_X86"], syscalls: [rule] });
  const [SOCKET, CONNECT, SHMGET] = [1, 3, 23];
  const family = { index: 0, op: "SCMP_CMP_EQ", value: 1 } as const;

  test("admit what is allowed whatever its arguments are", () => {
    const connect = seccomp(one("connect shmget", "SCMP_ACT_ALLOW"), "SCMP_ACT_ERRNO");
    assert.deepEqual([CONNECT, SOCKET].map((call) => answer(connect, "socketcall", [call], "x86")), ["ALLOW", "ERRNO 1"]);
    assert.equal(answer(connect, "ipc", [SHMGET | (1 << 16)], "x86"), "ALLOW");
  });

  test("do not admit what is allowed by arguments that they hide", () => {
    assert.equal(answer(seccomp(one("socket", "SCMP_ACT_ALLOW", family), "SCMP_ACT_ERRNO"), "socketcall", [SOCKET], "x86"), "ERRNO 1");
  });

  test("refuse all of what is refused by arguments that they hide", () => {
    const refuse = seccomp(one("socket", "SCMP_ACT_ERRNO", family), "SCMP_ACT_ALLOW");
    assert.deepEqual([SOCKET, CONNECT].map((call) => answer(refuse, "socketcall", [call], "x86")), ["ERRNO 1", "ALLOW"]);
  });
});

describe("calls that are newer than the rules", () => {
  const nosys = (seccomp: Seccomp, nr: number): boolean => {
    const { action, data } = evaluateSeccomp(compileSeccomp(seccomp, { arch: "x64" }).program, { arch: "x64", nr });
    return action === "SCMP_ACT_ERRNO" && data === 38;
  };

  test("get ENOSYS, so that a libc falls back", () => {
    const old: Seccomp = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [one("faccessat2", "SCMP_ACT_ALLOW")] };
    assert.deepEqual([101, 437, 440, 452, 471, 5000].map((nr) => nosys(old, nr)), [false, false, true, true, true, true]);
  });

  test("get the default where that kills, unless brig's tables do not know them either", () => {
    const kill: Seccomp = { defaultAction: "SCMP_ACT_KILL_PROCESS", syscalls: [one("read", "SCMP_ACT_ALLOW")] };
    assert.deepEqual([101, 452, 471].map((nr) => nosys(kill, nr)), [false, false, true]);
  });

  test("are let through where the default is", () => assert.equal(nosys({ defaultAction: "SCMP_ACT_ALLOW" }, 5000), false));
});

describe("names", () => {
  test("that no architecture knows are passed over and reported, once", () => {
    const { unknown } = compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [one("read raed raed cacheflush 424 constructor", "SCMP_ACT_ERRNO")] });
    assert.deepEqual(unknown, ["raed", "424", "constructor"]);
  });
});

test("a program with far jumps still finds its way, and stays as small as its compares", () => {
  const names = [...readSyscalls("x64").keys()].slice(0, 60);
  const syscalls = names.map((name, nr) => one(name, "SCMP_ACT_ERRNO", ...[0, 1, 2, 3].map((index) => ({ index, op: "SCMP_CMP_GT", value: BigInt(nr * 10 + index + 1) << 31n }) as const)));
  const seccomp: Seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls };
  const compiled = compileSeccomp(seccomp, { arch: "x64" });
  assert.ok(compiled.program.length / 8 > 1000 && compiled.program.length / 8 < 60 * 4 * 6, String(compiled.program.length / 8));
  for (let nr = 0; nr < 61; nr++)
    for (const value of [0n, BigInt(nr * 10 + 4) << 31n, (BigInt(nr * 10 + 4) << 31n) + 1n, 1n << 60n])
      assertSame(seccomp, compiled, "x64", nr, [1n << 60n, 1n << 60n, value, value, 0n, 0n]);
});

test("a jump of any length around the farthest that BPF can say lands where it should", () => {
  for (let count = 245; count < 265; count++) {
    const clause = (value: number): SeccompRule => ({
      names: ["read"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 1 + (value % 3),
      args: [{ index: 0, op: "SCMP_CMP_MASKED_EQ", value: 0xffffffff, valueTwo: value }],
    });
    const seccomp: Seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: Array.from({ length: count }, (_, value) => clause(value)) };
    const compiled = compileSeccomp(seccomp, { arch: "x64" });
    for (const value of [0n, 1n, 2n, 3n, 4n, 5n, 100n, BigInt(count - 1), BigInt(count)])
      assertSame(seccomp, compiled, "x64", 0, [value, 0n, 0n, 0n, 0n, 0n]);
  }
});

describe("flags", () => {
  const flags = (names: string[], action: SeccompRule["action"] = "SCMP_ACT_KILL"): number =>
    compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW", flags: names, listenerPath: "/run/listener", syscalls: [one("mount", action)] }).flags;

  test("are those of the spec", () => {
    assert.equal(flags([]), 0);
    assert.equal(flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]), 1 | 2 | 4);
    assert.equal(flags(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]), 0);
  });

  test("ask for a listener when a rule notifies", () => {
    assert.equal(flags([], "SCMP_ACT_NOTIFY"), 8);
    assert.equal(flags(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "SCMP_ACT_NOTIFY"), 1 | 8 | 16 | 32);
  });
});

describe("rules that cannot be enforced are errors:", () => {
  const ok: Seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
  const cases: [string, string, Seccomp][] = [
    ["an unknown action", "BRIG_SECCOMP_ACTION", { defaultAction: "SCMP_ACT_MAYBE" as "SCMP_ACT_LOG" }],
    ["an inherited name as action", "BRIG_SECCOMP_ACTION", { defaultAction: "toString" as "SCMP_ACT_LOG" }],
    ["an errno with an action that has none", "BRIG_SECCOMP_ACTION", { ...ok, syscalls: [{ names: ["read"], action: "SCMP_ACT_KILL", errnoRet: 1 }] }],
    ["an errno that the kernel would cut", "BRIG_SECCOMP_ACTION", { ...ok, defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 4096 }],
    ["a seventh argument", "BRIG_SECCOMP_ARGUMENT", { ...ok, syscalls: [one("read", "SCMP_ACT_KILL", { index: 6, op: "SCMP_CMP_EQ", value: 0 })] }],
    ["an unknown compare", "BRIG_SECCOMP_ARGUMENT", { ...ok, syscalls: [one("read", "SCMP_ACT_KILL", { index: 0, op: "EQ" as "SCMP_CMP_EQ", value: 0 })] }],
    ["a negative number", "BRIG_SECCOMP_ARGUMENT", { ...ok, syscalls: [one("read", "SCMP_ACT_KILL", { index: 0, op: "SCMP_CMP_EQ", value: -1 })] }],
    ["a number that lost digits", "BRIG_SECCOMP_ARGUMENT", { ...ok, syscalls: [one("read", "SCMP_ACT_KILL", { index: 0, op: "SCMP_CMP_EQ", value: 2 ** 60 })] }],
    ["an unknown flag", "BRIG_SECCOMP_FLAG", { ...ok, flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] }],
    ["a supervisor as default", "BRIG_SECCOMP_NOTIFY", { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/x" }],
    ["a supervisor without a socket", "BRIG_SECCOMP_NOTIFY", { ...ok, syscalls: [one("mount", "SCMP_ACT_NOTIFY")] }],
    ["a supervisor asked about the call that reaches it", "BRIG_SECCOMP_NOTIFY", { ...ok, listenerPath: "/x", syscalls: [one("sendmsg", "SCMP_ACT_NOTIFY")] }],
    ["more than the kernel takes", "BRIG_SECCOMP_TOO_LARGE", { ...ok, syscalls: many(3000) }],
    ["far more than the kernel takes", "BRIG_SECCOMP_TOO_LARGE", { ...ok, syscalls: many(100_000) }],
  ];
  for (const [what, code, seccomp] of cases) test(what, () => assert.throws(() => compileSeccomp(seccomp, { arch: "x64" }), hasCode(code)));

  test("and all ones, which JSON rounds up, is understood", () => {
    const seccomp: Seccomp = { ...ok, syscalls: [one("read", "SCMP_ACT_KILL_PROCESS", { index: 0, op: "SCMP_CMP_EQ", value: 2 ** 64 })] };
    assert.equal(answer(seccomp, "read", [0xffffffffffffffffn]), "KILL_PROCESS");
  });
});

function many(count: number): SeccompRule[] {
  return Array.from({ length: count }, (_, value) => one("read", "SCMP_ACT_KILL", { index: 0, op: "SCMP_CMP_EQ", value }));
}

function hasCode(code: string) {
  return (error: unknown): boolean => error instanceof BrigError && error.code === code && Boolean(error.hint);
}
