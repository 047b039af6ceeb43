import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { accessSync, chmodSync, closeSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { listFolder, noteMissing, useListing } from "../../src/host/list-names.js";
import { readText } from "../../src/host/read-text.js";
import { writeCachedPlan } from "../../src/launch/cache.js";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { recordInputs } from "../../src/launch/record-inputs.js";
import { encodePlan } from "../../src/plan/encode.js";
import { RUN } from "../../src/plan/format.js";
import { makeEmptyPlan, type Witness } from "../../src/plan/plan.js";

function makeFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "brig-record-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function record(act: () => void): Witness[] | { unrepeatable: string } {
  const recording = recordInputs(syncBuiltinESMExports);
  try {
    act();
  } finally {
    recording.stop();
  }
  return recording.stop();
}

const refusal = (answers: ReturnType<typeof record>): string => ("unrepeatable" in answers ? answers.unrepeatable : "nothing was refused");

function need(act: () => void): Witness[] {
  const answers = record(act);
  assert.ok(Array.isArray(answers), refusal(answers));
  return answers;
}

/** Whether the launcher takes a plan with these witnesses for fresh. */
function holds(cache: string, witnesses: Witness[], before: string[] = []): boolean {
  const words = ["kept"];
  const plan = makeEmptyPlan();
  plan.run.flags = RUN.IN_PLACE | RUN.PLAIN_TTY;
  plan.steps.payload.push({ op: "EXEC", candidates: ["/bin/true"], argv: ["true"], environment: [], saying: "" });
  plan.witnesses = [{ kind: "words", words }, ...witnesses];
  assert.ok(writeCachedPlan({ words, cwd: cache, euid: process.geteuid!(), egid: process.getegid!(), terminals: 0 }, encodePlan(plan), { XDG_CACHE_HOME: cache }));
  const [command = "", ...rest] = [...before, findLauncher(), ...words];
  const { status, error } = spawnSync(command, rest, { timeout: 20_000, cwd: cache, env: { ...process.env, XDG_CACHE_HOME: cache, BRIG_NODE: "/nowhere/node" }, stdio: ["ignore", "ignore", "ignore"] });
  assert.ifError(error);
  return status === 0;
}

const attempt = (act: () => unknown): void => {
  try {
    act();
  } catch {
    // its answer
  }
};

test("each answer of the file system is seen by the launcher to be another one when it is", async (t) => {
  const folder = makeFolder(t);
  const cache = makeFolder(t);
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("d"));
  writeFileSync(at("d/one"), "text");
  writeFileSync(at("f"), "text");
  symlinkSync("d", at("l"));
  await sleep(130);
  const cases: [what: string, ask: () => void, change: () => void, back: () => void][] = [
    ["existsSync of nothing", () => existsSync(at("n")), () => writeFileSync(at("n"), ""), () => unlinkSync(at("n"))],
    ["existsSync of something", () => existsSync(at("f")), () => renameSync(at("f"), at("g")), () => renameSync(at("g"), at("f"))],
    ["statSync of nothing", () => statSync(at("n"), { throwIfNoEntry: false }), () => mkdirSync(at("n")), () => rmSync(at("n"), { recursive: true })],
    ["statSync that throws", () => attempt(() => statSync(at("f/n"))), () => (renameSync(at("f"), at("g")), mkdirSync(at("f/n"), { recursive: true })), () => (rmSync(at("f"), { recursive: true }), renameSync(at("g"), at("f")))],
    ["statSync's mode", () => statSync(at("l")), () => chmodSync(at("d"), 0o711), () => chmodSync(at("d"), 0o755)],
    ["lstatSync's kind", () => lstatSync(at("l")), () => (unlinkSync(at("l")), mkdirSync(at("l"))), () => (rmSync(at("l"), { recursive: true }), symlinkSync("d", at("l")))],
    ["statSync's identity", () => statSync(at("d"), { bigint: true }), () => (renameSync(at("d"), at("e")), mkdirSync(at("d"))), () => (rmSync(at("d"), { recursive: true }), renameSync(at("e"), at("d")))],
    ["readlinkSync", () => readlinkSync(at("l")), () => (unlinkSync(at("l")), symlinkSync("./d", at("l"))), () => (unlinkSync(at("l")), symlinkSync("d", at("l")))],
    ["readlinkSync of no link", () => attempt(() => readlinkSync(at("f"))), () => (renameSync(at("f"), at("g")), symlinkSync("g", at("f"))), () => (unlinkSync(at("f")), renameSync(at("g"), at("f")))],
    ["realpathSync", () => realpathSync(at("l/one")), () => (renameSync(at("d"), at("e")), symlinkSync("e", at("d"))), () => (unlinkSync(at("d")), renameSync(at("e"), at("d")))],
    ["realpathSync.native of nothing", () => attempt(() => realpathSync.native(at("n"))), () => symlinkSync("d", at("n")), () => unlinkSync(at("n"))],
    ["readdirSync", () => readdirSync(at("d")), () => writeFileSync(at("d/two"), ""), () => unlinkSync(at("d/two"))],
    ["names that begin so", () => useListing(listFolder(at("d")), "t"), () => writeFileSync(at("d/two"), ""), () => unlinkSync(at("d/two"))],
  ];
  for (const [what, ask, change, back] of cases) {
    const answers = need(ask);
    assert.ok(holds(cache, answers), what);
    change();
    assert.equal(holds(cache, answers), false, what);
    back();
    assert.ok(holds(cache, answers), `${what}: as it was`);
  }
  const names = need(() => useListing(listFolder(at("d")), "t"));
  writeFileSync(at("d/other"), "");
  assert.ok(holds(cache, names), "a name of another beginning");
});

