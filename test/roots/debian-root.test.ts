import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import test from "node:test";
import { copyDebianRoot, debianRoot } from "./debian-root.js";

test("the shared root has an init, a shell and accounts, and is built once", (t) => {
  const root = debianRoot(t);
  if (root === undefined) return;
  for (const path of ["usr/lib/systemd/systemd", "bin/bash", "sbin/ip", "bin/ps", "usr/sbin/chpasswd", "usr/bin/dbus-daemon"]) assert.ok(existsSync(`${root}/${path}`), path);
  assert.match(readFileSync(`${root}/etc/os-release`, "utf8"), /bookworm/);
  const { ino } = statSync(root);
  assert.equal(statSync(debianRoot(t)!).ino, ino);
});

test("a copy of it changes on its own", (t) => {
  const root = debianRoot(t, "small");
  const copy = copyDebianRoot(t, "small");
  if (root === undefined || copy === undefined) return;
  writeFileSync(`${copy}/etc/hostname`, "changed\n");
  assert.notEqual(spawnSync("cat", [`${root}/etc/hostname`], { encoding: "utf8" }).stdout, "changed\n");
  assert.equal(spawnSync("chroot", [copy, "/bin/bash", "-c", "cat /etc/hostname"], { encoding: "utf8" }).stdout, "changed\n");
});
