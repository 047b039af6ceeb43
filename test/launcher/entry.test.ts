import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { nameCachedPlan, writeExecutablePlan } from "../../src/launch/cache.js";
import { witnessFile } from "../../src/launch/witness.js";
import { encodePlan } from "../../src/plan/encode.js";
import type { Witness } from "../../src/plan/plan.js";
import { LAUNCHER, makeFolder, makePlan, shell } from "./launch.js";

const WORDS = ["run", "--", "two words", ""];

/** A launcher whose command's script is this one, and a home of its own. */
function install(t: TestContext, script: string): { folder: string; start(words: string[], env?: Record<string, string>): { status: number | null; stdout: string; stderr: string } } {
  const folder = makeFolder(t);
  copyFileSync(LAUNCHER, join(folder, "brig"));
  mkdirSync(join(folder, "cli"));
  writeFileSync(join(folder, "cli", "main.cjs"), script);
  const base = { PATH: process.env["PATH"]!, HOME: folder, BRIG_NODE: process.execPath };
  const start = (words: string[], env: Record<string, string> = {}) =>
    spawnSync("./brig", words, { argv0: "brig", cwd: folder, env: { ...base, ...env }, encoding: "utf8", timeout: 10_000, stdio: ["ignore", "pipe", "pipe"] });
  return { folder, start };
}

/** Keeps a plan in the cache of that home, as TypeScript would. */
function keep(folder: string, words: string[], witnesses: Witness[], build = "0".repeat(16)): string {
  const plans = join(folder, ".cache/brig/plans");
  mkdirSync(plans, { recursive: true, mode: 0o700 });
  const key = { words, cwd: folder, euid: process.geteuid!(), egid: process.getegid!(), terminals: 0 };
  const file = join(plans, nameCachedPlan(key));
  const plan = makePlan({ argv: shell("echo from the cache"), build, witnesses: [{ kind: "words", words }, ...witnesses] });
  writeFileSync(file, encodePlan(plan), { mode: 0o600 });
  return file;
}

const SAY = "console.log('from node')";

test("What Node writes to the descriptor is run; where it writes nothing its status is the answer", (t) => {
  const plan = Buffer.from(encodePlan(makePlan({ argv: shell("echo ran; exit 4") }))).toString("base64");
  const compiling = install(t, `require("fs").writeSync(Number(process.env.BRIG_ENTRY_FD), Buffer.from("${plan}", "base64"))`);
  assert.deepEqual([compiling.start(["x"]).status, compiling.start(["x"]).stdout], [4, "ran\n"]);
  const answering = install(t, "console.log(process.argv.slice(2).join('|')); process.exit(3)").start(["a b", "", "c"]);
  assert.deepEqual([answering.status, answering.stdout], [3, "a b||c\n"]);
  assert.equal(install(t, "process.kill(process.pid, 'SIGKILL')").start(["x"]).status, 137);
});

test("A half-written plan is refused, with a line that says so", (t) => {
  const ran = install(t, `require("fs").writeSync(Number(process.env.BRIG_ENTRY_FD), "brigplan and then nothing")`).start(["x"]);
  assert.equal(ran.status, 125);
  assert.match(ran.stderr, /^brig: the compiled plan is cut short/);
});

test("A missing Node and a missing script are one clear line each", (t) => {
  const { folder, start } = install(t, SAY);
  const missing = start(["x"], { BRIG_NODE: "/does/not/exist" });
  assert.equal(missing.status, 125);
  assert.match(missing.stderr, /^brig: node is missing\n {2}hint: .*nodejs/);
  rmSync(join(folder, "cli"), { recursive: true });
  assert.match(start(["x"]).stderr, /main\.cjs is missing/);
});

