import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parseDuration } from "../../../src/policy/parse/duration.js";
import { assertClear, assertRefused } from "./refuses.js";

test("a time is the sum of its parts in milliseconds", () => {
  assert.equal(parseDuration("30s"), 30_000);
  assert.equal(parseDuration("1m30s"), 90_000);
  assert.equal(parseDuration("1h 5min 2sec"), 3_902_000);
  assert.equal(parseDuration("1d"), 86_400_000);
  assert.equal(parseDuration("200ms"), 200);
  assert.equal(parseDuration("1.5s"), 1500);
  assert.equal(parseDuration("0.29s"), 290);
  assert.equal(parseDuration(1500), 1500);
});

test("a bare number in words is refused, unless the caller knows its unit", () => {
  assertRefused(() => parseDuration("30", "timeoutMs"), /is not a time/, "timeoutMs");
  assert.equal(parseDuration("30", "--timeout", "s"), 30_000);
  assert.equal(parseDuration("1.5", "--timeout", "s"), 1500);
  assert.equal(parseDuration("30", "--timeout", "ms"), 30);
});

test("what is not a time is refused", () => {
  for (const value of ["", "s", "1x", "-1s", "1s1m", "1s1s", "1m30", "1s ", " 1s", "1e3s", -1, Number.NaN, Number.POSITIVE_INFINITY])
    assertRefused(() => parseDuration(value, "--timeout", "s"), /is not a time/, "--timeout");
  assertRefused(() => parseDuration("9999999999999999d"), /too long/);
});

test("hours, minutes, seconds and milliseconds written together add up", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000), (h, m, s, ms) =>
      assert.equal(parseDuration(`${h}h${m}m${s}s${ms}ms`), ((h * 60 + m) * 60 + s) * 1000 + ms),
    ),
  );
});

test("any text is a whole number of milliseconds or a clear refusal", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[0-9.smhd ]*$/)), (text) => assertClear(() => assert.ok(Number.isSafeInteger(parseDuration(text))))));
});
