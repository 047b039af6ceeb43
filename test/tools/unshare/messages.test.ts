import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { BrigError } from "../../../src/error/brig-error.js";
import { parseUnshare } from "../../../src/tools/unshare/grammar.js";

const refused = [
  ["--bogus"], ["-X"], ["--m"], ["--ma"], ["--propagation"], ["--propagation=x", "true"], ["--setgroups", "x", "true"],
  ["--kill-child=FOO", "true"], ["--kill-child=9", "true"], ["-S", "abc", "true"], ["-S", "", "true"], ["-S", "0x10", "true"],
  ["-T", "--monotonic", "5x", "true"], ["--fork=3", "true"], ["-S"], ["-u=/x", "true"], ["-u/x", "true"],
  ["--setgroups=allow", "--map-group", "0", "true"],
];

for (const words of refused)
  test(`unshare ${words.join(" ")} is refused in the tool's own words`, (t) => {
    const real = spawnSync("unshare", words, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
    if (real.error) return t.skip("unshare is not installed");
    let refusal: unknown;
    try {
      parseUnshare(words);
    } catch (error) {
      refusal = error;
    }
    assert.ok(refusal instanceof BrigError);
    assert.equal(`unshare: ${refusal.message}`, real.stderr.split("\n")[0]);
    assert.equal(refusal.exitCode, real.status);
    return undefined;
  });

test("help and version are what they are, wherever they stand among the options", () => {
  assert.equal(parseUnshare(["-m", "--help", "x"]), "help");
  assert.equal(parseUnshare(["-V"]), "version");
  assert.notEqual(parseUnshare(["ls", "--help"]), "help");
});
