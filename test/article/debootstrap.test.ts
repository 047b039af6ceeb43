import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyDebianRoot, debianRoot } from "../roots/debian-root.js";
import { brig, needsRoot, run } from "./brig.js";

test("debootstrap --arch=… my_deb/: a minimal Debian root, also for 32-bit programs on a 64-bit host", (t) => {
  if (needsRoot(t)) return;
  const [amd64, i386] = [debianRoot(t, "small"), process.arch === "x64" ? debianRoot(t, "i386") : undefined];
  if (amd64 !== undefined) assert.match(brig(["chroot", amd64, "/bin/bash", "-c", ". /etc/os-release; echo $ID"]).stdout, /^debian$/m);
  if (i386 !== undefined) assert.equal(brig(["chroot", i386, "/bin/bash", "-c", "getconf LONG_BIT"]).stdout, "32\n");
});

test("a /proc, a home that is lost on exit, and the host's resolv.conf, in one line", (t) => {
  if (needsRoot(t)) return;
  const root = copyDebianRoot(t, "small");
  if (root === undefined) return;
  mkdirSync(join(root, "home/user"));
  const words = ["chroot", "--proc", "--tmpfs", "/home/user:size=100m", "--resolv-conf", "copy", root, "/bin/bash", "-c"];
  const script = "ls -d /proc/[0-9]* | wc -l; echo secret > /home/user/note; df --output=size,fstype -m /home/user | tail -1; cat /etc/resolv.conf; hostname; readlink /proc/self/ns/net";
  const { stdout, stderr, status } = brig([...words, script]);
  assert.equal(status, 0, stderr);
  const [processes, home, ...rest] = stdout.trimEnd().split("\n");
  assert.ok(Number(processes) > 2, "the host's processes are visible");
  assert.match(home!, /^\s*100 tmpfs$/);
  // the article calls it weak: the host's name, addresses and processes
  assert.deepEqual(rest.slice(-2), [run("hostname", []).stdout.trim(), run("readlink", ["/proc/self/ns/net"]).stdout.trim()]);
  assert.equal(readFileSync(join(root, "etc/resolv.conf"), "utf8"), readFileSync("/etc/resolv.conf", "utf8"));
  assert.ok(!existsSync(join(root, "home/user/note")));
  assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(root));
});

test("brig run --root my_deb: the same root with walls", (t) => {
  if (needsRoot(t)) return;
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const { stdout, stderr, status } = brig(["run", "--root", root, "--tmpfs", "/home:size=100m", "--", "/bin/bash", "-c", "echo $(ls -d /proc/[0-9]* | wc -l); hostname; touch /home/x /etc/x"]);
  assert.equal(status, 1);
  assert.match(stderr, /\/etc\/x': Read-only file system/);
  const [processes, hostname] = stdout.split("\n");
  assert.ok(Number(processes) < 6);
  assert.equal(hostname, "brig");
});
