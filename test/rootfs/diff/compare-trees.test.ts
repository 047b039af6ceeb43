import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { compareTrees } from "../../../src/rootfs/diff/compare-trees.js";

function makeTrees(t: TestContext): [string, string] {
  const base = mkdtempSync(join(tmpdir(), "brig-diff-"));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const a = join(base, "a");
  mkdirSync(join(a, "etc/deep/er"), { recursive: true });
  mkdirSync(join(a, "old"));
  for (const name of ["etc/kept", "etc/same", "etc/text", "old/x", "type"]) writeFileSync(join(a, name), name);
  symlinkSync("kept", join(a, "etc/link"));
  const b = join(base, "b");
  assert.equal(spawnSync("cp", ["-a", a, b]).status, 0);
  return [a, b];
}

const lines = (a: string, b: string, content = false): string[] => compareTrees(a, b, { content }).changes.map(({ kind, path }) => `${kind[0]!.toUpperCase()} ${path}`);

test("two equal trees differ in nothing", (t) => {
  const [a, b] = makeTrees(t);
  assert.deepEqual(lines(a, b), []);
});

test("what was added, changed and deleted is told, and the folders that hold it", (t) => {
  const [a, b] = makeTrees(t);
  mkdirSync(join(b, "new/er"), { recursive: true });
  rmSync(join(b, "old"), { recursive: true });
  chmodSync(join(b, "etc/kept"), 0o600);
  unlinkSync(join(b, "etc/link"));
  symlinkSync("same", join(b, "etc/link"));
  unlinkSync(join(b, "type"));
  mkdirSync(join(b, "type"));
  assert.deepEqual(lines(a, b), ["C /etc", "C /etc/kept", "C /etc/link", "A /new", "A /new/er", "D /old", "C /type"]);
});

test("another time is a change, unless the bytes are asked for", (t) => {
  const [a, b] = makeTrees(t);
  utimesSync(join(b, "etc/same"), 1, 1);
  writeFileSync(join(b, "etc/text"), "etc/tex!");
  assert.deepEqual(lines(a, b), ["C /etc", "C /etc/same", "C /etc/text"]);
  assert.deepEqual(lines(a, b, true), ["C /etc", "C /etc/text"]);
});

test("a link to a folder is never entered", (t) => {
  const [a, b] = makeTrees(t);
  rmSync(join(b, "etc"), { recursive: true });
  symlinkSync("/etc", join(b, "etc"));
  assert.deepEqual(lines(a, b), ["C /etc"]);
});

test("a trap of folders in one another ends in an error", (t) => {
  const [a, b] = makeTrees(t);
  mkdirSync(join(b, ...Array.from({ length: 450 }, () => "d")), { recursive: true });
  assert.throws(() => compareTrees(a, b), { code: "BRIG_CANNOT_COMPARE" });
});

test("hard links are compared as the files that they are", (t) => {
  const [a, b] = makeTrees(t);
  linkSync(join(b, "etc/kept"), join(b, "etc/second"));
  assert.deepEqual(lines(a, b), ["C /etc", "A /etc/second"]);
});
