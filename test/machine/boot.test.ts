import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { askMachine } from "../../src/machine/ask.js";
import { listMachines, type Machine } from "../../src/machine/find.js";
import { sweepSandboxes } from "../../src/sandbox/sweep.js";
import { debianRoot } from "../roots/debian-root.js";
import { ran } from "../tools/nspawn/nspawn.js";

const PATIENCE_MS = 60_000;

/** A machine that boots from the shared root, changes thrown away; it is ended with the test. */
class Booted {
  readonly child: ChildProcess;
  output = "";
  readonly ended: Promise<number>;

  constructor(t: TestContext, readonly name: string, words: string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(findLauncher(), ["nspawn", "-b", "-M", name, "--volatile=overlay", ...words], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout!.on("data", (data: Buffer) => (this.output += String(data)));
    this.child.stderr!.on("data", (data: Buffer) => (this.output += String(data)));
    this.ended = new Promise((resolve) => this.child.once("close", (code, signal) => resolve(code ?? (signal === null ? -1 : -2))));
    t.after(() => this.kill());
  }

  /** Waits for the machine, as who started it or any other command sees it. */
  async waitFor<T>(look: (machine: Machine) => T | undefined | false): Promise<T> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(20)) {
      const machine = listMachines().find(({ name }) => name === this.name);
      const seen = machine && look(machine);
      if (seen !== undefined && seen !== false) return seen;
      if (this.child.exitCode !== null) break;
    }
    throw new Error(`${this.name} did not come that far: ${this.output.slice(-2000)}`);
  }

  async ready(): Promise<Machine> {
    return await this.waitFor((machine) => existsSync(`${machine.sandbox.folder}/ready`) && machine);
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

function inside({ leader }: Machine, ...command: string[]): string {
  return ran("nsenter", ["-t", String(leader!.pid), "-a", ...command]).stdout.trim();
}

function name(what: string): string {
  return `b${process.pid}${what}`;
}

function listLeft(machine: Machine): string[] {
  const { id, folder } = machine.sandbox;
  return [folder, `/sys/fs/cgroup/unified/brig/brig-${id}`, `/sys/fs/cgroup/systemd/brig-${id}`, `/run/brig/names/${machine.name}`].filter((path) => existsSync(path));
}

test("Debian's systemd reaches running, tells that it is ready, reboots when it wants to and powers off when it is asked", async (t) => {
  const root = debianRoot(t);
  if (root === undefined) return;
  const booted = new Booted(t, name("a"), ["-D", root]);
  const first = await booted.ready();
  assert.equal(inside(first, "systemctl", "is-system-running", "--wait"), "running", inside(first, "systemctl", "--failed"));
  assert.equal(inside(first, "systemd-detect-virt"), "systemd-nspawn");
  assert.equal(inside(first, "cat", "/proc/sys/kernel/hostname") !== "", true);
  const uid = Number(readFileSync(`/proc/${first.leader!.pid}/status`, "utf8").match(/^Uid:\s+(\d+)/m)![1]);
  assert.ok(uid >= 65536, "its root is nobody here");
  inside(first, "systemctl", "reboot");
  const second = await booted.waitFor((machine) => machine.sandbox.id !== first.sandbox.id && existsSync(`${machine.sandbox.folder}/ready`) && machine);
  assert.notEqual(second.leader!.pid, first.leader!.pid);
  assert.deepEqual(listLeft(first).filter((path) => !path.endsWith(first.name)), []);
  askMachine(second, "poweroff");
  assert.equal(await booted.ended, 0, booted.output.slice(-500));
  assert.match(booted.output, new RegExp(`Container ${booted.name} is being rebooted\\.[^]*Container ${booted.name} has been shut down\\.\\n$`));
  assert.deepEqual(listLeft(second), []);
});

for (const [what, words, env] of [
  ["with the host's ids", ["--private-users=no"], {}],
  ["in version 1's hierarchy for systemd, with a network of its own", ["-n"], { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "0" }],
] as const)
  test(`it boots ${what}, and ends at SIGTERM`, async (t) => {
    const root = debianRoot(t);
    if (root === undefined) return;
    const legacy = "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY" in env;
    if (legacy && !existsSync("/sys/fs/cgroup/systemd/cgroup.procs")) return t.skip("this host has no hierarchy of that name");
    const booted = new Booted(t, name(legacy ? "v" : "n"), ["-D", root, ...words], env);
    const machine = await booted.ready();
    assert.equal(inside(machine, "systemctl", "is-system-running", "--wait"), "running", inside(machine, "systemctl", "--failed"));
    if (legacy) assert.match(inside(machine, "ip", "-br", "link"), /^host0@/m);
    assert.equal(inside(machine, "stat", "-f", "-c", "%T", "/sys/fs/cgroup"), legacy ? "tmpfs" : "cgroup2fs");
    booted.child.kill("SIGTERM");
    assert.equal(await booted.ended, 0, booted.output.slice(-500));
    assert.match(booted.output, /Trying to halt container\./);
    assert.deepEqual(listLeft(machine), []);
    // the kernel takes a network namespace's links down when it gets to it
    for (let tries = 0; tries < 250 && existsSync(`/sys/class/net/ve-${booted.name}`); tries++) await sleep(20);
    assert.equal(existsSync(`/sys/class/net/ve-${booted.name}`), false);
  });

test("the console shows a login prompt, the password works there, and ^] three times ends the machine", async (t) => {
  const root = debianRoot(t);
  if (root === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "brig-console-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // what is thrown away at the end still holds for the whole run: the password is set by the machine's own credential
  const words = [findLauncher(), "nspawn", "-b", "-M", name("c"), "--volatile=overlay", "--bind-ro=" + writeShadow(folder, root) + ":/etc/shadow", "-D", root];
  const terminal = spawn("script", ["-qec", words.join(" "), "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  let shown = "";
  terminal.stdout.on("data", (data: Buffer) => (shown += String(data)));
  const ended = new Promise<number | null>((resolve) => terminal.once("close", resolve));
  t.after(() => terminal.kill("SIGKILL"));
  const until = async (pattern: RegExp): Promise<void> => {
    for (const limit = Date.now() + PATIENCE_MS; !pattern.test(shown); await sleep(20)) if (Date.now() > limit || terminal.exitCode !== null) throw new Error(`no ${pattern} in ${shown.slice(-1500)}`);
  };
  await until(/login: $/);
  terminal.stdin.write("root\n");
  await until(/Password: $/);
  terminal.stdin.write("geheim\n");
  await until(/# $/);
  terminal.stdin.write("echo in-$((40 + 2)); tty\n");
  await until(/in-42\s+\/dev\/(pts\/0|console)/);
  terminal.stdin.write("\x1d\x1d\x1d");
  assert.equal(await ended, 1);
  assert.match(shown, /Press \^\] three times within 1s to kill container\.[^]*terminated by signal KILL\.\s*$/);
});

/** The root's accounts with a password for root; the owners are mapped, so that the machine's root can read it. */
function writeShadow(folder: string, root: string): string {
  const hash = ran("openssl", ["passwd", "-6", "geheim"]).stdout.trim();
  const path = join(folder, "shadow");
  ran("sh", ["-c", `umask 077; sed 's|^root:[^:]*:|root:'"$2"':|' "$1" > "$3"`, "sh", `${root}/etc/shadow`, hash, path]);
  return path;
}

test("when every process of brig's is killed, the machine is gone and nothing is left of it", async (t) => {
  const root = debianRoot(t);
  if (root === undefined) return;
  const booted = new Booted(t, name("k"), ["-nD", root]);
  const machine = await booted.ready();
  const { leader, sandbox } = machine;
  booted.child.kill("SIGKILL");
  process.kill(sandbox.supervisor!.pid, "SIGKILL");
  for (const until = Date.now() + PATIENCE_MS; existsSync(`/proc/${leader!.pid}/ns/pid`) && Date.now() < until; ) await sleep(20);
  assert.equal(existsSync(`/sys/class/net/ve-${booted.name}`), false);
  sweepSandboxes(sandbox.runFolder);
  assert.deepEqual(listLeft(machine), []);
  // the name is free for the next, whether somebody has swept or not
  assert.equal(ran(findLauncher(), ["nspawn", "-qP", "--read-only", "-M", booted.name, "-D", root, "/bin/true"]).status, 0);
});

test("many machines run at once, and brig takes less than a mebibyte for each", async (t) => {
  const root = debianRoot(t);
  if (root === undefined) return;
  const all = Array.from({ length: 6 }, (_, index) => new Booted(t, name(`m${index}`), ["-n", "--console=passive", "-D", root]));
  const machines = await Promise.all(all.map((each) => each.ready()));
  assert.equal(new Set(machines.map(({ leader }) => readFileSync(`/proc/${leader!.pid}/status`, "utf8").match(/^Uid:\s+(\d+)/m)![1])).size, machines.length, "each has ids of its own");
  for (const [index, machine] of machines.entries()) {
    const pss = [machine.sandbox.supervisor!.pid, all[index]!.child.pid!].map((pid) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))![1]));
    assert.ok(pss.reduce((sum, each) => sum + each) < 1024, `${pss.join(" + ")} KiB`);
  }
  for (const machine of machines) askMachine(machine, "poweroff");
  assert.deepEqual(await Promise.all(all.map(({ ended }) => ended)), all.map(() => 0));
});
