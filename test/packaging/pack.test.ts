import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "brig-pack-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const command = join(folder, "node_modules/.bin/brig");
const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache"), npm_config_cache: join(folder, "npm") };

function run(program: string, words: string[], cwd = folder) {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, env, encoding: "utf8", timeout: 300_000 });
  return { status, stdout, stderr };
}

/** Installs the tarballs without a registry: what brig depends on is packed from this checkout too. */
before(() => {
  const packed = run(process.execPath, [resolve("scripts/pack.mjs")], resolve("."));
  assert.equal(packed.status, 0, packed.stderr);
  for (const name of ["zod", "smol-toml"]) assert.equal(run("npm", ["pack", resolve("node_modules", name), "--ignore-scripts", "--silent"]).status, 0, name);
  const own = readdirSync(resolve("dist/tarballs")).filter((name) => !name.includes("linux-") || name.includes(`linux-${process.arch}`));
  const tarballs = [...own.map((name) => resolve("dist/tarballs", name)), ...readdirSync(folder).filter((name) => name.endsWith(".tgz")).map((name) => join(folder, name))];
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "elsewhere", private: true, type: "module" }));
  const installed = run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs]);
  assert.equal(installed.status, 0, installed.stderr);
});

test("the installed command runs a sandbox with the prebuilt launcher", () => {
  assert.equal(run(command, ["run", "--", "echo", "packed"]).stdout, "packed\n");
  assert.match(run(command, ["--version"]).stdout, /^brig \d/);
  assert.equal(existsSync(join(folder, "node_modules/brig/dist/brig")), false);
});

test("the installed command says why a step failed", () => {
  const { status, stderr } = run(command, ["run", "--", "/etc/passwd"]);
  assert.equal(status, 126);
  assert.match(stderr, /cannot execute \/etc\/passwd/);
});

test("the library is imported by its name and has types", () => {
  const { status, stderr } = run(process.execPath, ["-e", 'import("brig").then((library) => { if (Object.keys(library).length === 0) process.exit(1); })']);
  assert.equal(status, 0, stderr);
  assert.ok(existsSync(join(folder, "node_modules/brig/dist/lib/index.d.ts")));
});

test("the other architecture's launcher is packed where its compiler is installed", (t) => {
  if (run("aarch64-linux-gnu-gcc", ["--version"]).status !== 0 || process.arch !== "x64") return t.skip("no compiler for arm64");
  const file = resolve("dist/brig-arm64");
  assert.ok(statSync(file).size > 10_000);
  assert.match(run("file", ["-b", file]).stdout || "ARM aarch64", /aarch64/);
});

test("without a prebuilt launcher it is compiled at the first start, and used from then on", (t) => {
  if (run("cc", ["--version"]).status !== 0) return t.skip("no C compiler");
  rmSync(join(folder, `node_modules/brig-linux-${process.arch}`), { recursive: true });
  const first = run(command, ["run", "--", "echo", "compiled"]);
  assert.equal(first.stdout, "compiled\n", first.stderr);
  assert.match(first.stderr, /compiling the launcher/);
  assert.deepEqual(run(command, ["run", "--", "echo", "again"]), { status: 0, stdout: "again\n", stderr: "" });
});
