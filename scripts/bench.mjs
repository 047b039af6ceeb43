// npm run bench [-- OPTIONS]: builds what is out of date, then prints the table of ratios; --help says more.
import { spawnSync } from "node:child_process";
import { mkdirSync, statfsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = process.cwd();
process.chdir(root);
delete process.env.NODE_EXTRA_CA_CERTS; // makes every Node child start 30 ms later

standOnTmpfs();

/**
 * Every host with systemd has /run in memory. Where it is on a disk, writing a sandbox's folder would be measured with
 * the disk's file system: the bench then goes on in a mount namespace of its own, with a tmpfs there.
 */
function standOnTmpfs() {
  const tmpfs = 0x01021994;
  if (process.getuid() !== 0 || process.env.BRIG_BENCH_TMPFS || statfsSync("/run").type === tmpfs) return;
  mkdirSync("/run/brig", { recursive: true, mode: 0o700 });
  const mount = 'mount -t tmpfs -o mode=700 tmpfs /run/brig && exec "$@"';
  const words = ["--mount", "--propagation", "private", "sh", "-c", mount, "sh", process.execPath, ...process.argv.slice(1)];
  const { status } = spawnSync("unshare", words, { stdio: "inherit", cwd: from, env: { ...process.env, BRIG_BENCH_TMPFS: "1" } });
  process.exit(status ?? 1);
}

const built = spawnSync(process.execPath, ["scripts/build.mjs", "--test"], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

const { transpile } = await import("./transpile.mjs");
const out = resolve(process.env.BRIG_BUILD_DIR ?? ".build");
const failures = await transpile(root, out);
if (failures.length > 0) throw new Error(failures.join("\n"));

const { runBench } = await import(pathToFileURL(join(out, "bench", "main.js")).href);
process.chdir(from);
process.exitCode = await runBench(process.argv.slice(2), root, out);
