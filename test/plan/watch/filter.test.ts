import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { readHostArch } from "../../../src/plan/seccomp/architectures.js";
import { compileSeccomp } from "../../../src/plan/seccomp/compile.js";
import { defaultSeccomp } from "../../../src/plan/seccomp/default.js";
import { evaluateSeccomp } from "../../../src/plan/seccomp/evaluate.js";
import { readSyscalls } from "../../../src/plan/seccomp/tables.js";
import { encodeWatchedCalls, listWatchedCalls } from "../../../src/plan/watch/calls.js";
import { canBeWatched, makeWatchFilter } from "../../../src/plan/watch/filter.js";

const arch = readHostArch();
const program = compileSeccomp(defaultSeccomp()).program;
const calls = listWatchedCalls(arch, true);
const watched = new Set(calls.map(({ number }) => number));
const filter = makeWatchFilter(program, calls, [arch]);
const ENOSYS = 38;
const seccomp = readSyscalls(arch).get("seccomp")!;

test("a call that the filter lets through and nobody watches is let through, any other asks the watcher, is told ENOSYS, or dies", () => {
  const event = fc.record({ nr: fc.oneof(fc.integer({ min: 0, max: 470 }), fc.integer({ min: 0, max: 0x7fffffff })), args: fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 6, maxLength: 6 }) });
  fc.assert(
    fc.property(event, ({ nr, args }) => {
      if (nr === seccomp) return;
      const plain = evaluateSeccomp(program, { arch, nr, args });
      const seen = evaluateSeccomp(filter, { arch, nr, args });
      if (watched.has(nr)) assert.equal(seen.action, "SCMP_ACT_NOTIFY");
      else if (plain.action === "SCMP_ACT_ERRNO" && plain.data !== ENOSYS) assert.equal(seen.action, "SCMP_ACT_NOTIFY");
      else assert.deepEqual([seen.action, seen.data], [plain.action, plain.data]);
    }),
    { numRuns: 3000 },
  );
});

test("a payload that is watched gets no listener of its own, and may still filter itself", () => {
  const ask = (flags: bigint) => evaluateSeccomp(filter, { arch, nr: seccomp, args: [1n, flags, 0n] });
  for (const flags of [8n, 9n, 8n | 32n, 8n | (1n << 40n)]) assert.deepEqual({ ...ask(flags), steps: 0 }, { action: "SCMP_ACT_ERRNO", data: 16, steps: 0 });
  for (const flags of [0n, 1n, 2n, 4n]) assert.equal(ask(flags).action, "SCMP_ACT_ALLOW");
});

test("another architecture dies as without a watcher", () => {
  assert.equal(evaluateSeccomp(filter, { arch: arch === "x64" ? "x86" : "arm", nr: 1 }).action, "SCMP_ACT_KILL_PROCESS");
});

test("without a filter everything but a listener happens", () => {
  const open = makeWatchFilter(new Uint8Array(), [], [arch]);
  assert.equal(evaluateSeccomp(open, { arch, nr: 1 }).action, "SCMP_ACT_ALLOW");
  assert.equal(evaluateSeccomp(open, { arch, nr: seccomp, args: [1, 8] }).action, "SCMP_ACT_ERRNO");
});

test("what hands the listener over is not watched: it would wait for itself", () => {
  for (const name of ["sendmsg", "close", "write", "ppoll", "prctl"]) assert.ok(!calls.some((call) => call.name === name), name);
  assert.equal(encodeWatchedCalls(calls).length, 12 * calls.length);
});

test("a call that a rule kills or traces is left to the kernel", () => {
  const rules = { defaultAction: "SCMP_ACT_ALLOW" as const, syscalls: [{ names: ["openat"], action: "SCMP_ACT_KILL_PROCESS" as const }] };
  assert.equal(canBeWatched(rules, "openat"), false);
  assert.equal(canBeWatched(rules, "stat"), true);
  assert.equal(canBeWatched({ defaultAction: "SCMP_ACT_KILL" }, "stat"), false);
  assert.equal(canBeWatched(undefined, "stat"), true);
});