test("what is read is held by its state, and an unreadable or missing file by its being so", async (t) => {
  const folder = makeFolder(t);
  const cache = makeFolder(t);
  const file = join(folder, "f");
  writeFileSync(file, "text");
  await sleep(130);
  for (const ask of [() => readFileSync(file, "utf8"), () => readText(file)] as const) {
    const answers = need(() => void ask());
    assert.ok(holds(cache, answers));
    writeFileSync(file, "tex2");
    assert.equal(holds(cache, answers), false);
    await sleep(130);
  }
  const missing = need(() => readText(join(folder, "n")));
  assert.ok(holds(cache, missing));
  writeFileSync(join(folder, "n"), "");
  assert.equal(holds(cache, missing), false);
  assert.match(refusal(record(() => readText(join(folder, "n")))), /just been changed/);
});

test("names that are not in a folder are held together, one by one where the folder has changed", async (t) => {
  const folder = makeFolder(t);
  const cache = makeFolder(t);
  const home = join(folder, "home");
  mkdirSync(home);
  for (const wait of [0, 130]) {
    await sleep(wait);
    const answers = need(() => {
      const listing = listFolder(home);
      for (const name of ["a", "long name", "c", "a"]) noteMissing(listing, name);
    });
    const absent = answers.filter(({ kind }) => kind === "absent");
    assert.deepEqual(absent.map((each) => (each.kind === "absent" ? [each.path, each.names, each.folder !== undefined] : [])), [[home, ["a", "long name", "c"], wait > 0]]);
    assert.ok(holds(cache, answers));
    writeFileSync(join(home, "other"), "");
    assert.ok(holds(cache, answers), "another name changes nothing");
    for (const name of ["a", "long name", "c"]) {
      writeFileSync(join(home, name), "");
      assert.equal(holds(cache, answers), false, name);
      unlinkSync(join(home, name));
      assert.ok(holds(cache, answers));
    }
    renameSync(home, `${home}.away`);
    assert.ok(holds(cache, absent), "nothing is in a folder that is not there");
    mkdirSync(home);
    writeFileSync(join(home, "c"), "");
    assert.equal(holds(cache, absent), false, "another folder in its place is looked into");
    rmSync(home, { recursive: true });
    renameSync(`${home}.away`, home);
  }
});

test("a folder of the kernel's is never taken for unchanged by its time", () => {
  const answers = need(() => noteMissing(listFolder("/proc/sys/kernel"), "no_such_setting"));
  assert.deepEqual(answers.flatMap((each) => (each.kind === "absent" ? [each.folder] : [])), [undefined]);
});

test("files of the kernel are held by their text, capabilities by themselves", (t) => {
  const cache = makeFolder(t);
  const answers = need(() => (readText("/proc/sys/kernel/osrelease"), readText("/proc/self/status"), readText("/proc/self/mountinfo")));
  assert.deepEqual(answers.map(({ kind }) => kind), ["text", "text", "caps", "text"]);
  assert.ok(holds(cache, answers));
  const others = answers.map((each) => (each.kind === "text" ? { ...each, hash: (each.hash ?? 0n) ^ 1n } : each.kind === "caps" ? { ...each, effective: each.effective ^ 1n } : each));
  others.forEach((other, index) => assert.equal(holds(cache, answers.map((each, at) => (at === index ? other : each))), false));
  if (process.geteuid?.() !== 0 || spawnSync("setpriv", ["--bounding-set=-chown", "true"]).status !== 0) return;
  const caps = answers.filter(({ kind }) => kind === "caps");
  assert.equal(holds(cache, caps, ["setpriv", "--bounding-set=-chown"]), false);
  assert.ok(holds(cache, caps, ["env"]));
});

test("variables count by name, and a look at all of them keeps nothing", () => {
  const answers = need(() => [process.env["HOME"], process.env["BRIG_NOT_SET"], process.env["BRIG_ENTRY_FD"]]);
  assert.deepEqual(answers.flatMap((each) => (each.kind === "env" ? [[each.name, each.value]] : [])), [["HOME", process.env["HOME"]], ["BRIG_NOT_SET", undefined]]);
  assert.match(refusal(record(() => Object.keys(process.env))), /whole environment/);
});

test("what changes the host, or reads what no other start will find, keeps nothing", (t) => {
  const folder = makeFolder(t);
  const inherited = openSync("/dev/null", "r");
  t.after(() => closeSync(inherited));
  const deeds: [() => void, RegExp][] = [
    [() => writeFileSync(join(folder, "x"), ""), /writeFileSync was called/],
    [() => mkdirSync(join(folder, "y")), /mkdirSync was called/],
    [() => readFileSync(inherited), /descriptor of the caller/],
    [() => accessSync(`/proc/${process.pid}/status`, constants.R_OK), /was looked at/],
    [() => readText("/proc/net/unix"), /was read/],
  ];
  for (const [act, why] of deeds) assert.match(refusal(record(act)), why);
});

test("what is done aside is not seen, and afterwards everything is as it was", () => {
  const recording = recordInputs(syncBuiltinESMExports);
  const { env } = process;
  recording.aside(() => assert.notEqual(process.env, env));
  recording.aside(() => existsSync("/nowhere"));
  const answers = recording.stop();
  assert.ok(Array.isArray(answers));
  assert.equal(answers.length, 1, "only the boot");
  assert.notEqual(process.env, env);
  const again = recordInputs(syncBuiltinESMExports);
  existsSync("/nowhere");
  assert.equal((again.stop() as Witness[]).length, 2);
});
