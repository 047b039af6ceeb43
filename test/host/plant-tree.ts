import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** Writes a recorded tree of test/fixtures/host, changed as given, below a new folder, which goes with the test. */
export function plantTree(t: TestContext, name: string, changes: Record<string, string | null> = {}): string {
  const recorded = JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/host/${name}.json`, import.meta.url)), "utf8")) as Record<string, string>;
  const root = mkdtempSync(join(tmpdir(), "brig-tree-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries({ ...recorded, ...changes })) {
    if (content === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}
