import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { RUN } from "../../src/plan/format.js";
import type { RunParameters } from "../../src/plan/plan.js";
import { exitOf, LAUNCHER, makeFolder, shell, until, untilSaid, writePlan } from "./launch.js";

const DETACHED = RUN.INIT | RUN.DETACH | RUN.PRINT_ID | RUN.KEEP_STATE;

interface Box {
  folder: string;
  read(file: string): string;
  ended(): Promise<string>;
}

/** Starts it detached under the id "box". */
function detach(t: TestContext, script: string, run: Partial<RunParameters> = {}, flags = DETACHED): Box & { ran: ReturnType<typeof spawnSync> } {
  const base = makeFolder(t);
  const folder = join(base, "box");
  const plan = writePlan(base, { argv: shell(script), flags, run: { id: "box", log: "log", ...run }, host: [{ op: "STATE", folder: base, config: "{}" }] });
  const ran = spawnSync(LAUNCHER, ["--plan", plan], { encoding: "utf8", timeout: 10_000 });
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  const ended = async (): Promise<string> => {
    await until("its end", () => existsSync(join(folder, "exit")));
    return read("exit");
  };
  return { folder, read, ended, ran };
}

test("A detached sandbox prints its id, and leaves its log and its end", async (t) => {
  const box = detach(t, "echo out; echo err >&2; printf 'no line break'; exit 9");
  assert.equal(box.ran.status, 0);
  assert.equal(box.ran.stdout, "box\n");
  assert.match(await box.ended(), /^2304 0 0 /);
  const lines = box.read("log").trimEnd().split("\n");
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) [FP] /);
  assert.deepEqual(lines.map((line) => line.slice(31)).sort(), ["stderr F err", "stdout F no line break", "stdout F out"]);
  assert.ok(Math.abs(Date.parse(lines[0]!.slice(0, 23) + "Z") - Date.now()) < 60_000);
});

test("A sandbox that can't start is a failure of the command, and leaves no folder", (t) => {
  const base = makeFolder(t);
  const plan = writePlan(base, { argv: ["/does/not/exist"], flags: DETACHED, run: { id: "box" }, host: [{ op: "STATE", folder: base, config: "{}" }] });
  assert.equal(spawnSync(LAUNCHER, ["--plan", plan], { timeout: 10_000 }).status, 127);
  assert.equal(existsSync(join(base, "box")), false);
});

test("Lines beyond 16 KiB are logged in parts that make the whole again", async (t) => {
  const box = detach(t, "head -c 40000 /dev/zero | tr '\\0' x; echo; echo after");
  await box.ended();
  const lines = box.read("log").trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.slice(31, 40)), ["stdout P ", "stdout P ", "stdout F ", "stdout F "]);
  assert.equal(lines.slice(0, 3).map((line) => line.slice(40)).join(""), "x".repeat(40000));
});

test("A log that grows beyond its size goes on in a new file", async (t) => {
  const box = detach(t, "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done", { logMaxBytes: 10_000 });
  await box.ended();
  assert.ok(statSync(join(box.folder, "log.1")).size <= 20_000);
  assert.match(box.read("log"), /line 399\n$/);
});

test("Who attaches sees the output, types the input and gets the exit status", async (t) => {
  const box = detach(t, "read line; echo got $line; echo bad >&2; exit 6", {}, DETACHED | RUN.OPEN_STDIN);
  const client = spawn(LAUNCHER, ["--attach", join(box.folder, "attach")], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => void client.kill("SIGKILL"));
  const said = untilSaid(client.stdout!, "got hello");
  client.stdin!.write("hello\n");
  await said;
  assert.equal(await exitOf(client), 6);
  assert.match(await box.ended(), /^1536 /);
});

test("A client that reads nothing does not keep the payload from its end", async (t) => {
  const box = detach(t, "sleep 0.3; head -c 3000000 /dev/zero | tr '\\0' x; exit 2");
  const deaf = spawn(LAUNCHER, ["--attach", join(box.folder, "attach")], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => void deaf.kill("SIGKILL"));
  deaf.stdout!.pause();
  assert.match(await box.ended(), /^512 /);
});

test("The monitor outlives whoever started it, and its death is the sandbox's", async (t) => {
  const box = detach(t, "echo ready; exec sleep 300");
  await until("it runs", () => box.read("log").includes("ready"));
  const [payload, , monitor] = box.read("process").trim().split(" ").map(Number);
  process.kill(monitor!, "SIGKILL");
  await until("the death of its first process", () => !existsSync(`/proc/${payload}`));
});

test("Another user is not let in, even where the folders are open", { skip: process.getuid?.() !== 0 && "needs root" }, async (t) => {
  const base = makeFolder(t);
  chmodSync(base, 0o755);
  const state = join(base, "run");
  mkdirSync(state);
  const plan = writePlan(base, { argv: shell("echo secret; sleep 300"), flags: DETACHED, run: { id: "box", log: "log" }, host: [{ op: "STATE", folder: state, config: "{}" }] });
  assert.equal(spawnSync(LAUNCHER, ["--plan", plan]).status, 0);
  const box = join(state, "box");
  for (const path of [state, box]) chmodSync(path, 0o777);
  chmodSync(join(box, "attach"), 0o777);
  const guest = spawnSync(LAUNCHER, ["--attach", join(box, "attach")], { uid: 65534, gid: 65534, encoding: "utf8", timeout: 5000 });
  assert.equal(guest.status, 125);
  assert.equal(guest.stdout, "");
});
