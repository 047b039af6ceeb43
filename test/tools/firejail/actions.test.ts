import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";

const brig = resolve("dist/brig");
const UID = 4716;
const isRoot = process.geteuid?.() === 0 && existsSync(brig);
const hasTools = spawnSync("sh", ["-c", "command -v pasta tc nft ip"]).status === 0;
const skip = isRoot ? (hasTools ? false : "needs pasta, ip, tc and nft") : "needs root to act as an ordinary user, and a built launcher";

interface Jail {
  run(...words: string[]): { status: number | null; stdout: string; stderr: string };
  name: string;
}

/** A sandbox of an ordinary user's, or of root's, that says when it is up and sleeps. */
async function startJail(t: TestContext, uid: number, ...options: string[]): Promise<Jail> {
  const home = mkdtempSync(join(tmpdir(), "brig-actions-"));
  const name = `act${process.pid}u${uid}`;
  writeFileSync(join(home, "plain"), "plain");
  spawnSync("chown", ["-R", `${uid}:${uid}`, home]);
  const env = { HOME: home, PATH: "/usr/sbin:/usr/bin:/bin", SHELL: "/bin/sh", BRIG_NO_CACHE: "1" };
  const words = uid === 0 ? [brig, "firejail"] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", brig, "firejail"];
  const child = spawn(words[0]!, [...words.slice(1), "--noprofile", "--quiet", `--name=${name}`, ...options, "sh", "-c", "echo up; sleep 60; true"], { cwd: home, env, stdio: ["ignore", "pipe", "inherit"] });
  const run: Jail["run"] = (...more) => spawnSync(words[0]!, [...words.slice(1), ...more], { cwd: home, env, encoding: "utf8", timeout: 60_000 });
  t.after(async () => {
    run(`--shutdown=${name}`);
    if (child.exitCode === null) await once(child, "exit");
    rmSync(home, { recursive: true, force: true });
    rmSync(`/tmp/brig-${uid}`, { recursive: true, force: true });
  });
  await Promise.race([once(child.stdout, "data"), once(child, "exit").then(() => assert.fail("it did not start"))]);
  return { run, name };
}

test("what a running sandbox may do is printed, and its traffic shaped, by an ordinary user", { skip }, async (t) => {
  const { run, name } = await startJail(t, UID, "--net=user", "--cpu=0", "--caps.drop=all", "--seccomp=mkdir", "--protocol=unix,inet,inet6,netlink", "--dns=1.2.3.4", "--blacklist=~/plain");
  const print = (what: string): string => {
    const { stdout, stderr, status } = run(`--${what}.print=${name}`);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  assert.match(print("caps"), /^net_admin +- disabled$/m);
  assert.match(print("seccomp"), /ERRNO 1: .*\bmkdir\b/);
  assert.equal(print("protocol"), "unix,inet,inet6,netlink\n");
  assert.match(print("cpu"), /Cpus_allowed_list:\t0$/m);
  assert.equal(print("dns"), "nameserver 1.2.3.4\n");
  assert.match(print("fs"), /^blacklist \S*\/plain \(--blacklist=~\/plain\)$/m);
  assert.match(print("apparmor"), /AppArmor: /);
  const device = /^2: ([^:@]+)/m.exec(print("net"))?.[1];
  assert.ok(device);
  assert.equal(run(`--bandwidth=${name}`, "set", device, "80", "40").stderr, "");
  assert.match(run(`--bandwidth=${name}`, "status").stdout, new RegExp(`qdisc tbf .* dev ${device} .*rate 320Kbit`));
  assert.equal(run(`--bandwidth=${name}`, "clear", device).status, 0);
  assert.doesNotMatch(run(`--bandwidth=${name}`, "status").stdout, /tbf|firejail/);
  assert.match(run(`--bandwidth=${name}`, "set", device, "x").stderr, /invalid bandwidth/);
  assert.match(run("--top").stdout, /^\d+ .* sh -c echo up/m);
  assert.match(run("--netstats").stdout, /^\d+ .*\d\.\d +sh -c/m);
  assert.match(run(`--join-network=${name}`, "true").stderr, /only available to root/);
  assert.match(run("--caps.print=nobody").stderr, /cannot find sandbox nobody/);
});

test("root joins the network or the files of a sandbox alone", { skip }, async (t) => {
  const { run, name } = await startJail(t, 0, "--net=none", "--private");
  assert.match(run(`--join-network=${name}`, "ip", "-br", "address").stdout, /^lo\s+UNKNOWN[^\n]*\n$/);
  assert.doesNotMatch(run(`--join-filesystem=${name}`, "sh", "-c", 'ls -A "$HOME"').stdout, /plain/);
  assert.equal(run(`--join-network=${name}`, "sh", "-c", "exit 5").status, 5);
  assert.match(run("--list").stdout, new RegExp(`:${name}:sh -c`));
});
