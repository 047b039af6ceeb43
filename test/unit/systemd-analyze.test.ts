import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { brig, makeFolder, needsRoot, run } from "../article/brig.js";

function lacksAnalyze(t: TestContext): boolean {
  const missing = spawnSync("systemd-analyze", ["--version"]).error !== undefined;
  if (missing) t.skip("systemd-analyze is not installed");
  return missing;
}

const VARIANTS = [
  [],
  ["--net", "host", "--memory", "1GiB", "--cpus", "1.5", "--pids", "10", "--rlimit", "nofile=10:20", "--env", 'A=x "y" $z %n'],
  ["--tmpfs", "/cache:size=1m", "--hide", "/usr/share", "--cap-add", "net_bind_service"],
  ["--before", "/bin/true 'a b'", "--after", "network-online.target", "--restart", "on-failure", "--type", "simple", "--description", "100% of it"],
];

test("systemd accepts every unit without a word", (t) => {
  if (needsRoot(t) || lacksAnalyze(t)) return;
  const folder = makeFolder(t);
  for (const [index, options] of VARIANTS.entries()) {
    const file = join(folder, `variant${index}.service`);
    assert.deepEqual(brig(["unit", `variant${index}`, ...options, "--out", folder, "--", "sh", "-c", 'echo "$A" 100%'], { cwd: "/" }), { status: 0, stdout: "", stderr: "" });
    const { status, stdout, stderr } = run("systemd-analyze", ["verify", file]);
    assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: "" }, options.join(" "));
  }
});

test("systemd rates the default 1.0 or better", (t) => {
  if (needsRoot(t) || lacksAnalyze(t)) return;
  const folder = makeFolder(t);
  brig(["unit", "plain", "--out", folder, "--", "true"], { cwd: "/" });
  const { stdout } = run("systemd-analyze", ["security", "--offline=true", "--no-pager", join(folder, "plain.service")]);
  assert.ok(Number(/exposure level for plain.service: ([\d.]+)/.exec(stdout)?.[1]) <= 1.0, stdout);
});

test("what systemd cannot say is done by a plan beside the unit, and told", (t) => {
  if (needsRoot(t) || lacksAnalyze(t)) return;
  const folder = makeFolder(t);
  const words = ["unit", "far", "--hostname", "inside", "--", "sh", "-c", "hostname; id -u"];
  assert.match(brig([...words.slice(0, 4), "--how", "directives", ...words.slice(4)]).stderr, /systemd has no words for the host's name inside[^]*--hostname inside/);
  assert.match(brig(words).stderr, /needs a compiled plan beside it/);
  assert.equal(brig([...words.slice(0, 4), "--out", folder, ...words.slice(4)]).status, 0);
  const unit = run("cat", [join(folder, "far.service")]).stdout;
  assert.match(unit, /#   the host's name inside \(--hostname inside\)\n[^]*\nExecStart=.*far\.plan\n/);
  assert.equal(run("systemd-analyze", ["verify", join(folder, "far.service")]).stderr, "");
  assert.deepEqual(run(join(folder, "far.plan"), []), { status: 0, stdout: "inside\n0\n", stderr: "" });
});

test("names and values that would break out of a unit are refused", (t) => {
  if (needsRoot(t)) return;
  const folder = makeFolder(t);
  for (const words of [["../x"], ["x", "--type", "evil"], ["x", "--after", "a\nb"], ["x", "--before", "rel"], ["x", "--wanted-by", "a b"]]) {
    assert.equal(brig(["unit", ...words, "--out", folder, "--", "true"]).status, 125, words.join(" "));
    assert.ok(!existsSync(join(folder, "x.service")));
  }
  const odd = join(folder, "odd\nExecStartPre=+x");
  writeFileSync(odd, "");
  assert.match(brig(["unit", "x", "--read", odd, "--", "true"]).stderr, /cannot stand in a unit/);
});
