import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parseMode } from "../../../src/policy/parse/mode.js";
import { assertClear, assertRefused } from "./refuses.js";

test("words are octal and a number holds the bits themselves", () => {
  for (const value of ["755", "0755", "0o755", 0o755]) assert.equal(parseMode(value), 0o755);
  assert.equal(parseMode("1777"), 0o1777);
});

test("a umask has no more than nine bits", () => {
  assert.equal(parseMode("077", "--umask", 0o777), 0o077);
  assertRefused(() => parseMode("1077", "--umask", 0o777), /is not a mode/, "--umask");
});

test("what is not octal is refused", () => {
  for (const value of ["", "888", "0x1ff", "rwx", "-1", "77777", 0o10000, -1, 1.5]) assertRefused(() => parseMode(value), /is not a mode/);
});

test("every mode written in octal comes back, and any text is a mode or a clear refusal", () => {
  fc.assert(fc.property(fc.nat(0o7777), (mode) => assert.equal(parseMode(mode.toString(8)), mode)));
  fc.assert(fc.property(fc.string(), (text) => assertClear(() => parseMode(text))));
});
