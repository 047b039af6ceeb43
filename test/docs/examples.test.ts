import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Example, matchOutput, readExamples } from "./read-examples.js";
import { checkout, isRoot, Page } from "./run-page.js";

const pages = ["README.md", ...readdirSync(join(checkout, "docs")).filter((name) => name.endsWith(".md")).map((name) => join("docs", name))];

for (const name of pages) {
  const examples = readExamples(readFileSync(join(checkout, name), "utf8"));
  if (!examples.some(({ kind }) => kind === "command")) continue;
  test(`${name} shows what its commands print`, async (t) => {
    using page = new Page();
    for (const example of examples) {
      if (example.kind === "file") page.write(example.name, example.text);
      else await t.test(`line ${example.line}: ${example.command}`, (inner) => runExample(page, example, (reason) => inner.skip(reason)));
    }
  });
}

function runExample(page: Page, example: Extract<Example, { kind: "command" }>, skip: (reason: string) => void): void {
  const asRoot = example.who === "root";
  if (example.skip !== undefined) return skip(example.skip);
  if (asRoot && !isRoot()) return skip("needs root");
  const lines = page.run(example.command, asRoot);
  if (matchOutput(example.output, lines)) return;
  assert.fail(`expected:\n${example.output.join("\n")}\n\nprinted:\n${lines.join("\n")}`);
}
