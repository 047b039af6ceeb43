// npm run build: installs the dependencies when the lock file is newer, compiles the launcher, bundles the command.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2] });
  if (error?.code === "ENOENT") fail(`${command} is missing`, command === "cc" ? "apt-get install gcc libc6-dev" : `apt-get install ${command}`);
  if (status !== 0) fail(`${command} ${args.join(" ")} failed`, "the lines above say why");
}

function fail(what, hint) {
  console.error(`brig: ${what}\n  hint: ${hint}`);
  process.exit(125);
}

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const newest = (folder) => Math.max(0, ...readdirSync(folder, { recursive: true }).map((name) => modified(join(folder, name))));

if (modified("node_modules/.package-lock.json") < modified("package-lock.json")) {
  console.error("brig: installing dependencies");
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
}
mkdirSync("dist", { recursive: true });
if (modified("dist/brig") < newest("launcher")) {
  console.error("brig: compiling the launcher");
  run("make", ["-s", "-C", "launcher"]);
}
