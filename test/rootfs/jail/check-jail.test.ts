import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { buildJail } from "../../../src/rootfs/jail/build-jail.js";
import { checkJail } from "../../../src/rootfs/jail/check-jail.js";
import { planJail } from "../../../src/rootfs/jail/plan-jail.js";

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function makeJail(t: TestContext, ...programs: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "brig-jail-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await buildJail(join(folder, "jail"), planJail(programs, { path }));
  return join(folder, "jail");
}

test("a library taken away is missing, for the programs that need it", async (t) => {
  const dir = await makeJail(t, "bash", "ls");
  const library = planJail(["ls"], { path }).entries.find(({ path: at }) => /libselinux\.so/.test(at)) ?? { path: "" };
  if (library.path === "") return t.skip("ls needs no libselinux here");
  rmSync(join(dir, library.path));
  const report = checkJail(dir);
  assert.equal(report.ok, false);
  const missing = report.programs.filter((checked) => checked.missing.length > 0);
  assert.deepEqual(missing.map(({ program, missing: [need] }) => [program, need?.what, need?.name]), [["/usr/bin/ls", "library", "libselinux.so.1"]]);
});

test("a loader taken away is missing for all", async (t) => {
  const dir = await makeJail(t, "bash", "ls");
  const loader = planJail(["ls"], { path }).entries.find((entry) => entry.type === "file" && entry.reason.startsWith("loader of "))!;
  rmSync(join(dir, loader.path));
  assert.deepEqual(checkJail(dir, ["bash", "ls"]).programs.map(({ missing }) => missing[0]?.what), ["interpreter", "interpreter"]);
});

test("a script's interpreter is looked for in the jail, not on the host", async (t) => {
  const dir = await makeJail(t, "bash", "env");
  writeFileSync(join(dir, "script"), "#!/usr/bin/env perl\n", { mode: 0o755 });
  const { programs } = checkJail(dir, ["/script"]);
  assert.deepEqual(programs[0]!.missing.map(({ what, name }) => [what, name]), [["interpreter", "perl"]]);
});

test("an absolute link in a jail leads nowhere outside it", async (t) => {
  const dir = await makeJail(t, "ls");
  symlinkSync("/usr/bin/bash", join(dir, "usr/bin/shell"));
  symlinkSync("../../../../../../../../usr/bin/bash", join(dir, "usr/bin/up"));
  for (const name of ["shell", "up"]) assert.equal(checkJail(dir, [name]).programs[0]!.missing[0]?.what, "program");
});

test("links in a circle, FIFOs and damaged programs neither hang the check nor stop it", async (t) => {
  const dir = await makeJail(t, "ls");
  symlinkSync("loop", join(dir, "usr/bin/loop"));
  writeFileSync(join(dir, "usr/bin/damaged"), Buffer.concat([Buffer.from("\x7fELF\x02\x01", "latin1"), Buffer.alloc(200, 0xff)]), { mode: 0o755 });
  spawnSync("mkfifo", ["-m", "755", join(dir, "usr/bin/fifo")]);
  writeFileSync(join(dir, "self"), "#!/self\n", { mode: 0o755 });
  const byName = new Map(checkJail(dir).programs.map((checked) => [checked.program, checked.missing]));
  assert.equal(byName.get("/usr/bin/damaged")?.[0]?.what, "format");
  assert.equal(byName.get("/self")?.[0]?.what, "format");
  assert.deepEqual(byName.get("/usr/bin/ls"), []);
  for (const name of ["loop", "/usr/bin/fifo"]) assert.equal(checkJail(dir, [name]).ok, false);
});

test("a jail that is not there is an error", () => {
  assert.throws(() => checkJail("/no/such/jail"), { code: "BRIG_JAIL_NOT_HERE" });
});

test("the check hints at what name look-ups would miss", async (t) => {
  const dir = await makeJail(t, "getent");
  mkdirSync(join(dir, "etc"), { recursive: true });
  const hints = checkJail(dir, ["getent"]).programs[0]!.hints;
  assert.ok(hints.some((hint) => hint.includes("/etc/passwd")), hints.join());
  assert.ok(hints.some((hint) => hint.includes("/etc/nsswitch.conf")), hints.join());
});
