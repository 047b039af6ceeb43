import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeProgram } from "../../../src/plan/seccomp/bpf.js";
import { compileSeccomp } from "../../../src/plan/seccomp/compile.js";
import { disassembleSeccomp } from "../../../src/plan/seccomp/disassemble.js";
import { countAllowed, evaluateSeccomp, listRefused } from "../../../src/plan/seccomp/evaluate.js";

const { program } = compileSeccomp(
  {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [
      { names: ["kill"], action: "SCMP_ACT_ERRNO", errnoRet: 3, args: [{ index: 1, op: "SCMP_CMP_EQ", value: 9 }] },
      { names: ["reboot"], action: "SCMP_ACT_KILL_PROCESS" },
    ],
  },
  { arch: "x64" },
);

describe("an evaluated filter", () => {
  test("gives action, data and the number of steps", () => {
    assert.deepEqual(evaluateSeccomp(program, { arch: "x64", nr: 62, args: [1, 9] }), { action: "SCMP_ACT_ERRNO", data: 3, steps: 10 });
    assert.equal(evaluateSeccomp(program, { arch: 0xc000003e, nr: 169 }).action, "SCMP_ACT_KILL_PROCESS");
    assert.equal(evaluateSeccomp(program, { arch: "x64", nr: 62, args: [1n, (1n << 32n) | 9n], ip: 0xffffffffffffffffn }).action, "SCMP_ACT_ALLOW");
  });

  test("lists and counts what is refused to calls with zero arguments", () => {
    assert.deepEqual(listRefused(program, "x64"), ["reboot"]);
    assert.equal(countAllowed(program, "x86"), 0);
  });

  test("that is none is an error", () => {
    const event = { arch: "x64", nr: 0 } as const;
    assert.throws(() => evaluateSeccomp(new Uint8Array(), event), RangeError);
    assert.throws(() => evaluateSeccomp(encodeProgram([{ code: 0x20, yes: 0, no: 0, k: 64 }]), event), RangeError);
    assert.throws(() => evaluateSeccomp(encodeProgram([{ code: 0x20, yes: 0, no: 0, k: 2 }]), event), RangeError);
    assert.throws(() => evaluateSeccomp(encodeProgram([{ code: 0x1d, yes: 0, no: 0, k: 0 }]), event), RangeError);
    assert.throws(() => evaluateSeccomp(encodeProgram([{ code: 0x05, yes: 0, no: 0, k: 7 }]), event), RangeError);
  });

  test("returns kill for an action that the kernel does not know", () => {
    assert.equal(evaluateSeccomp(encodeProgram([{ code: 0x06, yes: 0, no: 0, k: 0x12340000 }]), { arch: "x64", nr: 0 }).action, "SCMP_ACT_KILL_PROCESS");
  });
});

test("a disassembled filter is readable", () => {
  assert.deepEqual(disassembleSeccomp(program), [
    " 0  A = arch",
    " 1  if (A == x64) goto 2 else 11",
    " 2  A = nr",
    " 3  if (A >= 169) goto 10 else 4",
    " 4  if (A == 62) goto 5 else 13",
    " 5  A = arg1.high",
    " 6  if (A == 0x0) goto 7 else 13",
    " 7  A = arg1.low",
    " 8  if (A == 0x9) goto 9 else 13",
    " 9  return ERRNO(3)",
    "10  if (A >= 170) goto 12 else 11",
    "11  return KILL_PROCESS",
    "12  if (A >= 0x40000000) goto 14 else 13",
    "13  return ALLOW",
    "14  return ERRNO(38)",
  ]);
});
