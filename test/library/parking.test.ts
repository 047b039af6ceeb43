import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Brig, type BrigError, type RunOptions as AnyRunOptions } from "../../src/index.js";
import { countProcesses, isRoot, makeFolder, until } from "./open-sandbox.js";

type RunOptions = AnyRunOptions & { encoding?: "utf8" };

const LIBRARY = fileURLToPath(new URL("../../src/index.js", import.meta.url));

function openBrig(t: TestContext, options: { prewarm?: boolean } = {}): Brig {
  const brig = new Brig(options);
  t.after(() => brig.close());
  return brig;
}

/** The supervisors of a launcher: one for each sandbox. */
function listSandboxes(launcher: number | undefined): string[] {
  return readFileSync(`/proc/${launcher}/task/${launcher}/children`, "utf8").split(" ").filter(Boolean);
}

/** Runs once, and waits until the next sandbox is there. */
async function warm(brig: Brig, options: RunOptions = {}): Promise<string> {
  await brig.run("true", [], options);
  return await waitForOne(brig);
}

async function waitForOne(brig: Brig): Promise<string> {
  await until("one sandbox waits", () => listSandboxes(brig.pid).length === 1 && findWaiting(listSandboxes(brig.pid)[0] as string));
  return listSandboxes(brig.pid)[0] as string;
}

/** Whether the sandbox's init has a child, which waits to execute. */
function findWaiting(supervisor: string): boolean {
  try {
    const init = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, "utf8").trim();
    return init !== "" && readFileSync(`/proc/${init}/task/${init}/children`, "utf8").trim() !== "";
  } catch {
    return false;
  }
}

const sleep = async (ms: number): Promise<void> => await new Promise((done) => void setTimeout(done, ms));

test("behind a run the next sandbox waits, and the next run is in that very one, once", async (t) => {
  const brig = openBrig(t);
  const waiting = await warm(brig);
  const running = brig.run("sh", ["-c", "sleep 0.3; touch /tmp/mine"]);
  await sleep(100);
  assert.deepEqual(listSandboxes(brig.pid), [waiting]);
  await running;
  assert.notEqual(await waitForOne(brig), waiting);
  assert.equal((await brig.run("test", ["-e", "/tmp/mine"])).exitCode, 1);
});

test("what is asked for beforehand waits too", async (t) => {
  const brig = openBrig(t);
  await brig.prewarm({ hostname: "ahead" });
  const waiting = await waitForOne(brig);
  const running = brig.run("sh", ["-c", "sleep 0.3; uname -n"], { hostname: "ahead" });
  await sleep(100);
  assert.deepEqual(listSandboxes(brig.pid), [waiting]);
  assert.equal((await running).stdout, "ahead\n");
});

test("a command in a sandbox that waited ends as in one that did not", async (t) => {
  const commands: [string, string[], RunOptions?][] = [
    ["sh", ["-c", "echo out; echo err >&2; exit 7"]],
    ["sh", ["-c", "kill -USR1 $$"]],
    ["sh", ["-c", "grep -v -e ctxt -e Pid -e VmHWM -e 'Vm\\|Rss\\|Hugetlb\\|Cpus\\|Mems' /proc/self/status; cat /proc/self/mountinfo | cut -d' ' -f4-; ls /proc/self/fd; ulimit -a; umask; id; pwd; env | sort"]],
    ["sh", ["-c", "ls -l /proc/self/fd | wc -l; cat /proc/self/limits /proc/self/oom_score_adj; cat /proc/1/cmdline | tr '\\0' ' '"]],
    ["cat", [], { input: "x".repeat(100_000) }],
  ];
  for (const [file, args, options] of commands) {
    const brig = openBrig(t);
    const cold = await brig.run(file, args, { ...options, prewarm: false });
    await warm(brig, options?.input === undefined ? {} : { input: "" });
    const warmed = await brig.run(file, args, options);
    assert.deepEqual({ ...warmed, stdout: hideNumbers(warmed.stdout), durationMs: 0 }, { ...cold, stdout: hideNumbers(cold.stdout), durationMs: 0 });
  }
});

