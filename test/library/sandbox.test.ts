import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BrigError, Brig, Sandbox } from "../../src/index.js";
import { findRunFolder } from "../../src/launch/run-folder.js";
import { countProcesses, isRoot, openSandbox, until } from "./open-sandbox.js";

test("commands of one sandbox share its files and processes", async (t) => {
  const box = await openSandbox(t);
  await box.exec("sh", ["-c", "echo 1 > /tmp/a; sleep 43210 > /dev/null 2>&1 & echo $! > /tmp/pid"]);
  assert.equal((await box.exec("cat", ["/tmp/a"])).stdout, "1\n");
  assert.equal((await box.exec("sh", ["-c", "kill $(cat /tmp/pid)"])).exitCode, 0);
});

test("a joined command has the walls of the safe default", async (t) => {
  const box = await openSandbox(t);
  const { stdout } = await box.exec("cat", ["/proc/self/status"]);
  for (const line of ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"]) assert.ok(stdout.includes(line), `${line} in ${stdout}`);
  const limit = (await box.exec("sh", ["-c", "ulimit -u"])).stdout.trim();
  assert.notEqual(limit, "unlimited");
  assert.notEqual((await box.exec("unshare", ["--user", "true"])).exitCode, 0);
  assert.notEqual((await box.exec("sh", ["-c", "echo x > /etc/brig-test"])).exitCode, 0);
});

test("the process that stands over a joined command cannot be looked into", async (t) => {
  const box = await openSandbox(t);
  const { stdout } = await box.exec("sh", ["-c", "for p in 1 $PPID; do for f in exe root cwd fd/0 mem environ; do cat /proc/$p/$f > /dev/null 2>&1 && echo open $p $f; done; ls -l /proc/$p/fd 2> /dev/null; done; true"]);
  assert.equal(stdout, "");
});

test("a template quotes what stands in it, and lists are several words", async (t) => {
  const box = await openSandbox(t);
  const hostile = "'; echo pwned; $(id) `id` \" \\";
  assert.equal((await box.sh`printf '%s|' ${hostile} ${["a b", "c"]} ${7}`).stdout, `${hostile}|a b|c|7|`);
  assert.equal((await box.sh({ env: { A: "b" } })`echo $A`).stdout, "b\n");
  assert.throws(() => void box.sh`echo ${undefined as never}`, { code: "BRIG_BAD_VALUE" });
});

test("a killed command takes what it left in the background along, and nothing else", async (t) => {
  const box = await openSandbox(t);
  await box.exec("sh", ["-c", "setsid sleep 10101 > /dev/null 2>&1 &"]);
  await until("what is left behind runs", () => countProcesses("10101") === 1);
  const controller = new AbortController();
  const running = box.exec("sh", ["-c", "(setsid sleep 20202 &) ; (trap '' TERM; setsid sh -c 'sleep 20202 & wait' &); sleep 20202"], { signal: controller.signal });
  await until("it runs", () => countProcesses("20202") >= 3);
  controller.abort();
  await assert.rejects(running, { name: "AbortError" });
  await until("its processes are gone", () => countProcesses("20202") === 0);
  assert.equal(countProcesses("10101"), 1);
});

test("a timeout takes a daemon along that ignores SIGTERM", async (t) => {
  const box = await openSandbox(t);
  const result = await box.exec("sh", ["-c", "(trap '' TERM; setsid sleep 30303 > /dev/null 2>&1 &); sleep 30303"], { timeoutMs: 200, graceMs: 100 });
  assert.equal(result.timedOut, true);
  await until("its processes are gone", () => countProcesses("30303") === 0);
});

test("a fork bomb in a command is ended with it", { timeout: 60_000 }, async (t) => {
  const box = await openSandbox(t, { pids: 60 });
  const result = await box.exec("sh", ["-c", "f() { f & f & sleep 40404; }; f > /dev/null 2>&1"], { timeoutMs: 500, graceMs: 100 });
  assert.equal(result.timedOut, true);
  await until("all of it is gone", () => countProcesses("40404") === 0);
  assert.equal((await box.exec("true")).exitCode, 0);
});

test("oomKilled is told of the command that it happened to", { skip: !isRoot && "only root can limit memory here" }, async (t) => {
  const box = await openSandbox(t, { memory: "48MiB" });
  const hungry = await box.exec("sh", ["-c", "x=a; while :; do x=$x$x; done"]);
  assert.equal(hungry.oomKilled, true);
  assert.equal((await box.exec("false")).oomKilled, false);
});

test("a sandbox that is disposed of leaves nothing", async () => {
  let id = "";
  {
    await using box = await Sandbox.create();
    id = box.id;
    await box.exec("sh", ["-c", "setsid sleep 50505 > /dev/null 2>&1 &"]);
    assert.ok(existsSync(`${findRunFolder(process.geteuid?.() ?? 0)}/${id}`));
  }
  assert.equal(countProcesses("50505"), 0);
  await until("its folder is gone", () => !existsSync(`${findRunFolder(process.geteuid?.() ?? 0)}/${id}`));
});

test("an ended sandbox says so", async (t) => {
  const box = await openSandbox(t);
  const ended = assert.rejects(box.exec("sleep", ["100"]), { code: "BRIG_SANDBOX_ENDED" });
  await box.kill();
  await ended;
  await assert.rejects(box.exec("true"), { code: "BRIG_SANDBOX_ENDED" });
  await assert.rejects(box.fs.readFile("/etc/passwd"), { code: "BRIG_SANDBOX_ENDED" });
  assert.equal(box.ended, true);
});

test("a sandbox is found by name and id, listed, and used by who did not make it", async (t) => {
  const name = `brig-test-${process.pid}`;
  const box = await openSandbox(t, { name });
  await box.fs.writeFile("/tmp/mark", "here");
  await using found = await Sandbox.get(name);
  assert.equal(found.id, box.id);
  assert.equal((await found.exec("cat", ["/tmp/mark"])).stdout, "here");
  assert.equal((await Sandbox.list()).find(({ id }) => id === box.id)?.name, name);
  await assert.rejects(Sandbox.get("no-such-sandbox"), { code: "BRIG_NO_SUCH_SANDBOX" });
});

test("a sandbox that cannot be made is an error that names what was asked for", async () => {
  await assert.rejects(Sandbox.create({ read: ["/no/such/path"] }), (error: BrigError) => error.code === "BRIG_NO_SUCH_PATH" && error.message.includes("/no/such/path"));
  await assert.rejects(Sandbox.create({ memory: "lots" }), { code: "BRIG_BAD_OPTIONS" });
  await assert.rejects(Sandbox.create({ signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("200 sandboxes at once", { timeout: 120_000 }, async (t) => {
  const boxes = await Promise.all(Array.from({ length: 200 }, () => Sandbox.create()));
  t.after(() => Promise.all(boxes.map((box) => box.kill())));
  const results = await Promise.all(boxes.map((box) => box.exec("hostname")));
  assert.ok(results.every(({ stdout }) => stdout === "brig\n"));
  assert.equal(new Set(boxes.map(({ id }) => id)).size, 200);
});

test("a killed launcher is an error for what ran, and the next call starts another", async () => {
  using brig = new Brig();
  const running = brig.run("sleep", ["60606"]);
  await until("it runs", () => countProcesses("60606") > 0);
  process.kill(brig.pid as number, "SIGKILL");
  await assert.rejects(running, { code: "BRIG_LAUNCHER_DIED" });
  await until("the sleeper is gone", () => countProcesses("60606") === 0);
  assert.equal((await brig.run("echo", ["again"])).stdout, "again\n");
});

test("a disposed Brig starts nothing more", async () => {
  const brig = new Brig();
  const running = brig.run("sleep", ["70707"]);
  await until("it runs", () => countProcesses("70707") > 0);
  brig.close();
  await assert.rejects(running, BrigError);
  await assert.rejects(brig.run("true"), { code: "BRIG_CLOSED" });
  await until("the sleeper is gone", () => countProcesses("70707") === 0);
});

const library = pathToFileURL(fileURLToPath(new URL("../../src/index.js", import.meta.url))).href;

test("a Node that is killed with SIGKILL leaves nothing", async () => {
  const script = `import { Sandbox, run } from ${JSON.stringify(library)};
    const box = await Sandbox.create(); void box.exec("sleep", ["80808"]); void run("sleep", ["80808"]); console.log(box.id); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [id] = (await once(child.stdout, "data")) as [Buffer];
  await until("both run", () => countProcesses("80808") >= 3);
  child.kill("SIGKILL");
  await until("they are gone", () => countProcesses("80808") === 0);
  const folder = `${findRunFolder(process.geteuid?.() ?? 0)}/${id.toString().trim()}`;
  await until("its folder is gone", () => !existsSync(folder));
  const cgroups = readFileSync("/proc/self/cgroup", "utf8").split("\n").map((line) => line.split(":"));
  for (const [, controller, path] of cgroups) {
    const place = `/sys/fs/cgroup/${controller}${path}`;
    if (controller && existsSync(place)) assert.ok(!readdirSync(place).includes(`brig-${id.toString().trim()}`));
  }
});

test("an open sandbox keeps no process alive that is done", async () => {
  const script = `import { Sandbox, run } from ${JSON.stringify(library)}; await run("true"); const box = await Sandbox.create(); await box.exec("true"); await box.fs.readdir("/");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "inherit", "inherit"] });
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  const [code] = await once(child, "exit");
  clearTimeout(late);
  assert.equal(code, 0);
});
