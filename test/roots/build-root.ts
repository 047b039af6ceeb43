/**
 * Builds a shared root into the cache: `node build-root.js KIND`. The caller holds the lock of that kind
 * (flock(1)), so that one builds and the others wait and find it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { findAptSource, readAptSources } from "../../src/rootfs/debootstrap/apt-sources.js";
import { makeDebianRoot } from "../../src/rootfs/debootstrap/make-debian-root.js";
import { readRequest } from "../../src/rootfs/debootstrap/request.js";
import { RECIPES, type RootKind } from "./recipes.js";
import { findCachedRoot } from "./root-cache.js";

const SUITE = "bookworm";

const kind = process.argv[2] as RootKind;
const root = findCachedRoot(kind);
if (!existsSync(root)) await build(root);

async function build(target: string): Promise<void> {
  const source = findAptSource(SUITE, readAptSources());
  if (!source) throw new Error(`this host's apt knows no ${SUITE}`);
  const part = `${target}.part`;
  rmSync(part, { recursive: true, force: true });
  if (kind === "i386") return makeDebianRoot(target, readRequest({ suite: SUITE, arch: "i386", variant: "essential" }), () => undefined);
  const ran = spawnSync("mmdebstrap", ["--quiet", ...RECIPES[kind], SUITE, part, source.uri], { stdio: ["ignore", 2, 2] });
  if (ran.status !== 0) throw new Error(`mmdebstrap ended with ${ran.status ?? ran.error?.message ?? ran.signal}`);
  if (readFileSync(`${part}/etc/passwd`, "utf8") === "") throw new Error("mmdebstrap left no accounts");
  renameSync(part, target);
}
