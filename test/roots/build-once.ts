import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RootKind } from "./recipes.js";
import { findCachedRoot } from "./root-cache.js";

const BUILDER = fileURLToPath(new URL("./build-root.js", import.meta.url));

/** Sees to it that a shared root is there, whoever builds it; returns why it cannot be. */
export function buildOnce(kind: RootKind): string | undefined {
  const root = findCachedRoot(kind);
  if (existsSync(root)) return undefined;
  const built = spawnSync("flock", [`${root}.lock`, process.execPath, BUILDER, kind], { encoding: "utf8", timeout: 540_000 });
  return built.status === 0 ? undefined : `no Debian root: ${built.error?.message ?? built.stderr.trim().split("\n").at(-1)}`;
}
