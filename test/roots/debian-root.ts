import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { buildOnce } from "./build-once.js";
import type { RootKind } from "./recipes.js";
import { findCachedRoot } from "./root-cache.js";

/**
 * A Debian root that all tests share: look, run in it with overlays or read-only, and change nothing (copyDebianRoot
 * is for that). Undefined, and the test skipped, where none can be built: that takes root, mmdebstrap and apt.
 */
export function debianRoot(t: TestContext, kind: RootKind = "machine"): string | undefined {
  const why = process.geteuid?.() !== 0 ? "needs root" : buildOnce(kind);
  if (why === undefined) return findCachedRoot(kind);
  t.skip(why);
  return undefined;
}

/** A root of the test's own, to change at will; it goes with the test. */
export function copyDebianRoot(t: TestContext, kind: RootKind = "machine"): string | undefined {
  const source = debianRoot(t, kind);
  if (source === undefined) return undefined;
  const folder = mkdtempSync(join(dirname(source), "copy-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const copied = spawnSync("cp", ["-a", "--reflink=auto", `${source}/.`, join(folder, "root")], { encoding: "utf8" });
  if (copied.status !== 0) throw new Error(`cannot copy ${source}: ${copied.stderr}`);
  return join(folder, "root");
}
