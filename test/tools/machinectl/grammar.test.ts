import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { parseMachinectl } from "../../../src/tools/machinectl/grammar.js";
import { machinectlHelp } from "../../../src/tools/machinectl/help.js";
import { nameSignal, parseSignalWord } from "../../../src/tools/machinectl/signals.js";
import { assertSameRefusal } from "../oracle.js";

function parseVerb(...words: string[]) {
  const request = parseMachinectl(words);
  assert.equal(request.kind, "verb");
  return request as Extract<typeof request, { kind: "verb" }>;
}

test("without a verb the machines are listed, and options stand anywhere", () => {
  assert.equal(parseVerb().verb, "list");
  assert.equal(parseVerb("-a").options.all, true);
  const { verb, operands, options } = parseVerb("clone", "a", "--read-only", "b", "-q");
  assert.deepEqual([verb, operands, options.readonly, options.quiet], ["clone", ["a", "b"], true, true]);
});

test("behind shell and a machine everything is the command's", () => {
  const { operands, options } = parseVerb("shell", "-E", "A=1", "--uid=bob", "m", "/bin/ls", "-l", "--all");
  assert.deepEqual(operands, ["m", "/bin/ls", "-l", "--all"]);
  assert.deepEqual([options.environment, options.uid, options.all], [["A=1"], "bob", false]);
  assert.deepEqual(parseVerb("kill", "--", "-odd").operands, ["-odd"]);
});

test("a signal and names without a verb kill, as the article types it", () => {
  const { verb, operands, options } = parseVerb("-s", "kill", "my_deb");
  assert.deepEqual([verb, operands, options.signal], ["kill", ["my_deb"], 9]);
  assert.equal(parseVerb("-s", "KILL", "poweroff", "m").verb, "poweroff");
});

test("words that machinectl refuses are refused with its words", (t) => {
  const wrong = [["--foo"], ["-n", "x"], ["-o", "nice"], ["--verify=x"], ["--format=x"], ["--max-addresses=x"], ["-E", "1x"], ["-s", "nothing"], ["-p"], ["--all=x"]];
  for (const words of wrong) assertSameRefusal(t, ["machinectl", ...words], "", () => parseMachinectl(words));
});

test("verbs that are not known, and too few or too many names, are refused", () => {
  const refusals: [string[], string][] = [
    [["foo"], "Unknown command verb foo."], [["poweroff"], "Too few arguments."], [["list", "x"], "Too many arguments."],
    [["clone", "a"], "Too few arguments."], [["copy-to", "a", "b", "c", "d"], "Too many arguments."], [["constructor"], "Unknown command verb constructor."],
  ];
  for (const [words, message] of refusals) assert.throws(() => parseMachinectl(words), (error) => error instanceof BrigError && error.message === message && error.exitCode === 1);
});

test("the lists of words are machinectl's", (t) => {
  for (const word of ["--signal=list", "--signal=help", "--output=help", "--verify=help"]) {
    const real = spawnSync("machinectl", [word], { encoding: "utf8" });
    if (real.error) return t.skip("machinectl is not installed");
    const asked = parseMachinectl([word]);
    assert.deepEqual(asked, { kind: "words", text: real.stdout.trimEnd() });
  }
});

test("every verb and option of machinectl's help is in ours", (t) => {
  const real = spawnSync("machinectl", ["--help"], { encoding: "utf8" });
  if (real.error) return t.skip("machinectl is not installed");
  const words = real.stdout.match(/^ {2}[a-z][a-z-]+|--[a-z-]+/gm)!.map((word) => word.trim());
  for (const word of words) if (word !== "--host" && word !== "--machine") assert.ok(machinectlHelp.includes(word), word);
});

test("a signal's name and number lead to each other", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 64 }), (number) => {
    assert.equal(parseSignalWord(`SIG${nameSignal(number)}`), number);
    assert.equal(parseSignalWord(nameSignal(number)), number);
    assert.equal(parseSignalWord(String(number)), number);
  }));
  for (const wrong of ["0", "65", "RTMIN+31", "RTMAX+1", "SIG", "KILL ", "-9"]) assert.throws(() => parseSignalWord(wrong), BrigError);
});

test("no words crash the grammar", () => {
  const word = fc.oneof(fc.constantFrom("shell", "list", "-s", "-p", "--", "-a", "-E", "--format", "--verify=no", "kill"), fc.string());
  fc.assert(fc.property(fc.array(word), (words) => {
    try {
      parseMachinectl(words);
    } catch (error) {
      assert.ok(error instanceof BrigError);
    }
  }));
});
