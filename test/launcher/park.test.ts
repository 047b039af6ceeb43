import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { encodeOrders, type Orders } from "../../src/launch/zygote-frames.js";
import { CLONE, RUN } from "../../src/plan/format.js";
import { until } from "./launch.js";
import { ANSWER, REQUEST, ZygoteClient } from "./zygote-client.js";

const ARM = 9;

function open(t: TestContext): ZygoteClient {
  const zygote = new ZygoteClient();
  t.after(() => void zygote.child.kill("SIGKILL"));
  return zygote;
}

function order(argv: string[], rest: Partial<Orders> = {}): Buffer {
  return encodeOrders({ candidates: [argv[0] as string], argv, env: ["PATH=/usr/bin:/bin"], timeoutMs: 0, graceMs: 0, ...rest }) as Buffer;
}

/** ARM's body as it says and as it is. */
function forge(counts: [number, number, number], text: string): Buffer {
  const body = Buffer.alloc(24 + Buffer.byteLength(text));
  counts.forEach((count, at) => body.writeUInt32LE(count, 12 + 4 * at));
  body.write(text, 24);
  return body;
}

const NEVER = { argv: ["/bin/false"] };

test("A parked run executes nothing until it is armed, and then what ARM says", async (t) => {
  const zygote = open(t);
  let pid = 0;
  const { id, outcome } = zygote.start(NEVER, { parked: true, onFrame: (type, body) => void (type === ANSWER.CREATED && (pid = body.readInt32LE(64))) });
  await until("it waits", () => pid > 0 && childrenOf(pid).length === 1);
  const [waiting] = childrenOf(pid) as [string];
  assert.match(readFileSync(`/proc/${waiting}/stat`, "utf8"), /\(brig\)/);
  zygote.send(ARM, id, order(["/bin/sh", "-c", 'echo "$0 $1 $X"; readlink /proc/self/fd/*; exit 3', "zero", "one"], { env: ["X=y", "PATH=/usr/bin:/bin"] }));
  const { status, stdout, types } = await outcome;
  assert.equal(status, 3 << 8);
  assert.equal(types.indexOf(ANSWER.STARTED), -1);
  assert.match(stdout.toString(), /^zero one y\n(pipe:\S+\n){3}(\/proc\/\S+\n)?$/);
  assert.deepEqual(types.slice(-4), [ANSWER.EXITED, ANSWER.END, ANSWER.END, ANSWER.GONE]);
});

test("ARM may come before the run is ready for it, and names are tried in order", async (t) => {
  const zygote = open(t);
  const { id, outcome } = zygote.start(NEVER, { parked: true });
  zygote.send(ARM, id, order(["echo", "said"], { candidates: ["/missing/echo", "/etc/passwd/echo", "/bin/echo"] }));
  assert.equal((await outcome).stdout.toString(), "said\n");
});

test("A program that cannot be executed is told as the exec's failure", async (t) => {
  const zygote = open(t);
  const { id, outcome } = zygote.start(NEVER, { parked: true });
  zygote.send(ARM, id, order(["/missing"]));
  assert.deepEqual((await outcome).failed, { error: 2, operation: "execve", argument: "/missing" });
});

test("Orders against the format are refused, and nothing is executed", async (t) => {
  const zygote = open(t);
  const wrong = [
    forge([1, 1, 0], "/bin/echo\0"), forge([1, 1, 0], "/bin/echo\0echo\0more\0"), forge([1, 1, 1], "/bin/echo\0echo"), forge([0, 0, 0], ""),
    forge([1, 0, 1], "/bin/echo\0X=y\0"), forge([0xffffffff, 0xffffffff, 2], "/bin/echo\0"), forge([1, 0xffffffff, 1], "/bin/echo\0echo\0"),
  ];
  for (const body of wrong) {
    const { id, outcome } = zygote.start(NEVER, { parked: true });
    zygote.send(ARM, id, body);
    const { failed, stdout } = await outcome;
    assert.equal(failed?.operation, "arm", body.toString("latin1"));
    assert.equal(stdout.length, 0);
  }
});

test("Hundreds of arguments come through, and none at all is a program's business", async (t) => {
  const zygote = open(t);
  const many = Array.from({ length: 2500 }, (_, at) => String(at));
  const runs = [zygote.start(NEVER, { parked: true }), zygote.start(NEVER, { parked: true })] as const;
  zygote.send(ARM, runs[0].id, order(["/bin/echo", ...many]));
  zygote.send(ARM, runs[1].id, order(["/usr/bin/env"], { env: [] }));
  assert.equal((await runs[0].outcome).stdout.toString(), `${many.join(" ")}\n`);
  assert.equal((await runs[1].outcome).stdout.toString(), "");
});

test("Its timeout counts from ARM", async (t) => {
  const zygote = open(t);
  const { id, outcome } = zygote.start({ ...NEVER, run: { timeoutMs: 50, graceMs: 50 } }, { parked: true });
  await new Promise((done) => setTimeout(done, 250));
  zygote.send(ARM, id, order(["/bin/sleep", "0.3"], { timeoutMs: 5000, graceMs: 50 }));
  assert.equal((await outcome).status, 0);
  const late = zygote.start(NEVER, { parked: true });
  zygote.send(ARM, late.id, order(["/bin/sleep", "100"], { timeoutMs: 100, graceMs: 1000 }));
  assert.equal((await late.outcome).status, 15);
});

test("One that nobody wants any more ends, by CLOSE, by KILL, and with the zygote", async (t) => {
  const zygote = open(t);
  for (const how of [REQUEST.CLOSE, REQUEST.KILL, undefined]) {
    let pid = 0;
    const { id, outcome } = zygote.start(NEVER, { parked: true, onFrame: (type, body) => void (type === ANSWER.CREATED && (pid = body.readInt32LE(64))) });
    await until("it waits", () => pid > 0 && childrenOf(pid).length === 1);
    if (how === undefined) zygote.child.kill("SIGKILL");
    else zygote.send(how, id);
    if (how !== undefined) assert.equal((await outcome).types.at(-1), ANSWER.GONE);
    await until("it is gone", () => !existsSync(`/proc/${pid}`));
  }
});

test("What cannot be parked is refused: no init, no pid namespace, in place", async (t) => {
  const zygote = open(t);
  const others = [{ flags: 0 }, { cloneFlags: 0 }, { flags: RUN.IN_PLACE, cloneFlags: 0 }, { flags: RUN.INIT | RUN.DETACH }, { init: [{ op: "NO_NEW_PRIVS" as const }], cloneFlags: CLONE.pid }];
  for (const other of others) {
    const { failed } = await zygote.start({ ...NEVER, ...other }, { parked: true }).outcome;
    assert.deepEqual([failed?.operation, failed?.argument], ["plan", "one that cannot be parked"]);
  }
});

test("ARM for a run that does not wait, and one too short, end the zygote", async (t) => {
  for (const [parked, body] of [[false, order(["/bin/true"])], [true, Buffer.alloc(8)]] as const) {
    const zygote = open(t);
    const { id } = zygote.start({ argv: ["/bin/sleep", "100"] }, { parked });
    zygote.send(ARM, id, body);
    assert.equal(await zygote.exited, 2);
  }
});

function childrenOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  } catch {
    return [];
  }
}
