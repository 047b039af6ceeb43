import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { RUN } from "../../src/plan/format.js";
import { exitOf, LAUNCHER, launch, makeFolder, shell, start, until, untilSaid, writePlan } from "./launch.js";

const ways = [
  { name: "with an init", flags: RUN.INIT },
  { name: "without an init", flags: 0 },
];

/** Processes of the host whose command line holds the word. */
function findProcesses(word: string): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

for (const { name, flags } of ways) {
  test(`The payload's exit status is the launcher's, ${name}`, (t) => {
    assert.equal(launch(t, { argv: shell("exit 7"), flags }).status, 7);
  });

  test(`A missing program is 127 and one that is no program 126, ${name}`, (t) => {
    assert.equal(launch(t, { argv: ["/does/not/exist"], flags }).status, 127);
    assert.equal(launch(t, { argv: ["/etc/passwd"], flags }).status, 126);
  });

  test(`The launcher's death by SIGKILL is the payload's, ${name}`, async (t) => {
    const word = `300.${process.pid}${flags}`;
    const child = start(t, { argv: shell(`echo ready; exec sleep ${word}`), flags });
    await untilSaid(child.stdout!, "ready");
    await until("the payload runs", () => findProcesses(word).length === 1);
    child.kill("SIGKILL");
    await until("the payload's death", () => findProcesses(word).length === 0);
  });

  test(`SIGTERM is passed on to the payload, ${name}`, async (t) => {
    const child = start(t, { argv: shell("trap 'echo asked; exit 6' TERM; echo ready; while :; do sleep 0.02; done"), flags });
    await untilSaid(child.stdout!, "ready");
    const said = untilSaid(child.stdout!, "asked");
    child.kill("SIGTERM");
    await said;
    assert.equal(await exitOf(child), 6);
  });

  test(`The end of the time is asked for and told as timeout(1) does, ${name}`, (t) => {
    assert.equal(launch(t, { argv: shell("trap 'exit 0' TERM; while :; do sleep 0.02; done"), flags, run: { timeoutMs: 100, graceMs: 5000 } }).status, 124);
    assert.equal(launch(t, { argv: shell("trap '' TERM; while :; do sleep 0.02; done"), flags, run: { timeoutMs: 100, graceMs: 100 } }).status, 137);
  });
}

test("A payload that dies of a signal is 128 and its number, as a shell says it", (t) => {
  assert.equal(launch(t, { argv: shell("kill -SEGV $$") }).status, 139);
});

test("Init reaps what is left to it and its end is everything's", (t) => {
  const word = `301.${process.pid}`;
  const { status, stdout } = launch(t, { argv: shell(`(sleep ${word} &); (true &); sleep 0.1; ls -d /proc/[0-9]* | wc -l; exit 4`) });
  assert.equal(status, 4);
  assert.ok(Number(stdout) > 0);
  assert.deepEqual(findProcesses(word), []);
});

test("Without a pid namespace too nothing is left of a sandbox", (t) => {
  for (const flags of [RUN.INIT, 0]) {
    const word = `302.${process.pid}${flags}`;
    assert.equal(launch(t, { argv: shell(`setsid sleep ${word} >/dev/null 2>&1 & exit 4`), flags, cloneFlags: 0 }).status, 4);
    assert.deepEqual(findProcesses(word), []);
  }
});

test("A process that takes the first one's place is supervised in its place", (t) => {
  const { status, stdout } = launch(t, { argv: shell("echo $$; exit 9"), flags: 0, cloneFlags: 0, child: [{ op: "UNSHARE", flags: 0x20000000 }, { op: "FORK" }] });
  assert.equal(stdout, "1\n");
  assert.equal(status, 9);
});

test("The payload holds no descriptor but its three, and init nothing but sockets and its signals", async (t) => {
  const folder = makeFolder(t);
  const host = [{ op: "STATE", folder, config: "{}" } as const, { op: "OPEN", slot: 3, path: "/etc", flags: 0 } as const];
  const child = start(t, { argv: shell("ls /proc/self/fd; sleep 5"), run: { id: "held" }, host });
  assert.equal((await untilSaid(child.stdout!, "3\n")).trim().split("\n").join(" "), "0 1 2 3"); // 3 is what ls itself opened
  const init = Number(readFileSync(join(folder, "held", "process"), "utf8").split(" ")[0]);
  const listOthers = (): string[] => readdirSync(`/proc/${init}/fd`).map((fd) => readlinkSync(`/proc/${init}/fd/${fd}`)).filter((target) => !/^(socket|anon_inode):/.test(target));
  // the payload's start may be a moment ahead of init's own tidying up
  await until("init holds nothing else", () => listOthers().length === 0);
});

