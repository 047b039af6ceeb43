import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { parseGetopt, type Grammar } from "../../../src/tools/grammar/getopt.js";

type Key = "mount" | "mountProc" | "fork" | "uid";
const grammar: Grammar<Key> = {
  tool: "unshare",
  exitCode: 1,
  short: {
    m: { key: "mount", argument: "none" },
    n: { key: "mountProc", argument: "optional" },
    f: { key: "fork", argument: "none" },
    S: { key: "uid", argument: "required" },
  },
  long: [
    { name: "mount", argument: "optional", key: "mount" },
    { name: "mount-proc", argument: "optional", key: "mountProc" },
    { name: "fork", argument: "none", key: "fork" },
    { name: "setuid", argument: "required", key: "uid" },
  ],
};
const keys = (words: string[]) => parseGetopt(grammar, words).options.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`));

test("letters can be joined, and a value joined or apart", () => {
  assert.deepEqual(keys(["-mfS5"]), ["mount", "fork", "uid=5"]);
  assert.deepEqual(keys(["-mfS", "5"]), ["mount", "fork", "uid=5"]);
  assert.deepEqual(keys(["-nx", "-n"]), ["mountProc=x", "mountProc"]);
});

test("a long option is known by any prefix that only it has, and an exact name wins", () => {
  assert.deepEqual(keys(["--mount-", "--fo", "--mount=/x", "--set", "7"]), ["mountProc", "fork", "mount=/x", "uid=7"]);
  assert.throws(() => keys(["--mo"]), { message: "option '--mo' is ambiguous; possibilities: '--mount' '--mount-proc'" });
});

test("options end at the first word that is none, and behind two dashes", () => {
  assert.deepEqual(parseGetopt(grammar, ["-m", "ls", "-f"]).operands, ["ls", "-f"]);
  assert.deepEqual(parseGetopt(grammar, ["-m", "--", "-f"]).operands, ["-f"]);
  assert.deepEqual(parseGetopt(grammar, ["-", "-f"]).operands, ["-", "-f"]);
});

test("each option remembers how it was typed", () => {
  const { options } = parseGetopt(grammar, ["--set", "7", "-S8", "-S", "9", "--mount=/x"]);
  assert.deepEqual(options.map(({ text }) => text), ["--set 7", "-S8", "-S 9", "--mount=/x"]);
});

test("messages are those of the C library", () => {
  const message = (...words: string[]) => {
    try {
      parseGetopt(grammar, words);
    } catch (error) {
      return (error as Error).message;
    }
    return "no error";
  };
  assert.equal(message("--bogus"), "unrecognized option '--bogus'");
  assert.equal(message("--fork=1"), "option '--fork' doesn't allow an argument");
  assert.equal(message("--setuid"), "option '--setuid' requires an argument");
  assert.equal(message("-S"), "option requires an argument -- 'S'");
  assert.equal(message("-fx"), "invalid option -- 'x'");
});

test("names that every object has are no options", () => {
  for (const word of ["--constructor", "--__proto__", "--toString"]) assert.throws(() => keys([word]), BrigError);
});

test("any words are understood or refused with a message and a hint", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("-m", "-S", "--", "--mount", "--mo", "--mount-proc=/x", "-", "--setuid"), fc.string({ unit: "binary" }).map((text) => `--${text}`));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      try {
        const { options, operands } = parseGetopt(grammar, words);
        assert.ok(options.length <= words.join("").length);
        assert.deepEqual(operands, words.slice(words.length - operands.length));
      } catch (error) {
        assert.ok(error instanceof BrigError && error.message !== "" && error.hint !== undefined);
      }
    }),
  );
});
