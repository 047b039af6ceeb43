import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { copyDebianRoot } from "../roots/debian-root.js";
import { run } from "./brig.js";

const PATIENCE_MS = 60_000;

/** `brig WORDS…` on a terminal: what it shows, and what is typed there. */
class Terminal {
  shown = "";
  private readonly child;
  readonly ended: Promise<number | null>;

  constructor(t: TestContext, words: string[]) {
    const command = [findLauncher(), ...words].map((word) => `'${word}'`).join(" ");
    this.child = spawn("script", ["-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout.on("data", (data: Buffer) => (this.shown += String(data)));
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    t.after(async () => {
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Waits for what comes behind all that was waited for before. */
  async see(pattern: RegExp): Promise<void> {
    for (const limit = Date.now() + PATIENCE_MS; !pattern.test(this.shown); await sleep(20))
      if (Date.now() > limit || this.child.exitCode !== null) throw new Error(`no ${pattern} in ${this.shown.slice(-1500)}`);
    this.shown = "";
  }

  type(text: string): void {
    this.child.stdin.write(`${text}\n`);
  }
}

test("systemd-nspawn -D my_deb: a root shell with its own processes, where passwd sets a password; -bD my_deb: it works at the login", async (t) => {
  const root = copyDebianRoot(t);
  if (root === undefined) return;
  const name = `article${process.pid}`;
  const shell = new Terminal(t, ["nspawn", "-D", root, "-M", name]);
  await shell.see(/# $/);
  shell.type("echo lines=$(ps -aux | wc -l) pid=$$");
  await shell.see(/lines=[3-6] pid=1\r\n/);
  shell.type("passwd");
  await shell.see(/New password: $/);
  shell.type("geheim-9");
  await shell.see(/Retype new password: $/);
  shell.type("geheim-9");
  await shell.see(/password updated successfully/);
  shell.type("exit");
  assert.equal(await shell.ended, 0);
  const machine = new Terminal(t, ["nspawn", "-bD", root, "-M", name]);
  await machine.see(/login: $/);
  machine.type("root");
  await machine.see(/Password: $/);
  machine.type("geheim-9");
  await machine.see(/# $/);
  machine.type("poweroff");
  assert.equal(await machine.ended, 0);
  assert.match(machine.shown, /has been shut down\./);
});

test("systemd-nspawn -D my_deb --network-bridge=br0: its own network through a veth pair on the bridge", (t) => {
  const root = copyDebianRoot(t, "small");
  if (root === undefined) return;
  const bridge = `ab${process.pid}`.slice(0, 15);
  if (run("ip", ["link", "add", bridge, "type", "bridge"]).status !== 0) return t.skip("no bridge can be made");
  t.after(() => run("ip", ["link", "del", bridge]));
  const { stdout, status, stderr } = run(findLauncher(), ["nspawn", "-q", "-P", "-D", root, "-M", `abridge${process.pid}`, `--network-bridge=${bridge}`, "sh", "-c", "cat /proc/net/dev"]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n").slice(2).map((line) => line.trim().split(":")[0]).sort(), ["host0", "lo"]);
});
