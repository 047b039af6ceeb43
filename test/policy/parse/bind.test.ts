import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { formatBind, parseBind } from "../../../src/policy/parse/bind.js";
import { assertClear, assertRefused } from "./refuses.js";

test("a bind has a source, a place inside and options", () => {
  assert.deepEqual(parseBind("/srv:/data"), { source: "/srv", destination: "/data", readonly: false, noexec: false });
  assert.deepEqual(parseBind("~/x:/data:ro"), { source: "~/x", destination: "/data", readonly: true, noexec: false });
  assert.deepEqual(parseBind("rel:/data:noexec,ro"), { source: "rel", destination: "/data", readonly: true, noexec: true });
  assert.equal(parseBind("/srv:/data:rw").readonly, false);
});

test("an escaped colon belongs to the path, and so does any other backslash", () => {
  assert.deepEqual(parseBind(String.raw`/a\:b:/c\:d`), { source: "/a:b", destination: "/c:d", readonly: false, noexec: false });
  assert.equal(parseBind(String.raw`/a\b:/c`).source, String.raw`/a\b`);
  assert.equal(parseBind(String.raw`/a\\:/c`).source, "/a\\");
});

test("the place inside cannot climb", () => {
  assert.equal(parseBind("/srv:/a/../../b//c/.").destination, "/b/c");
});

test("what is not a bind is refused", () => {
  for (const value of ["", "/srv", ":/data", "/srv:", "/a:/b:ro:rw"]) assertRefused(() => parseBind(value, "--bind"), /is not a bind/, "--bind");
  assertRefused(() => parseBind("/srv:data"), /relative place inside/);
  assertRefused(() => parseBind("/srv:/a/.."), /whole root/);
  assertRefused(() => parseBind("/srv:/a:z"), /unknown option "z"/);
  assertRefused(() => parseBind("/srv:/a:"), /unknown option ""/);
  assertRefused(() => parseBind("/srv:/a:ro,rw"), /both ro and rw/);
  assertRefused(() => parseBind("/s\0rv:/a"), /NUL/);
});

test("every bind survives being written and read again", () => {
  const path = fc.string({ minLength: 1, unit: fc.constantFrom("a", ":", "\\", "/", ",", "é", "\n", " ") });
  fc.assert(
    fc.property(path, path, fc.boolean(), fc.boolean(), (source, tail, readonly, noexec) => {
      const destination = posix.resolve("/", `/${tail}`);
      fc.pre(destination !== "/");
      const bind = { source, destination, readonly, noexec };
      assert.deepEqual(parseBind(formatBind(bind)), bind);
    }),
  );
});

test("any text is a bind with an absolute place or a clear refusal", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("/", ":", "\\", ".", "a", ",", "r", "o", "\0", "\u001b") }), (text) =>
      assertClear(() => assert.match(parseBind(text).destination, /^\/(?!\.\.?(\/|$))./s)),
    ),
  );
});
