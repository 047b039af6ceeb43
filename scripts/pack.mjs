// The published form, in dist/tarballs: brig itself, and the launcher for each architecture whose compiler is here.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileLauncher, findCompiler } from "./launcher.mjs";
import { fail, runStep } from "./step.mjs";

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const own = JSON.parse(readFileSync("package.json", "utf8"));
const stage = "dist/packages";
const tarballs = "dist/tarballs";
const architectures = ["x64", "arm64"];

async function pack(folder) {
  await runStep(`packing ${folder}`, "npm", ["pack", `./${folder}`, "--ignore-scripts", "--silent", "--pack-destination", tarballs]);
}

async function packLauncher(arch) {
  const folder = join(stage, `linux-${arch}`);
  mkdirSync(folder, { recursive: true });
  await compileLauncher(join("dist", `brig-${arch}`), arch);
  cpSync(join("dist", `brig-${arch}`), join(folder, "brig"));
  chmodSync(join(folder, "brig"), 0o755);
  const { version, license, engines } = own;
  const description = `brig's launcher for Linux on ${arch}`;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: `brig-linux-${arch}`, version, description, license, engines, os: ["linux"], cpu: [arch], files: ["brig"], preferUnplugged: true }, null, 2));
  await pack(folder);
}

/** The package as it stands, with the launchers as optional dependencies: those exist only once they are published. */
async function packCommand(packed) {
  const folder = join(stage, "brig");
  for (const path of [...own.files, "LICENSE", "README.md"].filter((name) => existsSync(name))) cpSync(path, join(folder, path), { recursive: true, filter: (source) => !source.endsWith(".stamp") && !source.endsWith("cli/cache") });
  const { scripts: _, devDependencies: __, ...kept } = own;
  const optionalDependencies = Object.fromEntries(packed.map((arch) => [`brig-linux-${arch}`, own.version]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...kept, optionalDependencies }, null, 2));
  await pack(folder);
}

try {
  await runStep("building", process.execPath, ["scripts/build.mjs"]);
  for (const folder of [stage, tarballs]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(tarballs, { recursive: true });
  const present = architectures.filter((arch) => spawnSync(findCompiler(arch), ["--version"], { stdio: "ignore" }).status === 0);
  for (const arch of present) await packLauncher(arch);
  await packCommand(present);
} catch (error) {
  fail(error.message, error.hint ?? "the lines above say why");
}
