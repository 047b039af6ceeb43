import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parseSize } from "../../../src/policy/parse/size.js";
import { assertClear, assertRefused } from "./refuses.js";

test("every spelling of a unit is a power of 1024, as docker and systemd read it", () => {
  for (const text of ["512m", "512M", "512mb", "512MB", "512MiB", "512Mi", "512 MiB"]) assert.equal(parseSize(text), 512 * 1024 ** 2, text);
  assert.equal(parseSize("1g"), 1024 ** 3);
  assert.equal(parseSize("4KiB"), 4096);
  assert.equal(parseSize("2T"), 2 * 1024 ** 4);
});

test("a number is bytes, in words too", () => {
  assert.equal(parseSize(1024), 1024);
  assert.equal(parseSize("1024"), 1024);
  assert.equal(parseSize("1024b"), 1024);
  assert.equal(parseSize("0"), 0);
});

test("a fraction of a unit is rounded down to bytes", () => {
  assert.equal(parseSize("1.5g"), 1.5 * 1024 ** 3);
  assert.equal(parseSize("0.3k"), 307);
});

test("what is not a size is refused with the place it stands in", () => {
  for (const value of ["", "12q", "-1", "1.5", "1..5g", "1e9", "0x10", "g", "1  g", "1g ", " 1g", "1gg", "١k", -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assertRefused(() => parseSize(value, "--memory"), /is not a size/, "--memory");
  assertRefused(() => parseSize("9e"), /too big/);
  assertRefused(() => parseSize("99999999999999999999"), /too big/);
});

test("a whole number of any unit comes back as that many units", () => {
  fc.assert(
    fc.property(fc.nat(8000), fc.constantFrom("b", "k", "m", "g", "t"), fc.constantFrom("", "b", "ib", "i"), (count, unit, tail) => {
      fc.pre(unit !== "b" || tail === "");
      assert.equal(parseSize(`${count}${unit}${tail}`), count * 1024 ** "bkmgt".indexOf(unit));
    }),
  );
});

test("any text is a whole number of bytes or a clear refusal", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assertClear(() => assert.ok(Number.isSafeInteger(parseSize(text))))));
});
