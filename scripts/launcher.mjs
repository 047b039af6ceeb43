// Compiles the launcher with nothing but a C compiler and the kernel's headers: no make, no C library.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, renameSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { nameBuild } from "./plan-format.mjs";
import { isNewer, startProgress } from "./step.mjs";

const MISSING = { x64: "apt-get install gcc linux-libc-dev", arm64: "apt-get install gcc-aarch64-linux-gnu" };

/** A variable of launcher/Makefile, where the flags stand for make and for this alike. */
function readFlags(name) {
  const text = readFileSync("launcher/Makefile", "utf8").replaceAll("\\\n", " ");
  const line = new RegExp(`^${name} *= *(.*)$`, "m").exec(text)?.[1] ?? "";
  return line.split(/\s+/).filter(Boolean).map((word) => word.replaceAll("$(BUILD)", `0x${nameBuild()}`));
}

/** The compiler for an architecture as Node names it. */
export function findCompiler(arch = process.arch) {
  return arch === process.arch ? (process.env.CC ?? "cc") : `${arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu-gcc`;
}

/** Writes the launcher to `out`, compiling only what changed; the old one stays in place until the new one is whole. */
export async function compileLauncher(out, arch = process.arch) {
  const headers = list(".h");
  const sources = list(".c");
  if (!isNewer([...sources, ...headers, "launcher", "launcher/Makefile", "scripts/launcher.mjs"], out)) return;
  const compiler = findCompiler(arch);
  checkCompiler(compiler, arch);
  const objects = join(dirname(out), `obj-${arch}`);
  mkdirSync(objects, { recursive: true });
  const pairs = sources.map((source) => [source, join(objects, basename(source, ".c") + ".o")]);
  const stale = pairs.filter(([source, object]) => isNewer([source, ...headers, "launcher/Makefile", "scripts/launcher.mjs"], object));
  const finish = startProgress(`compiling the launcher${arch === process.arch ? "" : ` for ${arch}`}`);
  await compileAll(compiler, stale).finally(finish);
  const fresh = `${out}.${process.pid}`;
  await runQuiet(compiler, [...readFlags("LDFLAGS"), "-o", fresh, ...pairs.map(([, object]) => object)]);
  renameSync(fresh, out);
}

function list(ending) {
  return readdirSync("launcher").filter((name) => name.endsWith(ending)).sort().map((name) => join("launcher", name));
}

function checkCompiler(compiler, arch) {
  const probe = spawnSync(compiler, ["-E", "-"], { input: "#include <linux/landlock.h>\n#include <linux/mount.h>\n#include <asm/unistd.h>\n", encoding: "utf8" });
  const hint = MISSING[arch] ?? MISSING.x64;
  if (probe.error) throw Object.assign(new Error(`the C compiler ${compiler} is missing`), { hint });
  if (probe.status !== 0) throw Object.assign(new Error(`the kernel's headers for ${compiler} are missing`), { hint });
}

async function compileAll(compiler, pairs) {
  const waiting = [...pairs];
  const work = async () => {
    for (let pair = waiting.shift(); pair; pair = waiting.shift()) await runQuiet(compiler, [...readFlags("CFLAGS"), "-c", "-o", pair[1], pair[0]]);
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, work));
}

async function runQuiet(compiler, words) {
  const status = await new Promise((resolve, reject) => {
    spawn(compiler, words, { stdio: ["ignore", 2, 2] }).on("error", reject).on("close", resolve);
  });
  if (status !== 0) throw new Error(`${compiler} ${words.at(-1)} failed`);
}
