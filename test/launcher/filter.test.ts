import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fc } from "../fast-check.js";
import { RETURN } from "../../src/plan/seccomp/actions.js";
import { AUDIT_ARCH, readHostArch } from "../../src/plan/seccomp/architectures.js";
import { encodeProgram } from "../../src/plan/seccomp/bpf.js";
import { compileSeccomp } from "../../src/plan/seccomp/compile.js";
import { defaultSeccomp } from "../../src/plan/seccomp/default.js";
import { evaluateSeccomp, type SyscallEvent } from "../../src/plan/seccomp/evaluate.js";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "brig-filter-"));
  execFileSync(process.env["CC"] ?? "cc", ["-O1", "-fsanitize=address,undefined", "-o", join(folder, "answer"), resolve("test/fixtures/seccomp/answer.c")]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function answer(program: Uint8Array, events: SyscallEvent[]): number[] {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(program.length);
  const ran = spawnSync(join(folder, "answer"), { input: Buffer.concat([head, program, ...events.map(encode)]) });
  assert.equal(ran.status, 0, ran.stderr.toString());
  return Array.from({ length: ran.stdout.length / 4 }, (_, index) => ran.stdout.readUInt32LE(4 * index));
}

function encode({ arch, nr, args = [] }: SyscallEvent): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(nr, 0);
  bytes.writeUInt32LE(typeof arch === "number" ? arch : AUDIT_ARCH[arch], 4);
  args.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), 16 + 8 * index));
  return bytes;
}

test("the launcher reads a filter as the evaluator does, which is held to the kernel", () => {
  const arch = readHostArch();
  const { program } = compileSeccomp(defaultSeccomp({ capabilities: new Set(["CAP_NET_RAW"]), setuidFiles: false, compat: true }));
  const word = fc.oneof(fc.bigInt({ min: 0n, max: 0xffffn }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
  const event = fc.record({ arch: fc.constantFrom<SyscallEvent["arch"]>(arch, "x86", "arm", 7), nr: fc.integer({ min: 0, max: 600 }), args: fc.array(word, { minLength: 6, maxLength: 6 }) });
  const events = fc.sample(event, { numRuns: 5000, seed: 7 });
  const answers = answer(program, events);
  events.forEach((each, index) => {
    const { action, data } = evaluateSeccomp(program, each);
    assert.equal(answers[index], (RETURN[action] + data) >>> 0, `${String(each.arch)} ${each.nr} ${String(each.args)}`);
  });
});

test("a program that the kernel would not take answers with death, and reads nothing beyond the call", () => {
  const broken = [
    [{ code: 0x20, yes: 0, no: 0, k: 64 }], // behind the data
    [{ code: 0x20, yes: 0, no: 0, k: 2 }], // between words
    [{ code: 0x05, yes: 0, no: 0, k: 0xffffffff }], // far behind the end
    [{ code: 0x15, yes: 255, no: 255, k: 0 }],
    [{ code: 0x61, yes: 0, no: 0, k: 0 }], // no operation that is known
    [],
  ];
  for (const program of broken) assert.deepEqual(answer(encodeProgram(program), [{ arch: "x64", nr: 0 }]), [RETURN.SCMP_ACT_KILL_PROCESS]);
});
