import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { RUN } from "../../src/plan/format.js";
import { shell, until } from "./launch.js";
import { ANSWER, REQUEST, ZygoteClient } from "./zygote-client.js";

function open(t: TestContext): ZygoteClient {
  const zygote = new ZygoteClient();
  t.after(() => void zygote.child.kill("SIGKILL"));
  return zygote;
}

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
}

test("A run tells that it is created, started and over, and both its outputs", async (t) => {
  const zygote = open(t);
  const { outcome } = zygote.start({ argv: shell("echo out; echo err >&2; exit 3") });
  const { status, stdout, stderr, types } = await outcome;
  assert.equal(status, 3 << 8);
  assert.equal(stdout.toString(), "out\n");
  assert.equal(stderr.toString(), "err\n");
  assert.equal(types[0], ANSWER.CREATED);
  assert.ok(types.indexOf(ANSWER.STARTED) > 0 && types.indexOf(ANSWER.STARTED) < types.indexOf(ANSWER.EXITED));
  assert.equal(types.at(-1), ANSWER.GONE);
  assert.equal(await zygote.close(), 0);
});

test("A megabyte of input comes back whole through a pipe of two programs", async (t) => {
  const zygote = open(t);
  const input = Buffer.alloc(1 << 20, "0123456789abcdef\n");
  let credit = 65536, sent = 0;
  const feed = (): void => {
    while (credit > 0 && sent < input.length) {
      const size = Math.min(credit, 16384, input.length - sent);
      zygote.send(REQUEST.STDIN, run.id, input.subarray(sent, sent + size));
      credit -= size;
      if ((sent += size) === input.length) zygote.send(REQUEST.STDIN_END, run.id);
    }
  };
  const run = zygote.start({ argv: shell("sleep 0.2; cat | cat") }, {
    onFrame: (type, body) => {
      if (type !== ANSWER.STDIN_CREDITED) return;
      credit += body.readUInt32LE(0);
      feed();
    },
  });
  feed();
  const { stdout, status } = await run.outcome;
  assert.equal(status, 0);
  assert.ok(stdout.equals(input));
});

test("No more output comes than was asked for, and the payload waits", async (t) => {
  const zygote = open(t);
  let got = 0;
  const run = zygote.start({ argv: ["/bin/sh", "-c", "head -c 300000 /dev/zero"] }, {
    credit: 1000,
    onFrame: (type, body) => void (got += type === ANSWER.STDOUT ? body.length : 0),
  });
  await until("the first bytes", () => got >= 1000);
  await new Promise((done) => setTimeout(done, 150));
  assert.equal(got, 1000);
  zygote.credit(run.id, 1, 1);
  await until("one more byte", () => got > 1000);
  assert.equal(got, 1001);
  zygote.credit(run.id, 1, 0xffffffff);
  assert.equal((await run.outcome).stdout.length, 300000);
});

test("Signals reach the payload, and KILL ends what ignores them", async (t) => {
  const zygote = open(t);
  const asked = zygote.start({ argv: shell("trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.05; done") }, {
    onFrame: (type, body) => {
      if (type === ANSWER.STDOUT && body.toString() === "ready\n") zygote.signal(asked.id, 10);
    },
  });
  const { status, stdout } = await asked.outcome;
  assert.equal(stdout.toString(), "ready\ngot\n");
  assert.equal(status, 5 << 8);
  const deaf = zygote.start({ argv: shell("trap '' TERM; echo ready; while :; do sleep 1; done") }, {
    onFrame: (type) => {
      if (type !== ANSWER.STDOUT) return;
      zygote.signal(deaf.id, 15);
      zygote.send(REQUEST.KILL, deaf.id);
    },
  });
  assert.equal((await deaf.outcome).status, 9);
});

test("A plan that is cut, and a program that is missing, are failures and leave nothing", async (t) => {
  const zygote = open(t);
  const cut = await zygote.start(Buffer.from("brigplan and no more")).outcome;
  assert.equal(cut.failed?.operation, "plan");
  assert.equal(cut.status, undefined);
  const missing = await zygote.start({ argv: ["/does/not/exist"] }).outcome;
  assert.equal(missing.failed?.operation, "execve");
  assert.equal(missing.failed?.error, 2);
  assert.equal(missing.types.includes(ANSWER.STARTED), false);
  assert.deepEqual(childrenOf(zygote.child.pid!), []);
});

test("A run that is closed is killed, and its number is free again", async (t) => {
  const zygote = open(t);
  const run = zygote.start({ argv: shell("echo ready; sleep 100") }, {
    onFrame: (type) => {
      if (type === ANSWER.STDOUT) zygote.send(REQUEST.CLOSE, run.id);
    },
  });
  await run.outcome;
  assert.deepEqual(childrenOf(zygote.child.pid!), []);
});

test("A payload that closes its input says so", async (t) => {
  const zygote = open(t);
  let ended = false;
  const run = zygote.start({ argv: shell("exec <&-; echo closed; sleep 0.3") }, {
    onFrame: (type, body) => void (ended ||= type === ANSWER.END && body.readUInt32LE(0) === 0),
  });
  await until("END of stream 0", () => ended);
  assert.equal((await run.outcome).status, 0);
});

test("200 at once and 1,000 one after another leave no process and no descriptor", { timeout: 120_000 }, async (t) => {
  const zygote = open(t);
  await zygote.start({ argv: ["/bin/true"] }).outcome;
  const before = descriptorsOf(zygote.child.pid!);
  const many = Array.from({ length: 200 }, (_, i) => zygote.start({ argv: shell(`echo ${i}; cat; sleep 0.2`) }));
  many.forEach((run) => zygote.send(REQUEST.STDIN_END, run.id));
  for (const [i, run] of many.entries()) assert.equal((await run.outcome).stdout.toString(), `${i}\n`);
  for (let i = 0; i < 1000; i++) assert.equal((await zygote.start({ argv: ["/bin/true"] }).outcome).status, 0);
  assert.equal(descriptorsOf(zygote.child.pid!), before);
  assert.deepEqual(childrenOf(zygote.child.pid!), []);
});

test("Its end is the end of all that it started", async (t) => {
  const zygote = open(t);
  let ready = 0;
  const pids: number[] = [];
  for (let i = 0; i < 5; i++)
    void zygote.start({ argv: shell("echo ready; sleep 100") }, {
      onFrame: (type, body) => {
        if (type === ANSWER.CREATED) pids.push(body.readInt32LE(64));
        if (type === ANSWER.STDOUT) ready++;
      },
    });
  await until("five that run", () => ready === 5);
  assert.equal(await zygote.close(), 0);
  await until("their deaths", () => pids.every((pid) => !isAlive(pid)));
});

test("A zygote that is killed takes its sandboxes along, with and without an init", async (t) => {
  const zygote = open(t);
  const pids: number[] = [];
  let ready = 0;
  for (const flags of [RUN.INIT, 0])
    void zygote.start({ argv: shell("echo ready; sleep 100"), flags }, {
      onFrame: (type, body) => {
        if (type === ANSWER.CREATED) pids.push(body.readInt32LE(64));
        if (type === ANSWER.STDOUT) ready++;
      },
    });
  await until("both run", () => ready === 2);
  zygote.child.kill("SIGKILL");
  await until("their deaths", () => pids.every((pid) => !isAlive(pid)));
});

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
