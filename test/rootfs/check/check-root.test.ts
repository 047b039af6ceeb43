import assert from "node:assert/strict";
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { checkRoot } from "../../../src/rootfs/check/check-root.js";
import { buildJail } from "../../../src/rootfs/jail/build-jail.js";
import { planJail } from "../../../src/rootfs/jail/plan-jail.js";
import { debianRoot } from "../../roots/debian-root.js";

async function makeRoot(t: TestContext): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), "brig-check-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  await buildJail(root, planJail(["sh", "bash"], { users: true }), { link: "copy" });
  for (const name of ["proc", "sys", "dev", "run", "tmp"]) mkdirSync(join(root, name), { recursive: true });
  return root;
}

const missing = (root: string): string[] => checkRoot(root).findings.filter(({ weight }) => weight === "missing").map(({ path }) => path);

test("a root of Debian's lacks nothing", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const report = checkRoot(root);
  assert.deepEqual(report.findings.filter(({ weight }) => weight === "missing"), []);
  assert.ok(report.ok && report.programs > 100);
});

test("each thing that is missing is told, with what to do", async (t) => {
  const root = await makeRoot(t);
  assert.deepEqual(missing(root), []);
  rmSync(join(root, "proc"), { recursive: true });
  rmSync(join(root, "etc/passwd"));
  symlinkSync("/run/resolve/stub.conf", join(root, "etc/resolv.conf"));
  assert.deepEqual(missing(root).sort(), ["/etc/passwd", "/etc/resolv.conf", "/proc"]);
  assert.ok(checkRoot(root).findings.every(({ fix }) => fix.length > 0));
  assert.equal(checkRoot(root).ok, false);
});

test("a loader that is gone is told once, whatever number of programs lacks it", async (t) => {
  const root = await makeRoot(t);
  const { findings } = checkRoot(root);
  assert.deepEqual(findings.filter(({ weight }) => weight === "missing"), []);
  rmSync(join(root, "lib64"), { recursive: true, force: true });
  rmSync(join(root, "usr/lib64"), { recursive: true, force: true });
  const loaders = checkRoot(root).findings.filter(({ what }) => /interpreter/.test(what));
  assert.equal(loaders.length, 1);
  assert.equal(loaders[0]!.weight, "missing");
});

test("a shell for another machine, and none at all", async (t) => {
  const root = await makeRoot(t);
  const shell = join(root, "bin/sh");
  rmSync(shell);
  assert.ok(missing(root).includes("/bin/sh"));
  const elf = Buffer.alloc(64);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(22, 18); // EM_S390, of which no test runs on one
  elf.writeUInt32LE(1, 20);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  writeFileSync(shell, elf, { mode: 0o755 });
  assert.ok(checkRoot(root).findings.some(({ what }) => /made for/.test(what)), JSON.stringify(checkRoot(root).findings));
});

test("owners that are shifted are told, and by how much", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root");
  const root = await makeRoot(t);
  chownSync(root, 100_000, 100_000);
  assert.ok(missing(root).includes("/etc"));
  for (const path of ["etc", "usr", "etc/passwd"]) chownSync(join(root, path), 100_000, 100_000);
  assert.match(checkRoot(root).findings.find(({ path }) => path === "/")!.what, /shifted by 100000/);
});

test("no link leads the look out of the root", async (t) => {
  const root = await makeRoot(t);
  unlinkSync(join(root, "etc/passwd"));
  symlinkSync("../../../../../../etc/login.defs", join(root, "etc/passwd"));
  assert.ok(missing(root).includes("/etc/passwd"));
});

test("what is no folder is refused", () => {
  assert.throws(() => checkRoot("/etc/passwd"), { code: "BRIG_NO_SUCH_ROOT" });
});
