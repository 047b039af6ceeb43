// Builds what is out of date: the dependencies, the launcher, the command's bundle, the library.
//   node scripts/build.mjs            everything (npm run build)
//   node scripts/build.mjs --command  what ./brig needs to start
//   node scripts/build.mjs --test     the same, but goes on behind a failure and reports it with exit status 1
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, isNewer, listTree, runStep } from "./step.mjs";

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  const hint = "apt-get install nodejs (Debian 13), or NodeSource's nodejs package on Debian 12";
  fail(`brig needs Node 20 or newer, and this is ${process.version}`, hint);
}

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const mode = process.argv[2] ?? "--all";
const goesOn = mode === "--test";

async function attempt(step) {
  try {
    await step();
  } catch (error) {
    if (!goesOn) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function installDependencies() {
  if (!isNewer(["package-lock.json"], "node_modules/.package-lock.json")) return;
  // Without install scripts: esbuild's binary comes as an optional dependency and needs none.
  const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await runStep("installing dependencies", "npm", words, "apt-get install npm");
}

async function buildLauncher() {
  const { compileLauncher } = await import("./launcher.mjs");
  await compileLauncher("dist/brig");
}

async function buildCommand() {
  const sources = [...listTree("src"), "scripts/bundle.mjs", "package.json"];
  if (!isNewer(sources, "dist/cli/main.cjs")) return;
  const { bundleCommand } = await import("./bundle.mjs");
  await bundleCommand("dist/cli");
}

async function buildLibrary() {
  if (!isNewer([...listTree("src"), "tsconfig.lib.json"], "dist/lib/.stamp")) return;
  await runStep("compiling the library", process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.lib.json"]);
  writeFileSync("dist/lib/.stamp", "");
}

try {
  mkdirSync("dist", { recursive: true });
  await installDependencies();
  await attempt(buildLauncher);
  await attempt(buildCommand);
  if (mode === "--all") await buildLibrary();
  writeFileSync("dist/.stamp", "");
} catch (error) {
  fail(error.message, error.hint ?? "the lines above say why");
}
