import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUnshare } from "../../../src/tools/unshare/grammar.js";
import { assertSameRefusal } from "../oracle.js";

const refused = [
  ["--bogus"], ["-X"], ["--m"], ["--ma"], ["--propagation"], ["--propagation=x", "true"], ["--setgroups", "x", "true"],
  ["--kill-child=FOO", "true"], ["--kill-child=9", "true"], ["-S", "abc", "true"], ["-S", "", "true"], ["-S", "0x10", "true"],
  ["-T", "--monotonic", "5x", "true"], ["--fork=3", "true"], ["-S"], ["-u=/x", "true"], ["-u/x", "true"],
  ["--setgroups=allow", "--map-group", "0", "true"],
];

for (const words of refused)
  test(`unshare ${words.join(" ")} is refused in the tool's own words`, (t) =>
    assertSameRefusal(t, ["unshare", ...words], "unshare: ", () => parseUnshare(words)));

test("help and version are what they are, wherever they stand among the options", () => {
  assert.equal(parseUnshare(["-m", "--help", "x"]), "help");
  assert.equal(parseUnshare(["-V"]), "version");
  assert.notEqual(parseUnshare(["ls", "--help"]), "help");
});
