import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

test("every property draws its examples from the common seed", () => {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts") && name !== "fast-check.ts");
  assert.ok(files.length > 100);
  const own = /from "fast-check"/;
  assert.deepEqual(files.filter((name) => own.test(readFileSync(join("test", name), "utf8"))).filter((name) => name !== "fast-check.test.ts"), []);
});
