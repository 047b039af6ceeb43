import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const source = join(dirname(fileURLToPath(import.meta.url)), "../../src");

/** What a module loads at once, itself and through what it imports: files, and packages by name. */
function listLoaded(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;]*?["']([^"']+)["'];$/gm)) {
    if (name.startsWith(".")) listLoaded(join(dirname(file), name), seen);
    else seen.add(name);
  }
  return seen;
}

test("the way of a command without a profile loads neither zod nor a TOML parser", () => {
  const entries = ["policy/build-spec.js", "spec/origin.js", "spec/spec-text.js", "spec/extension.js"].map((name) => join(source, name));
  assert.ok(entries.every((entry) => existsSync(entry)));
  const loaded = new Set(entries.flatMap((entry) => [...listLoaded(entry)]));
  assert.ok(loaded.size > 20, "the imports are found");
  assert.deepEqual([...loaded].filter((name) => name === "zod" || name === "smol-toml"), []);
  assert.ok(listLoaded(join(source, "policy/profile.js")).has("zod"), "a profile does load it");
});
