import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

const brig = resolve("dist/brig");
/** nobody: the daemon wants an account. */
const UID = 65_534;
const missing = ["dbus-daemon", "dbus-send", "dbus-test-tool", "xdg-dbus-proxy"].filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
const skip = process.geteuid?.() !== 0 || !existsSync(brig) ? "needs root to act as an ordinary user, and a built launcher" : missing.length > 0 ? `needs ${missing.join(", ")}` : false;

const AS_USER = [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", "--pdeathsig", "KILL"];
let home = "";
let address = "";
const children: ChildProcess[] = [];

function start(...words: string[]): ChildProcess {
  const child = spawn("setpriv", [...AS_USER, ...words], { cwd: home, env: { HOME: home, PATH: "/usr/bin:/bin", DBUS_SESSION_BUS_ADDRESS: address }, stdio: ["ignore", "pipe", "ignore"] });
  child.unref();
  children.push(child);
  return child;
}

/** A session bus of an ordinary user, with a service that answers everything. */
before(async () => {
  if (skip) return;
  home = mkdtempSync(join(tmpdir(), "brig-bus-"));
  mkdirSync(join(home, "run"));
  spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
  const daemon = start("dbus-daemon", "--session", "--nofork", "--print-address=1", `--address=unix:path=${home}/run/bus`);
  const [said] = (await once(daemon.stdout!, "data")) as [Buffer];
  daemon.stdout!.destroy();
  address = String(said).trim();
  start("dbus-test-tool", "echo", "--session", "--name=org.brig.Other").stdout!.destroy();
  for (let tries = 0; tries < 100 && !send("org.brig.Other", "org.brig.Any").includes("method return"); tries++) spawnSync("sleep", ["0.05"]);
});

after(async () => {
  for (const child of children) {
    child.ref();
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
  }
  if (home) rmSync(home, { recursive: true, force: true });
  rmSync(`/tmp/brig-${UID}`, { recursive: true, force: true });
});

function run(words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("setpriv", [...AS_USER, ...words], { cwd: home, encoding: "utf8", timeout: 60_000, env: { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/sh", DBUS_SESSION_BUS_ADDRESS: address, BRIG_NO_CACHE: "1" } });
}

const CALL = (to: string, method: string, ...values: string[]): string => `dbus-send --session --print-reply --dest=${to} / ${method} ${values.join(" ")} 2>&1`;
const OWN = (name: string): string => CALL("org.freedesktop.DBus", "org.freedesktop.DBus.RequestName", `string:${name}`, "uint32:0").replace(" / ", " /org/freedesktop/DBus ");

function send(to: string, method: string): string {
  return run(["sh", "-c", CALL(to, method)]).stdout;
}

const jail = (options: string[], script: string): ReturnType<typeof run> => run([brig, "firejail", "--noprofile", "--quiet", ...options, "sh", "-c", script]);

test("an open bus answers, a closed one is not there, and a filtered one says nothing of others", { skip }, () => {
  const script = CALL("org.brig.Other", "org.brig.Any");
  assert.match(jail([], script).stdout, /method return/);
  const closed = jail(["--dbus-user=none"], `${script}; echo "[$DBUS_SESSION_BUS_ADDRESS]"; cat ${home}/run/bus 2>&1`);
  assert.doesNotMatch(closed.stdout, /method return/);
  assert.match(closed.stdout, /^\[\]$/m);
  const filtered = jail(["--dbus-user=filter"], `${script}; ${CALL("org.freedesktop.DBus", "org.freedesktop.DBus.ListNames").replace(" / ", " /org/freedesktop/DBus ")}; ${OWN("org.brig.Mine")}`);
  assert.doesNotMatch(filtered.stdout, /org\.brig\.Other"|uint32 1/);
  assert.match(filtered.stdout, /org\.freedesktop\.DBus"/);
});

test("talk lets one service be called, own lets a name be had, and nothing else opens with them", { skip }, () => {
  const { stdout } = jail(["--dbus-user=filter", "--dbus-user.talk=org.brig.Other", "--dbus-user.own=org.brig.Mine"], `${CALL("org.brig.Other", "org.brig.Any")}; ${OWN("org.brig.Mine")}; ${OWN("org.brig.Foreign")}`);
  assert.match(stdout, /method return/);
  assert.equal([...stdout.matchAll(/uint32 1\b/g)].length, 1);
  assert.match(stdout, /Error org\.freedesktop\.DBus\.Error/);
  const one = jail(["--dbus-user=filter", "--dbus-user.call=org.brig.Other=org.brig.Allowed@/"], `${CALL("org.brig.Other", "org.brig.Allowed")}; ${CALL("org.brig.Other", "org.brig.Refused")}`);
  assert.equal([...one.stdout.matchAll(/method return/g)].length, 1, one.stdout);
});

test("--dbus-log keeps what the filter saw, and the proxy and its socket end with the sandbox", { skip }, () => {
  const file = join(home, "bus.log");
  jail(["--dbus-user=filter", "--dbus-user.log", `--dbus-log=${file}`], CALL("org.brig.Other", "org.brig.Any"));
  assert.match(readFileSync(file, "utf8"), /org\.brig\.Other/);
  const stage = join(home, ".cache/brig/firejail");
  assert.deepEqual((existsSync(stage) ? readdirSync(stage) : []).filter((name) => name.startsWith("bus-")), []);
  const isThere = (): boolean => spawnSync("pgrep", ["-u", String(UID), "-x", "xdg-dbus-proxy"]).status === 0;
  for (let tries = 0; tries < 100 && isThere(); tries++) spawnSync("sleep", ["0.05"]);
  assert.ok(!isThere());
});
