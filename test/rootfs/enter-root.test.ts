import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { buildJail } from "../../src/rootfs/jail/build-jail.js";
import { planJail } from "../../src/rootfs/jail/plan-jail.js";
import { debianRoot } from "../roots/debian-root.js";

const brig = (...words: string[]) => spawnSync(findLauncher(), words, { encoding: "utf8", env: { ...process.env, BRIG_NO_CACHE: "1" } });

/** A root of the test's own. */
async function makeRoot(t: TestContext): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) {
    t.skip("needs root");
    return undefined;
  }
  const root = mkdtempSync(join(tmpdir(), "brig-enter-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  await buildJail(root, planJail(["sh", "cat", "ls", "touch", "mkdir", "rm", "stat", "df", "readlink", "true"], { users: true }), { link: "copy" });
  for (const name of ["dev", "proc", "run", "tmp", "var/tmp", "opt", "home/user", "srv/old"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "etc/secret"), "", { mode: 0o600 });
  return root;
}

function see(...words: string[]): string {
  const { stdout, stderr, status } = brig(...words);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("a root made by hand, without places to mount on, is entered and left as it was", async (t) => {
  const root = await makeRoot(t);
  if (root === undefined) return;
  for (const name of ["dev", "proc", "run", "tmp"]) rmSync(join(root, name), { recursive: true });
  const script = "stat -c %u /etc/secret; cat /etc/secret; ls -d /proc/self /dev/null /run /tmp; touch /x 2>/dev/null || echo refused";
  assert.equal(see("run", "--root", root, "--", "sh", "-c", script), "0\n/dev/null\n/proc/self\n/run\n/tmp\nrefused");
  for (const name of ["dev", "proc", "run", "tmp", "x"]) assert.ok(!existsSync(join(root, name)), name);
});

test("a root is written to and thrown away, listed, or kept", async (t) => {
  const root = await makeRoot(t);
  if (root === undefined) return;
  const script = "rm /etc/secret; mkdir /opt/made; echo 1 > /opt/made/file; rm -r /srv/old; touch /top";
  assert.equal(brig("run", "--root", root, "--ephemeral", "--", "sh", "-c", `${script}; ls /top`).stdout, "/top\n");
  const listed = brig("run", "--root", root, "--diff", "--", "sh", "-c", script).stderr.trim().split("\n");
  const expected = [`D ${root}/etc/secret`, `A ${root}/opt/made`, `A ${root}/opt/made/file`, `D ${root}/srv/old`, `A ${root}/top`];
  assert.deepEqual(listed, expected);
  assert.ok(existsSync(join(root, "etc/secret")) && !existsSync(join(root, "top")));
  see("run", "--root", root, "--commit", "--", "sh", "-c", script);
  assert.ok(!existsSync(join(root, "etc/secret")) && existsSync(join(root, "opt/made/file")));
});

test("32-bit programs run on a 64-bit host, behind the same walls", (t) => {
  if (process.arch !== "x64") return t.skip("needs a 64-bit PC");
  const root = debianRoot(t, "i386");
  if (root === undefined) return;
  const script = "uname -m; getconf LONG_BIT; grep -c '^Seccomp:.2' /proc/self/status; grep ^CapBnd /proc/self/status; mount -t tmpfs x /tmp 2>/dev/null || echo refused";
  for (const words of [["run", "--root", root, "--"], ["chroot", "--hardened", root]]) assert.equal(see(...words, "sh", "-c", script), "i686\n32\n1\nCapBnd:\t0000000000000000\nrefused");
  assert.equal(see("chroot", root, "getconf", "LONG_BIT"), "32");
  assert.match(see("rootfs", "check", root), /i686, \d+ programs, nothing missing/);
  // a root of 64-bit programs stays without the 32-bit way into the kernel
  const other = debianRoot(t, "small")!;
  assert.equal(see("run", "--root", other, "--", "uname", "-m"), "x86_64");
});

test("what was a sandbox's so far is shown by diff while it runs", async (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const name = `brig-t-${process.pid}`;
  const child = spawn(findLauncher(), ["run", "--name", name, "--root", root, "--ephemeral", "--", "sh", "-c", "touch /opt/made; echo ready; sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => void brig("kill", name));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  assert.equal(see("diff", name), "A /opt/made");
  brig("kill", name);
  await new Promise((resolve) => child.on("close", resolve));
});

test("the host's names and time zone come in where they are asked for", async (t) => {
  const root = await makeRoot(t);
  if (root === undefined) return;
  const hosts = readFileSync("/etc/resolv.conf", "utf8").trim();
  rmSync(join(root, "etc/resolv.conf"), { force: true });
  assert.match(brig("run", "--root", root, "--resolv-conf", "bind", "--", "true").stderr, /the root has no \/etc\/resolv\.conf[^]*touch /);
  symlinkSync("/run/resolve/stub.conf", join(root, "etc/resolv.conf"));
  assert.equal(see("run", "--root", root, "--resolv-conf", "bind", "--", "cat", "/etc/resolv.conf"), hosts);
  assert.equal(see("run", "--root", root, "--", "sh", "-c", "cat /etc/resolv.conf 2>/dev/null || echo none"), "none");
  rmSync(join(root, "etc/resolv.conf"));
  writeFileSync(join(root, "etc/resolv.conf"), "own\n");
  assert.equal(see("chroot", "--resolv-conf", "bind", root, "cat", "/etc/resolv.conf"), hosts);
  assert.equal(readFileSync(join(root, "etc/resolv.conf"), "utf8"), "own\n");
  see("chroot", "--resolv-conf", "copy", root, "true");
  assert.equal(readFileSync(join(root, "etc/resolv.conf"), "utf8").trim(), hosts);
  rmSync(join(root, "etc/localtime"), { force: true });
  see("chroot", "--timezone", "copy", root, "true");
  assert.ok(existsSync(join(root, "etc/localtime")) === existsSync("/etc/localtime"));
});

test("a proc and a folder in memory are there for the program alone", async (t) => {
  const root = await makeRoot(t);
  if (root === undefined) return;
  const words = ["chroot", "--proc", "--tmpfs", "/home/user:size=100m,mode=0700", root, "sh", "-c"];
  assert.equal(see(...words, "touch /home/user/x; df --output=size -m /home/user; ls -d /proc/self"), "1M-blocks\n      100\n/proc/self");
  assert.ok(!existsSync(join(root, "home/user/x")) && !readFileSync("/proc/self/mountinfo", "utf8").includes(root));
  const refused = brig("chroot", "--tmpfs", "/no/such", root, "true");
  assert.deepEqual([refused.status, /hint: mkdir -p .*\/no\/such/.test(refused.stderr)], [125, true]);
  assert.match(brig("chroot", "--resolv-conf=maybe", root, "true").stderr, /one of copy, bind, off/);
});
