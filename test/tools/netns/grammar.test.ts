import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { parseNetns } from "../../../src/tools/netns/grammar.js";
import { assertSameRefusal } from "../oracle.js";

test("a word is known by its beginning, in ip's order", () => {
  const kind = (...words: string[]) => parseNetns(words).kind;
  assert.deepEqual([kind(), kind("l"), kind("list"), kind("sh"), kind("list-"), kind("i")], ["list", "list", "list", "list", "list-id", "identify"]);
  assert.deepEqual([kind("a", "x"), kind("at", "x", "1"), kind("d", "x"), kind("del", "x"), kind("dis", "x"), kind("c", "x")], ["add", "attach", "delete", "delete", "disconnect", "connect"]);
});

test("everything behind the name of exec is someone else's command line", () => {
  assert.deepEqual(parseNetns(["exec", "a", "ls", "--help", "-all"]), { kind: "exec", name: "a", command: ["ls", "--help", "-all"] });
  assert.deepEqual(parseNetns(["-all", "exec", "ls"]), { kind: "exec-all", command: ["ls"] });
  assert.deepEqual(parseNetns(["--all", "delete"]), { kind: "delete-all" });
});

test("connect takes its options in both forms", () => {
  assert.deepEqual(parseNetns(["connect", "a", "--subnet=10.0.0.0/30", "--uplink", "eth0", "--no-nat"]), {
    kind: "connect", name: "a", nat: false, subnet: "10.0.0.0/30", uplink: "eth0",
  });
  assert.throws(() => parseNetns(["connect", "a", "--nat"]), /connect takes/);
});

for (const words of [
  ["add"], ["add", "a/b"], ["add", ".."], ["add", "."], ["add", ""], ["add", "x".repeat(256)], ["attach", "b"], ["attach", "b", "x"], ["delete"], ["pids"], ["exec"],
  ["exec", "b"], ["exec", "a/b", "ls"], ["identify", "x"], ["set"], ["set", "nosuch"], ["-all", "exec"], ["del", "a/b"], ["pids", "a", "b"],
])
  test(`netns ${words.join(" ").slice(0, 40)} is refused in ip's own words`, (t) => {
    const flags = words.filter((word) => word === "-all");
    assertSameRefusal(t, ["ip", ...flags, "netns", ...words.filter((word) => word !== "-all")], "", () => parseNetns(words));
  });

test("names that would forge lines are refused", () => {
  for (const name of ["a\nb", "\u001b[31m", "\u007f", "a\0b"]) assert.throws(() => parseNetns(["add", name]), /Invalid netns name/);
});

test("any words are understood or refused in one clear line", () => {
  const known = ["list", "add", "a", "exec", "-all", "-json", "connect", "--subnet", "10.0.0.0/30", "attach", "1", "set", "auto", "list-id", "nsid", "5"];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...known), fc.string()), { maxLength: 6 }), (words) => {
      try {
        parseNetns(words);
      } catch (error) {
        assert.ok(error instanceof BrigError && [1, 255].includes(error.exitCode), String(error));
        assert.equal(error.message.includes("\n"), false);
      }
    }),
    { numRuns: 500 },
  );
});
