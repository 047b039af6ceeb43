import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkout } from "./run-page.js";

const text = readFileSync(join(checkout, "docs", "threat-model.md"), "utf8");
const promises = text.slice(text.indexOf("## What is promised"), text.indexOf("## What is not promised"));
const numbered = promises.split(/^(?=\d+\. )/m).slice(1);

test("promises are numbered without a gap", () => {
  assert.ok(numbered.length > 0);
  numbered.forEach((promise, at) => assert.ok(promise.startsWith(`${at + 1}. `), promise));
});

test("each promise names tests, and they are there", () => {
  for (const promise of numbered) {
    const files = promise.split(/(?=`test\/)/).slice(1);
    assert.ok(files.length > 0, `no test is named: ${promise}`);
    files.forEach(findTests);
  }
});

function findTests(part: string): void {
  const file = /^`(test\/[^`]+)`/.exec(part)?.[1] ?? "";
  const names = [...part.matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? "");
  assert.ok(names.length > 0, `no name of a test in ${file}`);
  const source = readFileSync(join(checkout, file), "utf8");
  for (const name of names) assert.ok(source.includes(name), `${file} has no test "${name}"`);
}
