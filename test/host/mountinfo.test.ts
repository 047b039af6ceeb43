import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { isBeneath, isWritableMount, parseMountinfo, resolveMount } from "../../src/host/mountinfo.js";

const TEXT = `20 1 8:1 / / rw - ext4 /dev/sda rw
21 20 8:1 /srv/a /mnt rw,noatime shared:3 master:1 - ext4 /dev/sda ro
22 20 0:30 / /with\\040blank\\134x rw - tmpfs tmpfs rw
23 20 0:31 / /a/b rw - tmpfs tmpfs rw
24 20 0:32 / /a ro - tmpfs tmpfs rw
25 24 0:33 / /a/c rw - tmpfs tmpfs rw
`;

test("mounts are read with escapes undone and optional fields passed over", () => {
  const mounts = parseMountinfo(TEXT);
  assert.equal(mounts.length, 6);
  assert.equal(mounts[2]?.point, "/with blank\\x");
  assert.deepEqual([mounts[1]?.root, mounts[1]?.type, mounts[1]?.source], ["/srv/a", "ext4", "/dev/sda"]);
});

test("a mount is writable when neither it nor its file system is read-only", () => {
  const writable = parseMountinfo(TEXT).filter(isWritableMount).map((mount) => mount.id);
  assert.deepEqual(writable, [20, 22, 23, 25]);
});

test("a path lies on the mount that covers the others on its way", () => {
  const mounts = parseMountinfo(TEXT);
  assert.equal(resolveMount(mounts, "/a/b/x")?.id, 24, "/a covers /a/b, which was mounted before it");
  assert.equal(resolveMount(mounts, "/a/c")?.id, 25);
  assert.equal(resolveMount(mounts, "/ab")?.id, 20);
  assert.equal(resolveMount([], "/"), undefined);
});

test("the last of two mounts at one place is on top, in a real table too", () => {
  const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  assert.ok(mounts.length > 0);
  assert.equal(resolveMount(mounts, "/proc/self")?.type, "proc");
});

test("no table, however broken, makes the look-up fail or go round", () => {
  const line = fc.tuple(fc.nat(6), fc.nat(6), fc.constantFrom("/", "/a", "/a/b", "\\777")).map(([id, parent, point]) => `${id} ${parent} 0:1 / ${point} rw - t s rw`);
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
      resolveMount(parseMountinfo(lines.join("\n")), "/a/b/c");
    }),
    { timeout: 100 } as fc.Parameters<[string[]]>,
  );
});

test("a folder is not beneath one whose name it only begins with", () => {
  assert.deepEqual([isBeneath("/a/b", "/a"), isBeneath("/ab", "/a"), isBeneath("/a", "/a"), isBeneath("/x", "/")], [true, false, true, true]);
});