/** Devices of file systems, which are each sandbox's own. */
function hideNumbers(text: string): string {
  return text.replace(/\b(master|shared):\d+/g, "$1:N").replace(/brig-[0-9a-f]{12}/g, "brig-ID");
}

test("arguments of any bytes, many and long ones come through", async (t) => {
  const brig = openBrig(t);
  const lists = [["", " ", "\n", "%i", "%p", "ä", "\u0001\u007f"], Array.from({ length: 3000 }, (_, at) => String(at)), ["x".repeat(15_000)], ["y".repeat(100_000)]];
  for (const words of lists) {
    await warm(brig);
    const { stdout } = await brig.run("sh", ["-c", 'printf "%s|" "$@"', "sh", ...words]);
    assert.equal(stdout, words.map((word) => `${word}|`).join(""));
  }
  await assert.rejects(brig.run("true", ["a\0b"]), { code: "BRIG_BAD_TEXT" });
});

test("the environment is the one of the run, however large, and of no run before", async (t) => {
  const brig = openBrig(t);
  await warm(brig, { env: { LEFT: "behind" } });
  const large = "v".repeat(90_000);
  const { stdout } = await brig.run("sh", ["-c", 'echo "${LEFT-none} $X ${#LARGE}"'], { env: { X: "1", LARGE: large } });
  assert.equal(stdout, "none 1 90000\n");
  await warm(brig);
  assert.equal((await brig.run("sh", ["-c", 'echo "${LEFT-none} $X"'], { env: { X: "2" } })).stdout, "none 2\n");
});

test("a program that is not there is an error with its code", async (t) => {
  const brig = openBrig(t);
  await warm(brig);
  await assert.rejects(brig.run("no-such-program"), (error: BrigError) => error.code === "BRIG_NOT_FOUND" && error.exitCode === 127);
  await warm(brig);
  await assert.rejects(brig.run("/etc/passwd"), { code: "BRIG_CANNOT_EXECUTE" });
});

test("other options have another sandbox", async (t) => {
  const brig = openBrig(t);
  const folder = makeFolder(t);
  const waiting = await warm(brig);
  const running = brig.run("sh", ["-c", `sleep 0.2; echo x > ${folder}/file`], { write: [folder] });
  await sleep(80);
  assert.ok(listSandboxes(brig.pid).includes(waiting) && listSandboxes(brig.pid).length === 2);
  assert.equal((await running).exitCode, 0);
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "x\n");
  assert.notEqual((await brig.run("sh", ["-c", `echo x > ${folder}/other`])).exitCode, 0);
  assert.ok(!existsSync(join(folder, "other")));
});

test("the working folder is that of the moment of the run", async (t) => {
  const brig = openBrig(t);
  const [before, folder] = [process.cwd(), makeFolder(t)];
  t.after(() => process.chdir(before));
  await warm(brig);
  process.chdir(folder);
  assert.equal((await brig.run("pwd")).stdout, `${folder}\n`);
  await waitForOne(brig).catch(() => undefined);
  assert.equal((await brig.run("pwd", [], { cwd: "/usr" })).stdout, "/usr\n");
});

test("a folder that was replaced meanwhile is seen as it is now", async (t) => {
  const brig = openBrig(t);
  const folder = join(makeFolder(t), "data");
  const put = (text: string): void => {
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), text);
  };
  put("old");
  await warm(brig, { read: [folder] });
  writeFileSync(join(folder, "file"), "new");
  assert.equal((await brig.run("cat", [join(folder, "file")], { read: [folder] })).stdout, "new");
  await warm(brig, { read: [folder] });
  renameSync(folder, `${folder}.old`);
  put("other");
  assert.equal((await brig.run("cat", [join(folder, "file")], { read: [folder] })).stdout, "other");
});

test("the timeout begins with the run", async (t) => {
  const brig = openBrig(t);
  await warm(brig);
  await sleep(800);
  const { timedOut, durationMs } = await brig.run("sleep", ["0.2"], { timeoutMs: 600 });
  assert.equal(timedOut, false);
  assert.ok(durationMs > 190 && durationMs < 600, String(durationMs));
  await warm(brig);
  const late = await brig.run("sh", ["-c", "trap '' TERM; setsid sleep 43218 & sleep 43218"], { timeoutMs: 150, graceMs: 100 });
  assert.equal(late.timedOut, true);
  await until("the sleepers are gone", () => countProcesses("43218") === 0);
});

