import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { fc } from "../fast-check.js";
import { PLAN_PREFIX } from "../../src/plan/format.js";
import { identities, openStage } from "../walls/stage.js";

/** Seconds that libFuzzer has; BRIG_FUZZ_SECONDS for a longer search. */
const SECONDS = Number(process.env["BRIG_FUZZ_SECONDS"] ?? 20);

let folder: string;
let plans: Buffer[] = [];

before(() => {
  folder = mkdtempSync(join(tmpdir(), "brig-fuzz-"));
  const kinds = [[], ["--write", "."], ["--cap-add", "net_raw", "--share", "uts"], ["--seccomp", "none", "--landlock", "none", "--timeout", "3s"], ["--detach", "--name", "x"]];
  plans = kinds.map((options, index) => {
    const file = join(folder, `plan-${index}`);
    execFileSync("dist/brig", ["plan", "--out", file, ...options, "--", "true", "a word"], { env: { ...process.env, HOME: folder } });
    return readFileSync(file).subarray(PLAN_PREFIX);
  });
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe("the plan decoder", () => {
  it("reads nothing outside of the plan, whatever is in it", (t) => {
    if (spawnSync("clang", ["--version"]).error) return t.skip("clang is not installed (apt-get install clang)");
    const program = join(folder, "fuzz");
    const words = ["-g", "-O1", "-std=gnu11", "-Ilauncher", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-o", program, resolve("test/fixtures/fuzz/plan.c")];
    const compiled = spawnSync("clang", words, { encoding: "utf8" });
    if (/cannot find|libclang_rt/.test(compiled.stderr)) return t.skip("clang's sanitizers are not installed (apt-get install libclang-rt-dev)");
    assert.equal(compiled.status, 0, compiled.stderr);
    const corpus = join(folder, "corpus");
    mkdirSync(corpus);
    plans.forEach((plan, index) => {
      writeFileSync(join(corpus, `plan-${index}`), plan);
      // Without the note, which nothing looks at: smaller inputs are altered where it matters.
      writeFileSync(join(corpus, `short-${index}`), dropNote(plan));
    });
    const found = join(folder, "crash-");
    const ran = spawnSync(program, [`-max_total_time=${SECONDS}`, "-max_len=65536", "-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1", `-artifact_prefix=${found}`, corpus], { encoding: "utf8" });
    const kept = readdirSync(folder).filter((name) => name.startsWith("crash-"));
    for (const name of kept) copyFileSync(join(folder, name), join(tmpdir(), `brig-fuzz-${name}`));
    assert.equal(ran.status, 0, `${ran.stderr.slice(-4000)}\ninputs: ${kept.map((name) => join(tmpdir(), `brig-fuzz-${name}`)).join(" ")}`);
    const executions = Number(/number_of_executed_units: (\d+)/.exec(ran.stderr)?.[1]);
    assert.ok(executions > 1000 * SECONDS, `${executions} executions are too few to mean anything`);
  });

  it("refuses every altered or cut plan in words, and does nothing of it", () => {
    const file = join(folder, "altered");
    const whole = plans[0]!;
    const summed = whole.length - whole.readUInt32LE(NOTE_SIZE);
    const change = fc.oneof(
      fc.record({ kind: fc.constant("cut" as const), at: fc.nat(whole.length - 1) }),
      fc.record({ kind: fc.constant("flip" as const), at: fc.nat(summed - 1), bits: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ kind: fc.constant("append" as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
      fc.record({ kind: fc.constant("swap" as const), at: fc.nat(summed - 65), from: fc.nat(summed - 65) }),
    );
    fc.assert(
      fc.property(change, (wish) => {
        const plan = alter(whole, wish);
        if (plan.equals(whole)) return;
        writeFileSync(file, plan);
        const ran = spawnSync("dist/brig", ["--plan", file], { encoding: "utf8", timeout: 10_000, env: { PATH: process.env["PATH"] } });
        assert.equal(ran.signal, null);
        assert.deepEqual([ran.status, ran.stdout], [125, ""]);
        assert.match(ran.stderr, /^brig: .*the plan is (cut short|cut short or with something behind it|not a plan|of another version|altered: its checksum is wrong|too large)\n/);
      }),
      { numRuns: 100 },
    );
  });

  it("runs a plan whose checksum fits what was altered only as far as it is one: it never crashes", async () => {
    // As an ordinary user: a step that became another must not be done to the host.
    const who = identities.at(-1)!;
    const stage = openStage();
    try {
      const file = join(stage.project(who), "forged");
      const compiled = await stage.brigAs(who, ["plan", "--out", file, "--", "true"]);
      assert.equal(compiled.code, 0, compiled.stderr);
      const whole = dropNote(readFileSync(file).subarray(PLAN_PREFIX));
      const forge = async (at: number, bits: number): Promise<void> => {
        const plan = Buffer.from(whole);
        plan[at] = plan[at]! ^ bits;
        writeFileSync(file, sign(plan));
        const began = Date.now();
        const { code, stderr } = await stage.brigAs(who, ["--plan", file, "--status", "3"], { timeoutMs: 5000, stdio: ["pipe", "pipe", "pipe", "ignore"], env: { BRIG_NODE: "/nonexistent" } });
        assert.ok(Date.now() - began < 5000, `byte ${at} ^ ${bits} makes it hang`);
        // 128: the launcher itself was ended by a signal; the others: its first process was, for `true` has no cause to.
        assert.ok(![128, 132, 134, 135, 136, 139].includes(code), `status ${code} for byte ${at} ^ ${bits}: ${stderr}`);
      };
      await fc.assert(fc.asyncProperty(fc.integer({ min: HEADER, max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), forge), { numRuns: 60 });
    } finally {
      stage.close();
    }
  });
});

/** Offsets in struct plan_header, launcher/plan.h. */
const SIZE = 12;
const CHECKSUM = 16;
const SUMMED_FROM = 24;
const NOTE_SIZE = 60;
const HEADER = 112;

function dropNote(plan: Buffer): Buffer {
  const short = Buffer.from(plan.subarray(0, plan.length - plan.readUInt32LE(NOTE_SIZE)));
  short.writeUInt32LE(0, NOTE_SIZE);
  return sign(short);
}

/** FNV-1a 64. */
function sign(plan: Buffer): Buffer {
  plan.writeUInt32LE(plan.length, SIZE);
  let hash = 0xcbf29ce484222325n;
  for (const byte of plan.subarray(SUMMED_FROM, plan.length - plan.readUInt32LE(NOTE_SIZE))) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  plan.writeBigUInt64LE(hash, CHECKSUM);
  return plan;
}

type Change = { kind: "cut"; at: number } | { kind: "flip"; at: number; bits: number } | { kind: "append"; bytes: Uint8Array } | { kind: "swap"; at: number; from: number };

function alter(whole: Buffer, change: Change): Buffer {
  if (change.kind === "cut") return whole.subarray(0, change.at);
  if (change.kind === "append") return Buffer.concat([whole, change.bytes]);
  const plan = Buffer.from(whole);
  if (change.kind === "flip") plan[change.at] = plan[change.at]! ^ change.bits;
  else whole.copy(plan, change.at, change.from, change.from + 64);
  return plan;
}
