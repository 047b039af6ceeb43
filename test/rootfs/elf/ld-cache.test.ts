import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { compareNames, encodeCache, parseCache } from "../../../src/rootfs/elf/ld-cache.js";
import { matchGlob, readLdConf } from "../../../src/rootfs/elf/ld-conf.js";
import { openSourceRoot } from "../../../src/rootfs/elf/source-root.js";

test("this host's cache reads as ldconfig -p prints it", (t) => {
  if (!existsSync("/etc/ld.so.cache")) return t.skip("no ld.so.cache");
  const printed = spawnSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" }).stdout ?? "";
  const lines = [...printed.matchAll(/^\t(\S+) \(.*\) => (\S+)$/gm)].map(([, name, path]) => [name, path]);
  if (lines.length === 0) return t.skip("no ldconfig");
  assert.deepEqual(parseCache(readFileSync("/etc/ld.so.cache"))!.map(({ name, path }) => [name, path]), lines);
});

test("this host's cache is in the order in which ours is written", (t) => {
  if (!existsSync("/etc/ld.so.cache")) return t.skip("no ld.so.cache");
  const entries = parseCache(readFileSync("/etc/ld.so.cache"))!;
  for (let index = 1; index < entries.length; index++) {
    assert.ok(compareNames(entries[index - 1]!.name, entries[index]!.name) >= 0, entries[index]!.name);
  }
});

test("what is written reads back, in either byte order", () => {
  const word = fc.stringMatching(/^[a-z0-9._+-]{1,20}$/);
  const entry = fc.record({ name: word, path: word.map((text) => `/${text}`), flags: fc.constantFrom<number>(3, 0x303) });
  fc.assert(fc.property(fc.array(entry, { maxLength: 30 }), fc.boolean(), (entries, little) => {
    const back = parseCache(encodeCache(entries, little))!;
    const show = (list: typeof entries) => list.map(({ name, path, flags }) => `${name} ${path} ${flags}`).sort();
    assert.deepEqual(show(back), show(entries));
  }));
});

test("a damaged cache gives nothing, some lines or none, and never an exception", () => {
  const whole = encodeCache([{ name: "liba.so.1", path: "/x/liba.so.1", flags: 3 }, { name: "libb.so.1", path: "/x/libb.so.1", flags: 3 }]);
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat({ max: whole.length - 4 }), fc.nat({ max: 0xffffffff })), { maxLength: 6 }), fc.nat({ max: whole.length }), (changes, length) => {
    const bytes = Buffer.from(whole);
    for (const [at, value] of changes) bytes.writeUInt32LE(value, at);
    const entries = parseCache(bytes.subarray(0, length));
    assert.ok(entries === undefined || entries.length < 1000);
  }), { numRuns: 1000 });
});

test("ld.so.conf is read with its includes, globs and comments, within the root and without going in circles", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "brig-conf-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "etc/conf.d"), { recursive: true });
  writeFileSync(join(folder, "etc/ld.so.conf"), "include conf.d/[a-b]?.conf # two of three\n/last/\n  /old=libc5\nrelative\n/first\n");
  writeFileSync(join(folder, "etc/conf.d/b1.conf"), "/second\ninclude /etc/ld.so.conf\n");
  writeFileSync(join(folder, "etc/conf.d/a1.conf"), "/first\n# /not\n");
  writeFileSync(join(folder, "etc/conf.d/c1.conf"), "/never\n");
  symlinkSync("/etc/conf.d/c1.conf", join(folder, "etc/conf.d/.a2.conf"));
  assert.deepEqual(readLdConf(openSourceRoot(folder)), ["/first", "/second", "/last", "/old"]);
});

test("a glob matches what glob(7) says, and one made to take for ever does not", () => {
  const cases: [string, string, boolean][] = [
    ["*.conf", "a.conf", true], ["*.conf", "a.confx", false], ["a?c", "abc", true], ["[!a]b", "ab", false], ["[a-c]*", "b", true],
    ["[z-a]", "b", false], ["a[", "a[", true], ["", "", true], ["*", "", true], ["*a*b", "xaxb", true], ["(.+)", "abc", false],
  ];
  for (const [pattern, name, expected] of cases) assert.equal(matchGlob(pattern, name), expected, pattern);
  const start = performance.now();
  assert.equal(matchGlob(`${"*a".repeat(100)}b`, "a".repeat(255)), false);
  assert.ok(performance.now() - start < 1000);
});
