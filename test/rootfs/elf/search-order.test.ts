import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { listHwcaps } from "../../../src/rootfs/elf/hwcaps.js";
import { findMachine } from "../../../src/rootfs/elf/machines.js";
import { openLibraryResolver } from "../../../src/rootfs/elf/resolve-libraries.js";
import { openSourceRoot } from "../../../src/rootfs/elf/source-root.js";

/** Builds libraries and a program from "OUTPUT: gcc words", in a folder that "@" stands for. */
function compileAll(t: TestContext, lines: string[]): string | undefined {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "brig-elf-test-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["a", "b", "bin", "lib"]) mkdirSync(join(folder, name));
  for (const line of lines) {
    const [output, words] = line.split(": ") as [string, string];
    const source = join(folder, `${output.replaceAll("/", "-")}.c`);
    writeFileSync(source, output.includes(".so") ? "int unused;\n" : "int main(void) { return 0; }\n");
    const flags = words.replaceAll("@", folder).split(" ").filter((word) => word !== "");
    const ran = spawnSync("gcc", [source, "-o", join(folder, output), "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", ...flags], { encoding: "utf8" });
    if (ran.error) return undefined;
    assert.equal(ran.status, 0, ran.stderr);
  }
  return folder;
}

function compare(program: string): Map<string, string> {
  const root = openSourceRoot("/");
  const resolver = openLibraryResolver(root);
  const file = root.resolve(program)!;
  const report = resolver.resolveProgram(program, file, resolver.read(file)!);
  const text = spawnSync("ldd", [program], { encoding: "utf8", env: { PATH: process.env.PATH, LC_ALL: "C" } }).stdout;
  const told = [...text.matchAll(/^\s*(\S+) => (\/\S+) \(0x/gm)].map(([, name, at]) => [name!, realpathSync(at!)] as const);
  const missing = [...text.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name!);
  const ours = report.libraries.filter(({ name }) => !name.includes("/")).map(({ name, file }) => [name, file.real] as const);
  assert.deepEqual(ours, told);
  assert.deepEqual(report.missing.map(({ name }) => name), missing);
  return new Map(ours);
}

const SHARED = "-shared -fPIC";
const OLD = "-Wl,--disable-new-dtags";
const NEW = "-Wl,--enable-new-dtags";

test("an RPATH of the program counts for the libraries of its libraries", (t) => {
  const folder = compileAll(t, [
    `a/libin.so: ${SHARED} -Wl,-soname,libin.so`,
    `lib/libout.so: ${SHARED} -Wl,-soname,libout.so -L@/a -lin`,
    `bin/p: ${OLD} -Wl,-rpath,$ORIGIN/../lib:$ORIGIN/../a -L@/lib -lout -L@/a`,
  ]);
  if (!folder) return t.skip("no gcc");
  assert.equal(compare(join(folder, "bin/p")).get("libin.so"), join(folder, "a/libin.so"));
});

test("a RUNPATH of the program does not", (t) => {
  const folder = compileAll(t, [
    `a/libin.so: ${SHARED} -Wl,-soname,libin.so`,
    `lib/libout.so: ${SHARED} -Wl,-soname,libout.so -L@/a -lin`,
    `bin/p: ${NEW} -Wl,-rpath,\${ORIGIN}/../lib:$ORIGIN/../a -L@/lib -lout -L@/a`,
  ]);
  if (!folder) return t.skip("no gcc");
  assert.equal(compare(join(folder, "bin/p")).has("libin.so"), false);
});

test("a library with a RUNPATH does not see the RPATH of what loaded it", (t) => {
  const folder = compileAll(t, [
    `a/libin.so: ${SHARED} -Wl,-soname,libin.so`,
    `b/libin.so: ${SHARED} -Wl,-soname,libin.so`,
    `lib/libout.so: ${SHARED} ${NEW} -Wl,-soname,libout.so -Wl,-rpath,@/b -L@/a -lin`,
    `bin/p: ${OLD} -Wl,-rpath,@/lib:@/a -L@/lib -lout`,
  ]);
  if (!folder) return t.skip("no gcc");
  assert.equal(compare(join(folder, "bin/p")).get("libin.so"), join(folder, "b/libin.so"));
});

test("a library that is already there by its soname is not searched again", (t) => {
  const folder = compileAll(t, [
    `a/libin.so: ${SHARED} -Wl,-soname,libin.so`,
    `b/libin.so: ${SHARED} -Wl,-soname,libin.so`,
    `lib/libout.so: ${SHARED} ${NEW} -Wl,-soname,libout.so -Wl,-rpath,@/b -L@/b -lin`,
    `bin/p: ${NEW} -Wl,-rpath,@/lib:@/a -L@/a -lin -L@/lib -lout`,
  ]);
  if (!folder) return t.skip("no gcc");
  assert.equal(compare(join(folder, "bin/p")).get("libin.so"), join(folder, "a/libin.so"));
});

test("glibc-hwcaps folders that this processor may use come first, in an RPATH too", (t) => {
  const folder = compileAll(t, [`a/libin.so: ${SHARED} -Wl,-soname,libin.so`, `bin/p: ${OLD} -Wl,-rpath,@/a -L@/a -lin`]);
  if (!folder) return t.skip("no gcc");
  mkdirSync(join(folder, "a/glibc-hwcaps/x86-64-v2"), { recursive: true });
  spawnSync("cp", [join(folder, "a/libin.so"), join(folder, "a/glibc-hwcaps/x86-64-v2/libin.so")]);
  const chosen = compare(join(folder, "bin/p")).get("libin.so");
  if (listHwcaps(findMachine({ bits: 64, littleEndian: true, machine: 62 })).includes("x86-64-v2") && process.arch === "x64") assert.match(chosen!, /glibc-hwcaps/);
});

test("a file of another machine on the way is passed over", (t) => {
  const folder = compileAll(t, [`a/libin.so: ${SHARED} -Wl,-soname,libin.so`, `bin/p: ${OLD} -Wl,-rpath,@/b:@/lib:@/a -L@/a -lin`]);
  if (!folder) return t.skip("no gcc");
  const ran = spawnSync("gcc", ["-m32", "-nostdlib", "-shared", join(folder, "a-libin.so.c"), "-o", join(folder, "b/libin.so")]);
  if (ran.status !== 0) return t.skip("no 32-bit compiler");
  assert.equal(compare(join(folder, "bin/p")).get("libin.so"), join(folder, "a/libin.so"));
});

test("$LIB and $PLATFORM expand as the loader expands them", (t) => {
  const folder = compileAll(t, [`a/libin.so: ${SHARED} -Wl,-soname,libin.so`, `bin/p: ${NEW} -Wl,-rpath,@/$LIB/$PLATFORM -L@/a -lin`]);
  if (!folder) return t.skip("no gcc");
  for (const place of ["lib/x86_64-linux-gnu/x86_64", "lib64/x86_64", "lib/x86_64"]) {
    mkdirSync(join(folder, place), { recursive: true });
    spawnSync("cp", [join(folder, "a/libin.so"), join(folder, place)]);
  }
  assert.ok(compare(join(folder, "bin/p")).has("libin.so"));
});
