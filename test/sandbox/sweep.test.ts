import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { findSandbox } from "../../src/sandbox/find.js";
import { listSandboxes } from "../../src/sandbox/list.js";
import { readProcess } from "../../src/sandbox/process.js";
import { readSandbox } from "../../src/sandbox/sandbox.js";
import { removeForsaken, removeState, sweepSandboxes } from "../../src/sandbox/sweep.js";

const DEAD = "4194305 1 4194305 1\n";

function makeRunFolder(t: TestContext): string {
  const folder = mkdtempSync("/tmp/brig-sweep-test-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(`${folder}/names`);
  return folder;
}

function plant(runFolder: string, id: string, options: { keep?: boolean; name?: string; process?: string; exit?: string } = {}): string {
  const folder = `${runFolder}/${id}`;
  mkdirSync(folder, { mode: 0o700 });
  const annotations = options.name === undefined ? {} : { "dev.brig.name": JSON.stringify(options.name) };
  writeFileSync(`${folder}/config.json`, JSON.stringify({ spec: { ociVersion: "1.2.0", annotations }, cgroups: [], rlimits: [], keep: options.keep ?? false }));
  if (options.process !== undefined) writeFileSync(`${folder}/process`, options.process);
  if (options.exit !== undefined) writeFileSync(`${folder}/exit`, options.exit);
  if (options.name !== undefined) symlinkSync(id, `${runFolder}/names/${options.name}`);
  return folder;
}

const own = `${process.pid} ${readProcess(process.pid)!.start}`;

test("what runs, what has ended and what is kept stays; what a dead supervisor left goes, with its name", (t) => {
  const run = makeRunFolder(t);
  plant(run, "running", { process: `${own} ${own}\n`, name: "one" });
  plant(run, "ended", { process: DEAD, exit: "256 0 0 1 2 3 4\n", keep: true });
  plant(run, "kept", { process: DEAD, keep: true, name: "two" });
  plant(run, "gone", { process: DEAD, name: "three" });
  symlinkSync("running", `${run}/names/other`);
  const states = Object.fromEntries(listSandboxes(run).map(({ id, state }) => [id, state]));
  assert.deepEqual(states, { running: "running", ended: "exited", kept: "dead" });
  assert.deepEqual(readdirSync(run).sort(), ["ended", "kept", "names", "running"]);
  assert.deepEqual(readdirSync(`${run}/names`).sort(), ["one", "other", "two"]);
  assert.equal(readSandbox(run, "ended")?.exit?.exitCode, 1);
});

test("a folder whose launcher is just making the sandbox is left alone as long as that holds its lock", async (t) => {
  const run = makeRunFolder(t);
  const folder = plant(run, "new");
  const age = () => utimesSync(folder, new Date(0), new Date(0));
  assert.equal(readSandbox(run, "new")?.state, "starting");
  const holder = spawn("flock", [folder, "-c", "echo held; exec sleep 100"], { stdio: ["ignore", "pipe", "ignore"], detached: true });
  t.after(() => void holder.kill("SIGKILL"));
  await new Promise((done) => holder.stdout.once("data", done));
  age();
  sweepSandboxes(run);
  assert.equal(readSandbox(run, "new")?.state, "starting");
  holder.stdout.destroy();
  process.kill(-holder.pid!, "SIGKILL");
  await new Promise((done) => holder.once("exit", done));
  while (readSandbox(run, "new")?.state !== "dead") await new Promise((done) => setTimeout(done, 10));
  sweepSandboxes(run);
  assert.equal(existsSync(folder), false);
});

test("a removal that was broken off is taken over, one that goes on is not", (t) => {
  const run = makeRunFolder(t);
  plant(run, "a", { process: DEAD, name: "stale" });
  plant(run, "b", { process: DEAD });
  symlinkSync("b", `${run}/names/busy`);
  const rename = (id: string, by: string) => mkdirSync(`${run}/.dead-${id}.${by.replace(" ", ".")}`);
  removeState(readSandbox(run, "b")!);
  assert.deepEqual(readdirSync(`${run}/names`), ["stale"]);
  rename("c", "4194305 1");
  rename("d", own);
  symlinkSync("c", `${run}/names/c`);
  symlinkSync("d", `${run}/names/d`);
  sweepSandboxes(run);
  assert.deepEqual(readdirSync(run).sort(), [`.dead-d.${own.replace(" ", ".")}`, "names"]);
  assert.deepEqual(readdirSync(`${run}/names`), ["d"]);
});

test("a name that is another sandbox's by now is not taken from it", (t) => {
  const run = makeRunFolder(t);
  plant(run, "old", { process: DEAD });
  plant(run, "fresh", { process: `${own} ${own}\n`, name: "web" });
  sweepSandboxes(run);
  assert.deepEqual(readdirSync(`${run}/names`), ["web"]);
});

test("an id is found by its beginning when that is one's alone, a name before that", (t) => {
  const run = makeRunFolder(t);
  for (const id of ["abc1", "abc2", "xyz"]) plant(run, id, { process: `${own} ${own}\n`, ...(id === "xyz" ? { name: "abc" } : {}) });
  const all = listSandboxes(run);
  assert.equal(findSandbox("abc", all).id, "xyz");
  assert.equal(findSandbox("x", all).id, "xyz");
  assert.throws(() => findSandbox("ab", all), { code: "BRIG_AMBIGUOUS" });
  assert.throws(() => findSandbox("abd1", all), { code: "BRIG_NO_SUCH_SANDBOX", hint: "did you mean abc1?" });
});

test("a folder that others may write is no sandbox, and a run folder that others may write is an error", (t) => {
  const run = makeRunFolder(t);
  chmodSync(plant(run, "open", { process: DEAD }), 0o777);
  assert.equal(readSandbox(run, "open"), undefined);
  sweepSandboxes(run);
  assert.equal(existsSync(`${run}/open`), true);
  chmodSync(run, 0o777);
  assert.throws(() => listSandboxes(run), { code: "BRIG_UNSAFE_RUN_FOLDER" });
  assert.deepEqual(listSandboxes("/nonexistent/brig"), []);
});

test("an old empty cgroup that no sandbox's folder names is removed, and no other one", (t) => {
  const parent = "/sys/fs/cgroup/unified";
  const place = [parent, "/sys/fs/cgroup"].find((folder) => existsSync(`${folder}/cgroup.procs`));
  if (place === undefined || process.geteuid?.() !== 0) return t.skip("needs root and a cgroup hierarchy of version 2");
  const run = makeRunFolder(t);
  const base = `${place}/brig-sweep-test-${process.pid}`;
  const names = { forsaken: "brig-0123456789ab", owned: "brig-0123456789ac", populated: "brig-0123456789ad", other: "brig-machine" };
  mkdirSync(base);
  for (const name of Object.values(names)) mkdirSync(`${base}/${name}`);
  const holder = spawn("sleep", ["100"], { stdio: "ignore" });
  t.after(async () => {
    const ended = new Promise((done) => holder.once("exit", done));
    holder.kill("SIGKILL");
    await ended;
    for (let round = 0; round < 50; round++)
      try {
        for (const name of readdirSync(base).filter((each) => each.startsWith("brig-"))) rmdirSync(`${base}/${name}`);
        return rmdirSync(base);
      } catch {
        await new Promise((done) => setTimeout(done, 20));
      }
  });
  writeFileSync(`${base}/${names.populated}/cgroup.procs`, String(holder.pid));
  plant(run, "0123456789ac", { process: `${own} ${own}\n` });
  removeForsaken(run, [base]);
  assert.ok(existsSync(`${base}/${names.forsaken}`), "it may be in the making");
  removeForsaken(run, [base], Date.now() + 11_000);
  assert.deepEqual(readdirSync(base).filter((name) => name.startsWith("brig-")).sort(), [names.owned, names.populated, names.other]);
});
