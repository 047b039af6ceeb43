import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { RLIMIT_INFINITY } from "../../src/spec/rlimit-names.js";
import { formatSpec, parseSpecText } from "../../src/spec/spec-text.js";
import type { Spec } from "../../src/spec/oci.js";

const huge = '{"linux":{"seccomp":{"syscalls":[{"args":[{"value":18446744069414584321,"valueTwo":5}]}]}},"process":{"rlimits":[{"hard":18446744073709551615,"soft":1}]}}';

test("a seccomp argument beyond 2^53 stays exact, and no limit is RLIMIT_INFINITY", () => {
  const spec = parseSpecText(huge) as Spec;
  assert.deepEqual(spec.linux?.seccomp?.syscalls?.[0]?.args?.[0], { value: 18446744069414584321n, valueTwo: 5 });
  assert.equal(spec.process?.rlimits?.[0]?.hard, RLIMIT_INFINITY);
});

test("a spec is written so that its numbers are those that were read", () => {
  assert.equal(formatSpec(parseSpecText(huge) as Spec, 0), huge);
});

test("runc reads no limit as brig writes it, and not as JSON.stringify does", (t) => {
  if (spawnSync("runc", ["--version"]).error) return t.skip("runc is not installed");
  const folder = mkdtempSync(join(tmpdir(), "brig-text-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // The relative cwd stops runc right behind its reading of the document, before it does anything.
  const process = { args: ["x"], cwd: "relative", user: { uid: 0, gid: 0 }, rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: RLIMIT_INFINITY }] };
  const spec = { ociVersion: "1.0.2", root: { path: "rootfs" }, process, linux: { namespaces: [{ type: "mount" as const }] } };
  const read = (text: string): string => {
    writeFileSync(join(folder, "config.json"), text);
    return spawnSync("runc", ["--root", join(folder, "state"), "create", "--bundle", folder, "brig-text-test"], { encoding: "utf8" }).stderr;
  };
  assert.match(read(JSON.stringify(spec)), /unmarshal/);
  assert.match(read(formatSpec(spec)), /absolute path/);
});

test("what is not JSON is refused with its line", () => {
  assert.throws(() => parseSpecText('{"a": 1,\n"b": }', "c.json"), { code: "BRIG_BAD_SPEC", message: /^c\.json(:2)?: not JSON/ });
  assert.throws(() => parseSpecText(`"${'\\"'.repeat(300_000)}`), { code: "BRIG_BAD_SPEC" });
});

test("any JSON is read as JSON.parse reads it, but for huge whole numbers", () => {
  fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parseSpecText(text), JSON.parse(text))), { numRuns: 2000 });
  for (const text of ["0.00099576922478750310", "-1.5e-12345678901234567", "1e12345678901234567", "[1.8446744073709551616e19]"]) assert.deepEqual(parseSpecText(text), JSON.parse(text));
  fc.assert(fc.property(fc.string(), fc.bigInt({ min: 2n ** 53n + 1n, max: 2n ** 64n - 1n }), (word, number) => {
    const text = `{"word": ${JSON.stringify(`${word}12345678901234567890`)}, "value": ${number}, "n": [${number}]}`;
    assert.deepEqual(parseSpecText(text), { word: `${word}12345678901234567890`, value: number, n: [Number(number)] });
  }));
});