test("A signal that the caller ignores is not passed on", async (t) => {
  const file = writePlan(makeFolder(t), { argv: shell("echo ready; sleep 0.4; echo through") });
  const child = spawn("/bin/sh", ["-c", `trap '' HUP; exec ${LAUNCHER} --plan ${file}`], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => void child.kill("SIGKILL"));
  await untilSaid(child.stdout!, "ready");
  const said = untilSaid(child.stdout!, "through");
  child.kill("SIGHUP");
  await said;
  assert.equal(await exitOf(child), 0);
});

test("With die-with-parent, the payload dies when the launcher's parent does", async (t) => {
  const word = `303.${process.pid}`;
  const file = writePlan(makeFolder(t), { argv: shell(`echo ready; exec sleep ${word}`), flags: RUN.INIT | RUN.DIE_WITH_PARENT });
  const parent = spawn("/bin/sh", ["-c", `${LAUNCHER} --plan ${file}; true`], { stdio: ["ignore", "pipe", "inherit"] });
  await untilSaid(parent.stdout!, "ready");
  await until("the payload runs", () => findProcesses(word).length === 1);
  parent.kill("SIGKILL");
  await until("the payload's death", () => findProcesses(word).length === 0);
});

test("What writes into a payload that has closed its input is told so while the payload runs", async (t) => {
  const child = start(t, { argv: shell("exec <&-; echo closed; sleep 5") });
  await untilSaid(child.stdout!, "closed");
  const error = new Promise<NodeJS.ErrnoException>((done) => child.stdin!.once("error", done));
  child.stdin!.write("x".repeat(1 << 20));
  assert.equal((await error).code, "EPIPE");
});

test("Records tell creation, start and end on the status descriptor", (t) => {
  const folder = makeFolder(t);
  const file = writePlan(folder, { argv: shell("head -c 1000 /dev/zero >/dev/null; exit 3") });
  const ran = spawnSync(LAUNCHER, ["--plan", file, "--status", "3"], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const status = ran.output[3] as unknown as Buffer;
  const types: number[] = [];
  for (let at = 0; at < status.length; at += 8 + status.readUInt32LE(at + 4)) types.push(status.readUInt32LE(at));
  assert.deepEqual(types, [1, 2, 3]);
  assert.equal(status.readInt32LE(status.length - 48), 3 << 8);
  assert.ok(status.readBigUInt64LE(status.length - 32) > 0n, "some microseconds passed");
});

test("A state folder that is kept holds how it ended, and one that is not is gone", (t) => {
  const folder = makeFolder(t);
  const host = [{ op: "STATE", folder, config: "{}" } as const];
  assert.equal(launch(t, { argv: shell("exit 5"), flags: RUN.INIT | RUN.KEEP_STATE, run: { id: "kept" }, host }).status, 5);
  assert.match(readFileSync(join(folder, "kept", "exit"), "utf8"), /^1280 0 0 \d+ \d+ \d+ \d+\n$/);
  assert.equal(launch(t, { argv: shell("exit 5"), run: { id: "dropped" }, host }).status, 5);
  assert.equal(existsSync(join(folder, "dropped")), false);
});

test("A sandbox without a payload stays until it is asked to end", async (t) => {
  const folder = makeFolder(t);
  const host = [{ op: "STATE", folder, config: "{}" } as const];
  const child = start(t, { argv: ["/bin/true"], flags: RUN.INIT | RUN.NO_PAYLOAD, run: { id: "idle" }, host });
  await until("it is there", () => existsSync(join(folder, "idle", "process")));
  await new Promise((done) => setTimeout(done, 100));
  child.kill("SIGTERM");
  assert.equal(await exitOf(child), 0);
  assert.equal(existsSync(join(folder, "idle")), false);
});
