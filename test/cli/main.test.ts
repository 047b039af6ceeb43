import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { commands } from "../../src/cli/commands/index.js";

const script = resolve("dist/cli/main.cjs");

function run(t: TestContext, ...words: string[]) {
  if (!existsSync(script)) {
    t.skip("the command is not bundled");
    return undefined;
  }
  return spawnSync(process.execPath, [script, ...words], { encoding: "utf8" });
}

test("every command loads by its own name, with help that has a usage and an example", async (t) => {
  for (const [name, { load, group }] of Object.entries(commands)) {
    const { command } = await load();
    assert.equal(command.name, name);
    if (group === "hidden" || command.ownGrammar) continue;
    assert.ok(command.usage.length > 0, name);
    assert.ok((command.examples ?? []).length > 0, `${name} has no example`);
    for (const { words } of command.examples ?? []) assert.match(words, /\bbrig\b/, words);
    const names = command.options.flatMap((option) => [option.name, ...(option.short ? [`-${option.short}`] : [])]);
    assert.deepEqual(names, [...new Set(names)], `${name} has an option twice`);
  }
  const help = run(t, "--help");
  for (const [name, { group }] of Object.entries(commands)) assert.equal(help?.stdout.includes(`\n  ${name} `) ?? false, help !== undefined && group !== "hidden", name);
});

test("a mistyped command names the nearest, and the status is 125", (t) => {
  const result = run(t, "runn");
  if (!result) return;
  assert.equal(result.status, 125);
  assert.match(result.stderr, /did you mean brig run\?/);
  assert.equal(result.stdout, "");
});

test("--version, --help and help NAME print to standard output with status 0", (t) => {
  const results = [["--version"], ["--help"], ["help", "run"], ["run", "--help"]].map((words) => run(t, ...words));
  for (const result of results) if (result) assert.deepEqual([result.status, result.stderr], [0, ""]);
  assert.match(results[0]?.stdout ?? "brig 0.0.1", /^brig \d+\.\d+\.\d+/);
  assert.equal(results[2]?.stdout, results[3]?.stdout);
});

test("no word at all is a usage error with the help on standard error", (t) => {
  const result = run(t);
  if (!result) return;
  assert.equal(result.status, 125);
  assert.match(result.stderr, /brig run -- COMMAND/);
});