test("A kept plan whose witnesses hold starts without Node, and each that fails brings Node back", (t) => {
  const { folder, start } = install(t, SAY);
  const seen = join(folder, "seen");
  writeFileSync(seen, "");
  const witnesses: Witness[] = [
    witnessFile(seen), witnessFile(join(folder, "absent")), { kind: "cwd", folder }, { kind: "tty", bits: 0 },
    { kind: "env", name: "ASKED", value: "yes" }, { kind: "env", name: "UNASKED", value: undefined },
  ];
  const env = { ASKED: "yes" };
  const says = (extra: Record<string, string> = {}) => start(WORDS, { ...env, ...extra }).stdout;
  keep(folder, WORDS, witnesses);
  assert.equal(says({ BRIG_NODE: "/does/not/exist" }), "from the cache\n");
  assert.equal(says({ BRIG_NO_CACHE: "1" }), "from node\n");
  assert.equal(says({ ASKED: "no" }), "from node\n");
  assert.equal(says({ UNASKED: "" }), "from node\n");
  assert.equal(start([...WORDS, "more"], env).stdout, "from node\n");
  writeFileSync(join(folder, "absent"), "");
  assert.equal(says(), "from node\n");
  rmSync(join(folder, "absent"));
  assert.equal(says(), "from the cache\n");
  utimesSync(seen, 1, 1);
  assert.equal(says(), "from node\n");
});

test("A plan under the name of other words, of another build, or without words is not run", (t) => {
  const { folder, start } = install(t, SAY);
  const file = keep(folder, WORDS, []);
  const other = keep(folder, ["other"], []);
  writeFileSync(other, readFileSync(file), { mode: 0o600 });
  assert.equal(start(["other"]).stdout, "from node\n");
  keep(folder, ["built"], [], "00000000deadbeef");
  assert.equal(start(["built"]).stdout, "from node\n");
});

test("A plan that others may write, or in a folder that they may, is not run", (t) => {
  const { folder, start } = install(t, SAY);
  const file = keep(folder, WORDS, []);
  assert.equal(start(WORDS).stdout, "from the cache\n");
  chmodSync(file, 0o620);
  assert.equal(start(WORDS).stdout, "from node\n");
  chmodSync(file, 0o600);
  chmodSync(join(folder, ".cache/brig/plans"), 0o777);
  assert.equal(start(WORDS).stdout, "from node\n");
});

test("A cut plan in the cache is passed over", (t) => {
  const { folder, start } = install(t, SAY);
  const file = keep(folder, WORDS, []);
  writeFileSync(file, readFileSync(file).subarray(0, 200));
  assert.equal(start(WORDS).stdout, "from node\n");
});

test("A stale executable plan says so and is compiled again", (t) => {
  const fresh = Buffer.from(encodePlan(makePlan({ argv: shell("echo fresh") }))).toString("base64");
  const { folder } = install(t, `console.log(process.argv.slice(2, 4).join(" ")); require("fs").writeSync(Number(process.env.BRIG_ENTRY_FD), Buffer.from("${fresh}", "base64"))`);
  const file = join(folder, "program"), seen = join(folder, "seen");
  writeFileSync(seen, "");
  writeExecutablePlan(file, makePlan({ argv: shell("echo as compiled"), witnesses: [witnessFile(seen)] }), join(folder, "brig"));
  const ran = () => spawnSync(file, { encoding: "utf8", env: { BRIG_NODE: process.execPath }, timeout: 10_000 });
  assert.equal(ran().stdout, "as compiled\n");
  rmSync(seen);
  const again = ran();
  assert.match(again.stderr, /program is stale/);
  assert.equal(again.stdout, "plan --recompile\nfresh\n");
});

test("A failure that Node can't tell is told raw, without what a terminal obeys", (t) => {
  const { folder } = install(t, "process.exit(1)");
  const file = join(folder, "plan");
  writeFileSync(file, encodePlan(makePlan({ argv: ["/missing/\u001b[31m"] })));
  const ran = spawnSync(join(folder, "brig"), ["--plan", file], { encoding: "utf8", env: { BRIG_NODE: process.execPath } });
  assert.equal(ran.status, 127);
  assert.equal(ran.stderr, "brig: execve /missing/?[31m: errno 2 (step 1, operation 59)\n");
});
