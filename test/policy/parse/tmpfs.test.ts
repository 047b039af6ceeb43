import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parseTmpfs } from "../../../src/policy/parse/tmpfs.js";
import { assertClear, assertRefused } from "./refuses.js";

test("a tmpfs has a place, and options behind a colon", () => {
  assert.deepEqual(parseTmpfs("/cache"), { destination: "/cache", exec: true });
  assert.deepEqual(parseTmpfs("/cache:size=64MiB,mode=0700,noexec"), { destination: "/cache", size: 64 * 1024 ** 2, mode: 0o700, exec: false });
  assert.equal(parseTmpfs(String.raw`/a\:b`).destination, "/a:b");
});

test("a size of 0 is refused, since the kernel takes it as no limit", () => {
  assertRefused(() => parseTmpfs("/cache:size=0"), /no size for a tmpfs/);
});

test("what is not a tmpfs is refused", () => {
  for (const value of ["", "cache", "/a:size=1:size=2"]) assertRefused(() => parseTmpfs(value, "--tmpfs"), /not a place for a tmpfs/, "--tmpfs");
  assertRefused(() => parseTmpfs("/.."), /whole root/);
  for (const value of ["/a:suid", "/a:", "/a:nr_inodes=1"]) assertRefused(() => parseTmpfs(value), /unknown option/);
  assertRefused(() => parseTmpfs("/a:size=q", "--tmpfs"), /is not a size/, "--tmpfs: size");
});

test("any text is a tmpfs or a clear refusal", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (path, options) => assertClear(() => parseTmpfs(`/${path}:${options}`))));
});
