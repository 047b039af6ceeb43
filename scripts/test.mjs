// npm test [-- WORD…]: builds what is out of date, then runs every test whose path contains one of the words.
// BRIG_TEST_JOBS=N runs N files at a time (Node's own choice is one less than there are processors). BRIG_BUILD_DIR puts the transpiled tests elsewhere, so that two people can test side by side.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
delete process.env.NODE_EXTRA_CA_CERTS; // makes every Node child start 30 ms later

const built = spawnSync(process.execPath, ["scripts/build.mjs", "--test"], { stdio: "inherit" });
if (built.status !== 0 && built.status !== 1) process.exit(built.status ?? 1);

const words = process.argv.slice(2);
const { installTestPackages } = await import("./test-packages.mjs");
if (words.length === 0) await installTestPackages();

const { transpile } = await import("./transpile.mjs");
const out = resolve(process.env.BRIG_BUILD_DIR ?? ".build");
if (process.env.CI) rmSync(out, { recursive: true, force: true });
const failures = await transpile(root, out);
for (const failure of failures) console.error(failure);

const files = readdirSync(join(out, "test"), { recursive: true })
  .filter((name) => name.endsWith(".test.js") && existsSync(join("test", name.replace(/js$/, "ts"))))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .map((name) => join(out, "test", name))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${words.join(" ")}`);
  process.exit(1);
}
if (words.length === 0) startRoots();
const { BRIG_TEST_JOBS: count } = process.env;
const jobs = count === undefined ? [] : [`--test-concurrency=${count}`];
const ran = spawnSync(process.execPath, ["--test", ...jobs, "--test-reporter=spec", "--enable-source-maps", ...files], { stdio: "inherit" });
process.exit(built.status !== 0 || failures.length > 0 ? 1 : (ran.status ?? 1));

/** The Debian roots that tests share are built while other tests run; whoever needs one waits for its lock. */
function startRoots() {
  if (process.geteuid() !== 0) return;
  const script = "for kind in machine small i386; do \"$0\" \"$1\" $kind; done";
  spawn("sh", ["-c", script, process.execPath, join(out, "test/roots/build-early.js")], { stdio: "ignore", detached: true }).unref();
}
