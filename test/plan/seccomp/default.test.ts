import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../fast-check.js";
import { compileSeccomp } from "../../../src/plan/seccomp/compile.js";
import { CAPABILITY_CALLS, DEFAULT_CALLS, NESTED_CALLS } from "../../../src/plan/seccomp/default-calls.js";
import { allowIntsExcept } from "../../../src/plan/seccomp/default-arguments.js";
import { type DefaultSeccompOptions, defaultSeccomp } from "../../../src/plan/seccomp/default.js";
import { countAllowed, evaluateSeccomp, listRefused } from "../../../src/plan/seccomp/evaluate.js";
import { isKnownSyscall, readSyscalls } from "../../../src/plan/seccomp/tables.js";
import { interpret } from "./naive.js";

const { program, allowed, unknown } = compileSeccomp(defaultSeccomp({ arch: "x64" }), { arch: "x64" });
const nr = (name: string): number => readSyscalls("x64").get(name)!;

function isAllowed(name: string, args: (number | bigint)[], options: DefaultSeccompOptions = {}): boolean {
  const compiled = compileSeccomp(defaultSeccomp({ arch: "x64", ...options }), { arch: "x64" });
  return evaluateSeccomp(compiled.program, { arch: "x64", nr: nr(name), args }).action === "SCMP_ACT_ALLOW";
}

describe("the default filter", () => {
  test("names only calls that exist, each once", () => {
    const names = [...Object.values(DEFAULT_CALLS), ...Object.values(CAPABILITY_CALLS), NESTED_CALLS].flatMap((group) => group.split(" "));
    assert.deepEqual(names.filter((name) => !isKnownSyscall(name)), []);
    const plain = Object.values(DEFAULT_CALLS).flatMap((group) => group.split(" "));
    assert.deepEqual(plain.filter((name, index) => plain.indexOf(name) !== index), []);
    assert.deepEqual(unknown, []);
  });

  test("allows about as many calls as Docker's, and none of those with a history", () => {
    assert.ok(allowed > 280 && allowed < 330, String(allowed));
    const refused = new Set(listRefused(program, "x64"));
    const dangerous =
      "bpf io_uring_setup io_uring_enter io_uring_register userfaultfd perf_event_open keyctl add_key request_key mount" +
      " umount2 pivot_root open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr setns unshare clone3 chroot" +
      " init_module finit_module delete_module kexec_load kexec_file_load reboot swapon iopl ioperm acct settimeofday" +
      " clock_settime open_by_handle_at quotactl lookup_dcookie modify_ldt vhangup syslog pidfd_getfd kcmp process_madvise";
    assert.deepEqual(dangerous.split(" ").filter((name) => !refused.has(name)), []);
  });

  test("refuses exactly TIOCSTI and TIOCLINUX among all that the kernel reads as their command", () => {
    const command = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0x5412, 0x541c), fc.integer({ min: 0, max: 31 }).map((bit) => (0x5412 ^ (1 << bit)) >>> 0), fc.integer({ min: 0x5400, max: 0x5470 }));
    fc.assert(
      fc.property(command, fc.integer({ min: 0, max: 0xffffffff }), (low, high) => {
        const args = [0n, (BigInt(high) << 32n) | BigInt(low), 0n];
        const { action } = evaluateSeccomp(program, { arch: "x64", nr: nr("ioctl"), args });
        assert.equal(action === "SCMP_ACT_ALLOW", low !== 0x5412 && low !== 0x541c);
      }),
      { numRuns: 2000 },
    );
  });

  test("decides in about log2 of its ranges", () => {
    const steps = Array.from({ length: 471 }, (_, number) => evaluateSeccomp(program, { arch: "x64", nr: number }).steps);
    // Four steps to get to the tree and out of it, seven levels over 72 ranges, and the compares of arguments.
    const plain = [...readSyscalls("x64")].filter(([name]) => !["ioctl", "socket", "personality"].includes(name)).map(([, number]) => steps[number]!);
    assert.ok(Math.max(...plain) <= 4 + 7 + 2, String(Math.max(...plain)));
    assert.ok(program.length / 8 < 150, `${program.length / 8} instructions`);
  });

  test("means the same on arm64, with its own numbers", () => {
    const seccomp = defaultSeccomp({ arch: "arm64", compat: true });
    const compiled = compileSeccomp(seccomp, { arch: "arm64" });
    assert.deepEqual(compiled.unknown, []);
    const refused = listRefused(compiled.program, "arm64");
    assert.ok(refused.includes("mount") && refused.includes("unshare") && !refused.includes("openat"));
    assert.ok(countAllowed(compiled.program, "arm") > 300);
    for (const [name, number] of readSyscalls("arm64"))
      assert.equal(refused.includes(name), (interpret(seccomp, "arm64", number, [0n, 0n, 0n, 0n, 0n, 0n]) >>> 16) !== 0x7fff, name);
  });
});

describe("an option of the default filter", () => {
  const keep = (...names: string[]): DefaultSeccompOptions => ({ capabilities: new Set(names) });

  test("opens for a capability what needs it, and nothing else", () => {
    for (const [capability, calls] of Object.entries(CAPABILITY_CALLS)) {
      const opened = compileSeccomp(defaultSeccomp({ arch: "x64", ...keep(capability) }), { arch: "x64" });
      const before = new Set(listRefused(program, "x64"));
      const after = new Set(listRefused(opened.program, "x64"));
      const changed = [...before].filter((name) => !after.has(name));
      const expected = calls.split(" ").filter((name) => before.has(name));
      assert.deepEqual(changed.toSorted(), expected.toSorted(), capability);
    }
  });

  test("opens socket families for network capabilities", () => {
    assert.deepEqual([[], ["CAP_NET_RAW"]].map((names) => isAllowed("socket", [17, 3, 0], keep(...names))), [false, true]);
    assert.deepEqual([[], ["CAP_NET_ADMIN"]].map((names) => isAllowed("socket", [16, 3, 12], keep(...names))), [false, true]);
    assert.deepEqual([[], ["CAP_AUDIT_WRITE"]].map((names) => isAllowed("socket", [16, 3, 9], keep(...names))), [false, true]);
    assert.equal(isAllowed("socket", [38, 5, 0], keep("CAP_NET_RAW", "CAP_NET_ADMIN", "CAP_SYS_ADMIN")), false);
  });

  test("refuses ptrace on kernels where it gets around seccomp", () => {
    assert.deepEqual(([[4, 7], [4, 8], [5, 0], [3, 19]] as const).map((kernel) => isAllowed("ptrace", [0], { kernel })), [false, true, true, false]);
  });

  test("nestedNamespaces lets a payload make sandboxes, but not reach into modules or the clock", () => {
    const options = { nestedNamespaces: true };
    for (const name of ["clone", "clone3", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot"]) assert.ok(isAllowed(name, [0x10000000], options), name);
    for (const name of ["bpf", "init_module", "settimeofday", "keyctl"]) assert.ok(!isAllowed(name, [0], options), name);
  });
});

test("the complement of a set of ints is exact for any set", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 }), fc.array(fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 0xffffffff }))), (refused, tries) => {
      const seccomp = { defaultAction: "SCMP_ACT_ERRNO" as const, syscalls: allowIntsExcept("ioctl", 1, refused) };
      const compiled = compileSeccomp(seccomp, { arch: "x64" });
      for (const value of [...tries, ...refused]) {
        const { action } = evaluateSeccomp(compiled.program, { arch: "x64", nr: nr("ioctl"), args: [0, value] });
        assert.equal(action === "SCMP_ACT_ALLOW", !refused.includes(value), String(value));
      }
    }),
  );
});
