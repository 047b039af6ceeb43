import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { findCacheFolder, nameCachedPlan, pruneCache, writeCachedPlan, writeExecutablePlan } from "../../src/launch/cache.js";
import { decodePlan } from "../../src/plan/decode.js";
import { encodePlan } from "../../src/plan/encode.js";
import { PLAN_PREFIX, RUN } from "../../src/plan/format.js";
import { makeEmptyPlan, type Plan } from "../../src/plan/plan.js";

const LAUNCHER = process.env["BRIG_LAUNCHER"] ?? "dist/brig";

function makeFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "brig-cache-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function makeEcho(text: string): Plan {
  const plan = makeEmptyPlan();
  plan.run.flags = RUN.IN_PLACE | RUN.PLAIN_TTY;
  plan.steps.payload.push({ op: "EXEC", candidates: ["/bin/echo"], argv: ["echo", text], environment: [], saying: "" });
  return plan;
}

const key = (words: string[], cwd: string) => ({ words, cwd, euid: process.geteuid?.() ?? 0, egid: process.getegid?.() ?? 0, terminals: 0 });

test("the cache is where the XDG folder is, and nowhere when there is none", () => {
  assert.equal(findCacheFolder({ XDG_CACHE_HOME: "/c", HOME: "/h" }), "/c/brig/plans");
  assert.equal(findCacheFolder({ XDG_CACHE_HOME: "relative", HOME: "/h" }), "/h/.cache/brig/plans");
  assert.equal(findCacheFolder({}), undefined);
});

test("a kept plan is private, and its name depends on words, folder, identity and terminals", (t) => {
  const folder = makeFolder(t);
  assert.ok(writeCachedPlan(key(["run", "x"], "/"), encodePlan(makeEcho("x")), { XDG_CACHE_HOME: folder }));
  const plans = join(folder, "brig/plans");
  assert.equal(statSync(plans).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(plans), [nameCachedPlan(key(["run", "x"], "/"))]);
  assert.equal(statSync(join(plans, readdirSync(plans)[0] ?? "")).mode & 0o777, 0o600);
  const base = key(["a", "b"], "/");
  const names = [base, { ...base, words: ["ab"] }, { ...base, words: ["a", "b", ""] }, { ...base, cwd: "/tmp" }, { ...base, euid: 9 }, { ...base, egid: 9 }, { ...base, terminals: 1 }].map(nameCachedPlan);
  assert.equal(new Set(names).size, names.length);
});

test("the launcher finds a kept plan by its words and runs it without Node", (t) => {
  if (!existsSync(LAUNCHER)) return t.skip("the launcher is not built");
  const folder = makeFolder(t);
  const plan = makeEcho("kept");
  const words = ["run", "--", "wörds", "two words"];
  plan.witnesses = [{ kind: "words", words }, { kind: "cwd", folder }];
  assert.ok(writeCachedPlan(key(words, folder), encodePlan(plan), { XDG_CACHE_HOME: folder }));
  const start = (given: string[], cwd = folder) => spawnSync(realpathSync(LAUNCHER), given, { argv0: "brig", cwd, encoding: "utf8", env: { XDG_CACHE_HOME: folder, BRIG_NODE: "/bin/false", PATH: "/bin" } });
  const found = start(words);
  assert.equal(found.stdout, "kept\n", found.stderr);
  assert.equal(found.status, 0);
  assert.equal(start(words.slice(0, 3)).stdout, "");
  assert.equal(start(words, "/").stdout, "");
  chmodSync(join(folder, "brig/plans"), 0o777);
  assert.equal(start(words).stdout, "", "a folder that others may write is not believed");
});

test("a folder that others may write gets no plan", (t) => {
  const folder = makeFolder(t);
  mkdirSync(join(folder, "brig/plans"), { recursive: true });
  chmodSync(join(folder, "brig/plans"), 0o777);
  assert.equal(writeCachedPlan(key(["x"], "/"), encodePlan(makeEcho("x")), { XDG_CACHE_HOME: folder }), false);
  assert.equal(writeCachedPlan(key(["x"], "/"), encodePlan(makeEcho("x")), { XDG_CACHE_HOME: "/dev/null/x" }), false);
});

test("the oldest plans go when there are too many", (t) => {
  const folder = makeFolder(t);
  for (let n = 0; n < 8; n++) {
    const file = join(folder, `000000000000000${n}`);
    writeFileSync(file, "");
    utimesSync(file, 1000 + n, 1000 + n);
  }
  writeFileSync(join(folder, "other"), "");
  pruneCache(folder, 3);
  assert.deepEqual(readdirSync(folder).sort(), ["0000000000000005", "0000000000000006", "0000000000000007", "other"]);
});

test("a plan written as a program runs by its own name", (t) => {
  if (!existsSync(LAUNCHER)) return t.skip("the launcher is not built");
  const file = join(makeFolder(t), "hello there");
  writeExecutablePlan(file, makeEcho("hello"), LAUNCHER);
  const ran = spawnSync(file, [], { encoding: "utf8", env: { PATH: "/bin" } });
  assert.equal(ran.stdout, "hello\n", ran.stderr);
  const bytes = readFileSync(file);
  assert.match(bytes.subarray(0, PLAN_PREFIX).toString(), /^#!\/\S+ --plan\n *$/);
  assert.equal(decodePlan(bytes).steps.payload[0]?.op, "EXEC");
});

test("a launcher whose path has a space cannot begin a program, and that is said", (t) => {
  assert.throws(() => writeExecutablePlan(join(makeFolder(t), "x"), makeEcho("x"), "/a b/brig"), { code: "BRIG_BAD_LAUNCHER_PATH" });
});