test("an abort ends what had waited, and a close what waits", async (t) => {
  const brig = openBrig(t);
  await warm(brig);
  const controller = new AbortController();
  const running = brig.run("sleep", ["32187"], { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(running, { code: "BRIG_ABORTED" });
  await until("the sleeper is gone", () => countProcesses("32187") === 0);
  const waiting = await warm(brig);
  brig.close();
  await until("what waited is gone", () => !existsSync(`/proc/${waiting}`));
});

test("when a run is over nothing that it left behind is alive", async (t) => {
  const brig = openBrig(t);
  const folder = makeFolder(t);
  for (let count = 0; count < 10; count++) {
    const { exitCode } = await brig.run("sh", ["-c", `(while :; do echo x >> ${folder}/file; done) >/dev/null 2>&1 & setsid sleep 21876 >/dev/null 2>&1 & sleep 0.02`], { write: [folder] });
    assert.equal(exitCode, 0);
    const size = readFileSync(join(folder, "file")).length;
    assert.equal(countProcesses("21876"), 0);
    assert.equal(readFileSync(join(folder, "file")).length, size);
  }
});

test("one that nobody comes for is thrown away, and there are never more than four", async (t) => {
  const brig = openBrig(t);
  for (let count = 0; count < 6; count++) await brig.prewarm({ hostname: `box${count}` });
  await sleep(300);
  assert.equal(listSandboxes(brig.pid).length, 4);
  await until("none waits any more", () => listSandboxes(brig.pid).length === 0);
});

test("without prewarm none is made ahead, nor taken", async (t) => {
  const brig = openBrig(t, { prewarm: false });
  await brig.run("true");
  await sleep(100);
  assert.deepEqual(listSandboxes(brig.pid), []);
  const waiting = await warm(brig, { prewarm: true });
  const running = brig.run("sleep", ["0.2"]);
  await sleep(80);
  assert.ok(listSandboxes(brig.pid).includes(waiting) && listSandboxes(brig.pid).length === 2);
  await running;
});

test("one that has a name is not made ahead", async (t) => {
  const brig = openBrig(t);
  await brig.run("true", [], { name: "brig-test-not-ahead" });
  await sleep(150);
  assert.deepEqual(listSandboxes(brig.pid), []);
});

test("a program does not stay for what waits", async () => {
  const script = `import { run } from ${JSON.stringify(LIBRARY)}; await run("true"); await new Promise((done) => setTimeout(done, 200)); console.log("done");`;
  const began = Date.now();
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  assert.equal(stdout, "done\n");
  assert.ok(Date.now() - began < 1900, `${Date.now() - began} ms`);
});

test("killed while one waits, a program leaves nothing", async (t) => {
  const script = `import { Brig } from ${JSON.stringify(LIBRARY)}; const brig = new Brig(); await brig.run("true"); await brig.prewarm(${isRoot ? "{ memory: \"64MiB\" }" : "{}"}); setTimeout(() => console.log(brig.pid), 200); setInterval(() => {}, 1000);`;
  for (const victim of ["node", "launcher"]) {
    const before = listCgroups();
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => void child.kill("SIGKILL"));
    const launcher = Number(await new Promise<Buffer>((done) => void child.stdout.once("data", done)));
    const family = listFamily(launcher);
    assert.ok(family.length >= 4, String(family.length));
    process.kill(victim === "node" ? (child.pid as number) : launcher, "SIGKILL");
    await until("every process is gone", () => family.every((pid) => !existsSync(`/proc/${pid}`)));
    await until("every cgroup is gone", () => listCgroups().every((path) => before.includes(path)));
    child.kill("SIGKILL");
  }
});

/** A process and what descends from it. */
function listFamily(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(listFamily)];
}

function listCgroups(): string[] {
  const below = (folder: string, depth: number): string[] =>
    readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) => {
      const path = join(folder, name);
      return /^brig-[0-9a-f]{12}$/.test(name) ? [path] : depth > 0 ? below(path, depth - 1) : [];
    });
  try {
    return below("/sys/fs/cgroup", 3);
  } catch {
    return [];
  }
}
