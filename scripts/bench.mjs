// npm run bench [-- OPTIONS]: builds what is out of date, then prints the table of ratios; --help says more.
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = process.cwd();
process.chdir(root);
delete process.env.NODE_EXTRA_CA_CERTS; // makes every Node child start 30 ms later

const built = spawnSync(process.execPath, ["scripts/build.mjs", "--test"], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

const { transpile } = await import("./transpile.mjs");
const out = resolve(process.env.BRIG_BUILD_DIR ?? ".build");
const failures = await transpile(root, out);
if (failures.length > 0) throw new Error(failures.join("\n"));

const { runBench } = await import(pathToFileURL(join(out, "bench", "main.js")).href);
process.chdir(from);
process.exitCode = await runBench(process.argv.slice(2), root, out);
