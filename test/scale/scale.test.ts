import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { encodePlan } from "../../src/plan/encode.js";
import { Zygote } from "../../src/launch/zygote.js";
import { STREAM } from "../../src/launch/zygote-frames.js";
import { compileMarked } from "../walls/marked-plan.js";
import { identities, type Identity, openStage, runProcess, type Stage } from "../walls/stage.js";

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

/** What the host has of what sandboxes are made of, beyond cgroups and folders. */
function readHost(): { mounts: string; processes: number } {
  return { mounts: readFileSync("/proc/self/mountinfo", "utf8"), processes: countOwn() };
}

/** Processes of this stage's copy of brig, whoever they belong to. */
function countOwn(): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(stage.folder);
    } catch {
      return false;
    }
  }).length;
}

/** Kilobytes of a process that it shares with nobody. */
function readOwnMemory(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return ["Private_Clean", "Private_Dirty"].reduce((sum, name) => sum + Number(new RegExp(`${name}:\\s+(\\d+)`).exec(rollup)?.[1] ?? 0), 0);
}

function listChildren(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

for (const who of identities)
  describe(`many sandboxes, as ${who.name}`, () => {
    it("200 at once run, answer, and leave nothing", async () => {
      const marked = await compileMarked(stage, who, `crowd-${who.name}`, [], ["cat"]);
      const host = readHost();
      const file = marked.write("plan");
      const crowd = Array.from({ length: 200 }, (_, index) => startOne(who, file, index));
      try {
        await Promise.all(crowd.map(({ answered }) => answered));
        assert.equal(marked.listLeft().filter((path) => !path.startsWith("/sys/")).length, 200);
        assert.equal(new Set(marked.listLeft()).size, marked.listLeft().length);
        if (process.getuid?.() === 0) checkMemory(crowd.map(({ child }) => child.pid ?? 0));
        for (const { child } of crowd) child.stdin?.end();
        assert.deepEqual([...new Set(await Promise.all(crowd.map(({ ended }) => ended)))], [0]);
        assert.deepEqual(marked.listLeft(), []);
        assert.deepEqual(readHost(), host);
      } finally {
        // not SIGKILL: each supervisor removes its cgroup and folder
        for (const { child } of crowd) child.kill("SIGTERM");
        await Promise.all(crowd.map(({ ended }) => ended));
      }
    });

    const rounds = who.name === "root" ? 2000 : 500;
    it(`${rounds} one after another leave nothing`, async () => {
      const marked = await compileMarked(stage, who, `row-${who.name}`, [], ["/bin/true"]);
      const host = readHost();
      const file = marked.write("plan");
      const files = readOpenFiles();
      const script = `i=0; while [ $i -lt ${rounds} ]; do "$0" --plan "$1" || exit 1; i=$((i + 1)); done`;
      const ran = await runProcess(["/bin/sh", "-c", script, stage.brig, file], who, { cwd: stage.project(who), env: { PATH: "/usr/bin:/bin" } }, { timeoutMs: 120_000 });
      assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, "", ""]);
      assert.deepEqual(marked.listLeft(), []);
      assert.deepEqual(readHost(), host);
      assert.ok(readOpenFiles() - files < 1000, `${readOpenFiles() - files} open files more on the host`);
    });
  });

function startOne(who: Identity, file: string, index: number): { child: ChildProcess; answered: Promise<void>; ended: Promise<number> } {
  const as = process.getuid?.() === 0 ? { uid: who.uid, gid: who.uid } : {};
  const child = spawn(stage.brig, ["--plan", file], { stdio: ["pipe", "pipe", "inherit"], cwd: stage.project(who), env: { PATH: "/usr/bin:/bin" }, ...as });
  const ended = new Promise<number>((done) => child.on("close", (code) => done(code ?? -1)));
  const answered = new Promise<void>((done, fail) => {
    child.stdout?.on("data", (text: Buffer) => (text.toString() === `${index}\n` ? done() : fail(new Error(text.toString()))));
    child.on("close", (code) => fail(new Error(`sandbox ${index} ended with ${code}`)));
  });
  child.stdin?.on("error", () => undefined).write(`${index}\n`);
  return { child, answered, ended };
}

/** Beyond the payload: supervisor and init. */
function checkMemory(supervisors: number[]): void {
  const sizes = supervisors.slice(0, 20).map((pid) => readOwnMemory(pid) + listChildren(pid).reduce((sum, init) => sum + readOwnMemory(init), 0));
  const most = Math.max(...sizes);
  assert.ok(most < 512, `${most} KB of memory beside a payload`);
}

/** On the whole host. */
function readOpenFiles(): number {
  return Number(readFileSync("/proc/sys/fs/file-nr", "utf8").split("\t")[0]);
}

describe("one zygote", () => {
  it("runs 2,000 sandboxes, some at once, and grows neither in memory nor in descriptors nor in children", async () => {
    const who = identities[0]!;
    const marked = await compileMarked(stage, who, "zygote", [], ["/bin/true"]);
    const host = readHost();
    const bytes = encodePlan(marked.plan);
    const zygote = new Zygote(stage.brig);
    try {
      await runMany(zygote, bytes, 300);
      const pid = zygote.pid ?? 0;
      const before = { memory: readOwnMemory(pid), descriptors: readdirSync(`/proc/${pid}/fd`).length };
      await runMany(zygote, bytes, 1700);
      const now = { memory: readOwnMemory(pid), descriptors: readdirSync(`/proc/${pid}/fd`).length };
      assert.equal(now.descriptors, before.descriptors);
      assert.ok(now.memory <= before.memory + 64, `${before.memory} KB, then ${now.memory} KB`);
      assert.deepEqual(listChildren(pid), []);
      assert.deepEqual(marked.listLeft(), []);
    } finally {
      zygote.close();
    }
    for (const end = Date.now() + 3000; countOwn() > host.processes && Date.now() < end; ) await new Promise((done) => setTimeout(done, 20));
    assert.deepEqual(readHost(), host);
  });
});

/** Four at a time. */
async function runMany(zygote: Zygote, plan: Uint8Array, count: number): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left-- > 0) assert.equal(await runOnce(zygote, plan), 0);
  };
  await Promise.all([work(), work(), work(), work()]);
}

function runOnce(zygote: Zygote, plan: Uint8Array): Promise<number | null> {
  let code: number | null = null;
  return new Promise((done, fail) => {
    zygote.start(plan, { stdio: [STREAM.ignore, STREAM.ignore, STREAM.ignore], credit: 0 }, {
      exited: (exit) => void (code = exit.exitCode),
      failed: (failure) => fail(new Error(JSON.stringify(failure))),
      gone: () => done(code),
      died: fail,
    });
  });
}
