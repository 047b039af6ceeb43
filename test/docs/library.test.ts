import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { checkout } from "./run-page.js";

/** The ```ts blocks of a page, each with the line that it begins at and what "// → " says that it prints. */
function readPrograms(markdown: string): { line: number; code: string; printed: string[] }[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    line: markdown.slice(0, match.index).split("\n").length,
    code: match[1] as string,
    printed: [...(match[1] as string).matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text as string),
  }));
}

const library = fileURLToPath(new URL("../../src/index.js", import.meta.url));
const programs = readPrograms(readFileSync(join(checkout, "docs/library.md"), "utf8"));

test("the library's page has programs that say what they print", () => {
  assert.ok(programs.length >= 6 && programs.every(({ printed }) => printed.length > 0));
});

for (const { line, code, printed } of programs)
  test(`docs/library.md, line ${line}, prints what it says`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "brig-docs-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = await transform(code.replaceAll('from "brig"', `from ${JSON.stringify(library)}`), { loader: "ts", format: "esm", target: "node20" });
    writeFileSync(join(folder, "program.mjs"), program.code);
    const ran = spawnSync(process.execPath, [join(folder, "program.mjs")], { encoding: "utf8", timeout: 20_000, cwd: folder });
    assert.equal(ran.stderr, "");
    assert.deepEqual(ran.stdout.trimEnd().split("\n"), printed);
  });
