import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLONE } from "../../src/plan/format.js";
import type { Step } from "../../src/plan/operations.js";
import { LAUNCHER, makeFolder, shell, writePlan } from "./launch.js";

const skip = process.getuid?.() === 0 ? false : "needs root, to make namespaces without a user namespace";
const NETWORK = { cloneFlags: CLONE.pid | CLONE.network };

function companion(script: string, rest: { timeoutMs?: number; sockets?: number[]; substitute?: boolean } = {}): Step {
  const { timeoutMs = 5000, sockets = [], ...flags } = rest;
  return { op: "COMPANION", argv: ["/bin/sh", "-c", script], input: "", timeoutMs, sockets: new Uint8Array(new Uint16Array(sockets).buffer), endSignal: 0, ...flags };
}

function run(file: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(LAUNCHER, ["--plan", file], { encoding: "utf8", timeout: 20_000, env: { PATH: process.env["PATH"] ?? "", BRIG_CLI: "/nonexistent" } });
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !condition(); await new Promise((done) => setTimeout(done, 20))) assert.ok(Date.now() < end, "it did not happen in time");
}

const STAY = "printf r >&3; read -r _ <&3; ";

test("a companion is ready before the payload begins, and undoes what it did before the launcher ends", { skip }, (t) => {
  const folder = makeFolder(t);
  const file = writePlan(folder, { argv: shell(`cat ${folder}/up; test ! -e ${folder}/down`), parent: [companion(`sleep 0.2; echo up >${folder}/up; ${STAY} sleep 0.2; echo down >${folder}/down`)] });
  const ran = run(file);
  assert.equal(ran.stdout, "up\n", ran.stderr);
  assert.equal(ran.status, 0);
  assert.equal(readFileSync(`${folder}/down`, "utf8"), "down\n");
});

test("a companion that says nothing, ends or is missing fails the sandbox, with its last words", { skip }, (t) => {
  const folder = makeFolder(t);
  for (const [step, expected] of [
    [companion("echo it is broken >&2; exit 3"), /it is broken/],
    [companion("exit 0"), /COMPANION|companion|run/],
    [companion("sleep 60", { timeoutMs: 300 }), /110|timed out|ETIMEDOUT/i],
    [{ ...companion(""), argv: ["/nonexistent/program"] } as Step, /nonexistent/],
  ] as [Step, RegExp][]) {
    const ran = run(writePlan(folder, { argv: shell(`echo ran >${folder}/ran`), parent: [step] }));
    assert.equal(ran.status, 125);
    assert.match(ran.stderr, expected);
    assert.ok(!existsSync(join(folder, "ran")));
  }
});

test("a companion has descriptors 0 to 3 and its sockets, no terminal of the caller's, and can gain no privileges", { skip }, (t) => {
  const folder = makeFolder(t);
  const look = `ls /proc/$$/fd >${folder}/fds; grep NoNewPrivs /proc/$$/status >${folder}/nnp; cut -d' ' -f6 /proc/$$/stat >${folder}/session; echo $$ >>${folder}/session; pwd >${folder}/cwd; ${STAY}`;
  const ran = run(writePlan(folder, { argv: ["/bin/true"], ...NETWORK, parent: [companion(look, { sockets: [2, 1, 1000, 0, 2, 2, 53, 0, 10, 1, 1000, 1] })] }));
  assert.equal(ran.status, 0, ran.stderr);
  const held = readFileSync(`${folder}/fds`, "utf8").trim().split("\n").filter((fd) => fd !== "10"); // dash keeps what it redirects there
  assert.deepEqual(held.toSorted(), ["0", "1", "2", "3", "4", "5", "6"]);
  assert.match(readFileSync(`${folder}/nnp`, "utf8"), /1$/m);
  const [session, pid] = readFileSync(`${folder}/session`, "utf8").split("\n");
  assert.equal(session, pid);
  assert.equal(readFileSync(`${folder}/cwd`, "utf8"), "/\n");
});

