// npm test [-- WORD…]: builds what is out of date, then runs every test whose path contains one of the words.
// BRIG_TEST_JOBS=N runs N files at a time (2). BRIG_BUILD_DIR puts the transpiled tests elsewhere, so that two people can test side by side.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** More failing files than these are no matter of load. */
const AGAIN_MOST = 25;
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
const failed = runFiles(files, process.env.BRIG_TEST_JOBS ?? "2");
// A time that was too short beside another file's load is no defect: who fails is run once more, alone, and must pass.
const again = failed.length > 0 && failed.length <= AGAIN_MOST && files.length > failed.length ? failed : [];
if (again.length > 0) console.log(`\nfailed beside others, and run again alone: ${again.map((file) => relative(join(out, "test"), file)).join(" ")}\n`);
const left = again.length > 0 ? runFiles(again, "1") : failed;
process.exit(built.status !== 0 || failures.length > 0 || left.length > 0 ? 1 : 0);

/** Runs test files, so many at a time, and prints what node:test says. Those in which a test failed. */
function runFiles(names, jobs) {
  const report = join(out, "failed-files");
  const words = ["--test", `--test-concurrency=${jobs}`, "--enable-source-maps", "--test-reporter=spec", "--test-reporter-destination=stdout"];
  const { status } = spawnSync(process.execPath, [...words, "--test-reporter=./scripts/failed-files.mjs", `--test-reporter-destination=${report}`, ...names], { stdio: "inherit" });
  const told = readFileSync(report, "utf8").split("\n").filter(Boolean).map(toBuilt);
  const known = [...new Set(told)].filter((file) => names.includes(file));
  return status === 0 ? [] : known.length > 0 ? known : names;
}

/** A place in the sources, as source maps tell it, or in the build folder. */
function toBuilt(file) {
  const path = resolve(file.replace(/^file:\/\//, ""));
  return path.startsWith(out) ? path : join(out, relative(root, path).replace(/ts$/, "js"));
}

/** The Debian roots that tests share are built while other tests run; whoever needs one waits for its lock. */
function startRoots() {
  if (process.geteuid() !== 0) return;
  const script = "for kind in machine small i386; do \"$0\" \"$1\" $kind; done";
  spawn("sh", ["-c", script, process.execPath, join(out, "test/roots/build-early.js")], { stdio: "ignore", detached: true }).unref();
}
