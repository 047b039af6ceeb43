import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import type { CommandForm } from "../../src/cli/grammar.js";
import { parseWords } from "../../src/cli/parse-words.js";
import { BrigError } from "../../src/error/brig-error.js";

const form: CommandForm = {
  name: "sample",
  usage: ["sample"],
  options: [
    { name: "read", short: "r", value: "PATH", repeat: true, help: "" },
    { name: "quiet", short: "q", help: "" },
    { name: "all", short: "a", negatable: true, help: "" },
    { name: "memory", value: "SIZE", help: "" },
    { name: "screen", value: "KIND", bare: "auto", help: "" },
  ],
  stopAtOperand: true,
  run: () => 0,
};

function code(words: string[], of: CommandForm = form): string {
  try {
    parseWords(of, words);
  } catch (error) {
    assert.ok(error instanceof BrigError);
    return `${error.code} ${error.hint}`;
  }
  return "none";
}

test("a value is taken from behind the equals sign, from the next word, or from the rest of a short option", () => {
  const parsed = parseWords(form, ["--read=/a=b", "--read", "/c", "-r", "/d", "-r/e", "-qr=/f", "--memory="]);
  assert.deepEqual(parsed.values("read"), ["/a=b", "/c", "/d", "/e", "/f"]);
  assert.equal(parsed.has("quiet"), true);
  assert.equal(parsed.value("memory"), "");
  assert.deepEqual(parsed.typed.map((option) => option.text).slice(0, 2), ["--read=/a=b", "--read /c"]);
});

test("an option that stands for something without a value takes one from behind the equals sign only", () => {
  const parsed = parseWords(form, ["--screen", "window", "--quiet"]);
  assert.deepEqual([parsed.value("screen"), parsed.operands], ["auto", ["window", "--quiet"]]);
  assert.equal(parseWords(form, ["--screen=window", "ls"]).value("screen"), "window");
});

test("options end at the first other word, so that the payload's options stay its own", () => {
  const parsed = parseWords(form, ["-q", "ls", "--read", "-q"]);
  assert.deepEqual(parsed.operands, ["ls", "--read", "-q"]);
  assert.deepEqual(parsed.values("read"), []);
});

test("without stopAtOperand options may stand behind operands, up to the double dash", () => {
  const parsed = parseWords({ ...form, stopAtOperand: false }, ["one", "-q", "--", "--memory"]);
  assert.deepEqual(parsed.operands, ["one", "--memory"]);
  assert.equal(parsed.has("quiet"), true);
});

test("a negatable switch is turned off by its no-form, and the last word counts", () => {
  assert.equal(parseWords(form, ["--all", "--no-all"]).has("all"), false);
  assert.equal(parseWords(form, ["--no-all", "-a"]).has("all"), true);
  assert.match(code(["--no-quiet"]), /^BRIG_BAD_OPTION/);
});

test("a mistyped option names the nearest one", () => {
  assert.match(code(["--raed=/x"]), /did you mean --read\?/);
  assert.match(code(["--zzzzzzz"]), /--help lists/);
  assert.match(code(["-z"]), /^BRIG_BAD_OPTION/);
});

test("a missing value and a value too many are errors", () => {
  assert.match(code(["--memory"]), /^BRIG_BAD_OPTION/);
  assert.match(code(["--memory", "--", "ls"]), /^BRIG_BAD_OPTION/);
  assert.match(code(["--quiet=yes"]), /^BRIG_BAD_OPTION/);
});

test("too few and too many operands are refused, but not when help is asked for", () => {
  const one = { ...form, minOperands: 1, maxOperands: 1 };
  assert.match(code([], one), /^BRIG_BAD_USAGE/);
  assert.match(code(["a", "b"], one), /^BRIG_BAD_USAGE/);
  assert.equal(code(["--help"], one), "none");
});

test("a command with its own grammar gets all words untouched", () => {
  assert.deepEqual(parseWords({ ...form, ownGrammar: true }, ["--help", "-x", "--"]).operands, ["--help", "-x", "--"]);
});

test("no words whatever make it fail with anything but an error of brig's", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("-r", "--read", "--read=", "-q", "--", "-", "--no-all", "-qa", "--help"));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        const parsed = parseWords(form, words);
        assert.ok(parsed.operands.length <= words.length);
      } catch (error) {
        assert.ok(error instanceof BrigError, String(error));
      }
    }),
  );
});
