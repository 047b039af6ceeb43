import assert from "node:assert/strict";
import { test } from "node:test";
import { matchOutput, readExamples } from "./read-examples.js";

test("a console block gives its commands, each with the lines below it", () => {
  const found = readExamples("text\n```console root\n$ one\na\n\nb\n$ two \\\n> more\n```\n```sh\n$ not this\n```\n");
  assert.deepEqual(found, [
    { kind: "command", line: 3, command: "one", output: ["a", "", "b"], who: "root" },
    { kind: "command", line: 7, command: "two \\\nmore", output: [], who: "root" },
  ]);
});

test("a block with file= is a file, and skip= keeps its reason", () => {
  const found = readExamples("```toml file=a.toml\nx = 1\n```\n```console skip=needs a network\n$ brig\n```\n");
  assert.deepEqual(found, [
    { kind: "file", line: 1, name: "a.toml", text: "x = 1\n" },
    { kind: "command", line: 5, command: "brig", output: [], who: "any", skip: "needs a network" },
  ]);
});

test("output must be the same but where … stands", () => {
  assert.ok(matchOutput(["a … c", "…", "end"], ["a b c", "x", "y", "end"]));
  assert.ok(matchOutput(["…", "end"], ["end"]));
  assert.ok(matchOutput(["1.5 (x)"], ["1.5 (x)"]));
  assert.ok(matchOutput([], []));
  assert.ok(!matchOutput(["a"], ["a", "b"]));
  assert.ok(!matchOutput(["a", "b"], ["a"]));
  assert.ok(!matchOutput(["1.5"], ["1x5"]));
  assert.ok(!matchOutput([], ["something"]));
});

test("an id, a date, an age and an inode stand for another one, and for nothing else", () => {
  assert.ok(matchOutput(["7c5697b42936  web  34ms  up"], ["cb5ac35a3ee3  web  128ms  up"]));
  assert.ok(matchOutput(["1 root  4096 Nov 23 21:48 a", "net:[4026531833]"], ["1 root 4096 Jan  1 00:00 a", "net:[4026532181]"]));
  assert.ok(!matchOutput(["7c5697b42936  web"], ["web"]));
  assert.ok(!matchOutput(["exit 12"], ["exit 13"]));
});

test("a block without an end and output without a command are errors", () => {
  assert.throws(() => readExamples("```console\n$ a\n"), /no end/);
  assert.throws(() => readExamples("```console\noutput\n```\n"), /before any command/);
});
