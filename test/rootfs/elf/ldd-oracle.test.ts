import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { test } from "node:test";
import { openLibraryResolver } from "../../../src/rootfs/elf/resolve-libraries.js";
import { openSourceRoot } from "../../../src/rootfs/elf/source-root.js";

const root = openSourceRoot("/");
const resolver = openLibraryResolver(root);

/** What ldd prints, as "name path" with the path's links followed. */
function askLdd(path: string): { found: Map<string, string>; missing: string[] } {
  const text = spawnSync("ldd", [path], { encoding: "utf8", env: { PATH: process.env.PATH, LC_ALL: "C" } }).stdout;
  const found = [...text.matchAll(/^\s*(\S+) => (\/\S+) \(0x/gm)].map(([, name, at]) => [name!, realpathSync(at!)] as const);
  return { found: new Map(found), missing: [...text.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name!) };
}

function askResolver(path: string): { found: Map<string, string>; missing: string[] } | undefined {
  const file = root.resolve(path);
  const elf = file?.stat.isFile() ? resolver.read(file) : undefined;
  if (!file || !elf?.interpreter) return undefined;
  const report = resolver.resolveProgram(path, file, elf);
  const found = report.libraries.map(({ name, file }) => [name, file.real] as const);
  return { found: new Map(found), missing: report.missing.map(({ name }) => name) };
}

/** Sampled by the hash of the name, so that the sample does not follow the alphabet. */
function sample(folder: string, count: number): string[] {
  const names = readdirSync(folder).map((name) => `${folder}/${name}`);
  const score = (text: string) => [...text].reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) % 10_007, 7);
  return names.sort((a, b) => score(a) - score(b)).filter((path) => askResolver(path) !== undefined).slice(0, count);
}

test("every sampled program of /usr/bin needs the very files that ldd names", (t) => {
  if (spawnSync("ldd", ["--version"]).status !== 0) return t.skip("no ldd");
  const programs = sample("/usr/bin", 150);
  assert.ok(programs.length >= 100, `only ${programs.length} dynamic programs to compare`);
  for (const path of programs) {
    // The real path: through a link ldd takes $ORIGIN for the folder of the link, unlike the kernel and ld.so at run time.
    const [ours, theirs] = [askResolver(path)!, askLdd(realpathSync(path))];
    assert.deepEqual([...ours.found].sort(), [...theirs.found].sort(), path);
    assert.deepEqual(ours.missing.sort(), [...new Set(theirs.missing)].sort(), path);
  }
});

test("the libraries come in the order in which ldd names them", (t) => {
  if (spawnSync("ldd", ["--version"]).status !== 0) return t.skip("no ldd");
  for (const path of ["/usr/bin/ssh", "/usr/bin/curl", "/usr/bin/git", "/bin/bash"].filter((at) => askResolver(at))) {
    assert.deepEqual([...askResolver(path)!.found.keys()], [...askLdd(path).found.keys()], path);
  }
});

test("a 32-bit loader's own library is found for a 32-bit program", (t) => {
  const loader = root.resolve("/lib/ld-linux.so.2");
  if (!loader) return t.skip("no 32-bit C library");
  const file = root.resolve("/lib32/libBrokenLocale.so.1") ?? root.resolve("/lib/i386-linux-gnu/libBrokenLocale.so.1");
  if (!file) return t.skip("no 32-bit library to look at");
  const report = resolver.resolveModule(file.real, file, resolver.read(file)!);
  const expected = execFileSync(loader.host, ["--list", file.host], { encoding: "utf8" });
  assert.match(expected, /libc\.so\.6 => /);
  assert.deepEqual(report.libraries.map(({ file }) => file.real), [realpathSync(/libc\.so\.6 => (\S+)/.exec(expected)![1]!)]);
});
