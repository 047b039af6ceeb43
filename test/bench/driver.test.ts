import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { Driver } from "../../bench/driver.js";
import { race } from "../../bench/race.js";

const BENCH = resolve(import.meta.dirname, "../../../bench");
const scratch = mkdtempSync(join(tmpdir(), "brig-bench-test-"));
const repeat = join(scratch, "repeat");

before(() => void execFileSync("cc", ["-O2", "-o", repeat, join(BENCH, "repeat.c")]));
after(() => rmSync(scratch, { recursive: true, force: true }));

test("a driver gives as many times as it was asked for, each the time of a run", async () => {
  const driver = new Driver([repeat, "sleep", "0.05"], process.env);
  const times = await driver.measure(3);
  await driver.close();
  assert.equal(times.length, 3);
  assert.ok(times.every((time) => time >= 50_000 && time < 5_000_000), String(times));
});

test("a command that fails is an error with its status, not a quick time", async () => {
  const driver = new Driver([repeat, "sh", "-c", "exit 3"], process.env);
  await assert.rejects(driver.measure(1), /sh ended with status 3/);
});

test("a driver that is not there is an error", async () => {
  const driver = new Driver([join(scratch, "none")], process.env);
  await assert.rejects(driver.measure(1), /ENOENT/);
});

test("each run can have a number of its own, and a file as descriptor 3", async () => {
  const driver = new Driver([repeat, "--file3", repeat, "sh", "-c", `: >"${scratch}/seen-%n" && head -c 1 <&3`], process.env);
  await driver.measure(2);
  await driver.close();
  assert.equal(execFileSync("sh", ["-c", `ls -d ${scratch}/seen-* | wc -l`], { encoding: "utf8" }).trim(), "3");
});

test("contestants take turns, and one without a command stays out", async () => {
  const contestants = new Map([
    ["limit", { what: "true", words: [repeat, "true"] }],
    ["bwrap", { what: "also true", words: [repeat, "true"] }],
    ["firejail", { what: "none", words: { missing: "not installed" } }],
  ] as const);
  const times = await race(contestants as never, { rounds: 2, runs: 2, env: process.env });
  assert.deepEqual([...times].map(([name, rounds]) => [name, rounds.length, rounds[0]?.length]), [["limit", 2, 2], ["bwrap", 2, 2]]);
});