test("its sockets are inside, and itself is outside", { skip }, (t) => {
  const folder = makeFolder(t);
  const serve = `require("net").createServer((s) => s.end(require("fs").readlinkSync("/proc/self/ns/net") + "\\n")).listen({ fd: 4 }, () => require("fs").writeSync(3, "r")); process.stdin.resume(); new (require("net").Socket)({ fd: 3 }).on("close", () => process.exit()).resume()`;
  const step: Step = { op: "COMPANION", argv: [process.execPath, "-e", serve], input: "", timeoutMs: 10_000, sockets: new Uint8Array(new Uint16Array([2, 1, 1000, 0]).buffer), endSignal: 0 };
  const up: Step = { op: "RUN_INSIDE", argv: [findIp(), "link", "set", "lo", "up"], input: "", timeoutMs: 5000 };
  const ran = run(writePlan(folder, { argv: [process.execPath, "-e", `require("net").connect(1000, "127.0.0.1").pipe(process.stdout)`], ...NETWORK, parent: [up, step] }));
  assert.equal(ran.stdout.trim(), spawnSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" }).stdout.trim(), ran.stderr);
});

test("a socket that cannot be had fails the sandbox, unless it is optional", { skip }, (t) => {
  const folder = makeFolder(t);
  for (const [optional, status] of [[0, 125], [1, 0]]) {
    const ran = run(writePlan(folder, { argv: ["/bin/true"], ...NETWORK, parent: [companion(STAY, { sockets: [99, 1, 1000, optional as number] })] }));
    assert.equal(ran.status, status, ran.stderr);
  }
  assert.match(run(writePlan(folder, { argv: ["/bin/true"], parent: [{ ...companion(STAY), sockets: new Uint8Array(3) } as Step] })).stderr, /sockets/);
});

test("a killed launcher leaves a companion that undoes and ends", { skip }, async (t) => {
  const folder = makeFolder(t);
  const file = writePlan(folder, { argv: shell("sleep 60"), parent: [companion(`echo $$ >${folder}/pid; ${STAY} echo down >${folder}/down`)] });
  const child = spawn(LAUNCHER, ["--plan", file], { stdio: "ignore" });
  await waitFor(() => existsSync(`${folder}/pid`));
  child.kill("SIGKILL");
  await once(child, "exit");
  await waitFor(() => existsSync(`${folder}/down`));
});

test("a companion that does not end is ended", { skip }, (t) => {
  const folder = makeFolder(t);
  const began = Date.now();
  const ran = run(writePlan(folder, { argv: ["/bin/true"], parent: [companion(`echo $$ >${folder}/pid; printf r >&3; exec sleep 60`)] }));
  assert.equal(ran.status, 0);
  assert.ok(Date.now() - began < 15_000);
  assert.ok(!existsSync(`/proc/${readFileSync(`${folder}/pid`, "utf8").trim()}`));
});

const CALLS = ["memfd_create", "socketpair", "clone", "fcntl", "setsid", "chdir", "prctl", "close_range", "dup3", "openat", "setns", "socket", "bind", "listen", "pidfd_open", "ppoll", "read", "capget", "capset", "execve", "wait4"];

test("whatever call fails, no payload runs without its companion, nothing hangs and nothing is left", { skip: skip || (spawnSync("strace", ["-V"]).error ? "needs strace" : false), timeout: 240_000 }, (t) => {
  const folder = makeFolder(t);
  const look = `grep -q 'NoNewPrivs:.1' /proc/$$/status && test $(cut -d' ' -f6 /proc/$$/stat) = $$ && test -S /proc/$$/fd/4 && echo up >${folder}/up || exit 1; ${STAY} rm ${folder}/up`;
  const up: Step = { op: "RUN_INSIDE", argv: [findIp(), "link", "set", "lo", "up"], input: "", timeoutMs: 5000 };
  const file = writePlan(folder, { argv: shell(`test -e ${folder}/up || echo bare >${folder}/bare`), ...NETWORK, parent: [up, companion(look, { sockets: [2, 1, 1000, 0] })] });
  for (const call of CALLS)
    for (const when of [1, 2, 3]) {
      const what = `${call} ${when}`;
      const ran = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:error=EPERM:when=${when}`, LAUNCHER, "--plan", file], { encoding: "utf8", timeout: 30_000, env: { PATH: process.env["PATH"] ?? "", BRIG_CLI: "/nonexistent" } });
      assert.equal(ran.signal, null, `${what} hangs`);
      assert.ok(!existsSync(`${folder}/bare`), `${what}: the payload ran without a whole companion`);
      spawnSync("rm", ["-f", `${folder}/up`]);
    }
  const left = spawnSync("pgrep", ["-f", folder], { encoding: "utf8" });
  assert.equal(left.stdout, "");
});

function findIp(): string {
  return spawnSync("sh", ["-c", "PATH=$PATH:/sbin:/usr/sbin command -v ip"], { encoding: "utf8" }).stdout.trim();
}
