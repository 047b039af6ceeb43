import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { test } from "node:test";
import { BrigError, ExecError, run } from "../../src/index.js";
import { countProcesses, isRoot, until } from "./open-sandbox.js";

test("a command's output, exit code and time come back", async () => {
  const { durationMs, ...rest } = await run("sh", ["-c", "echo out; echo err >&2; exit 7"]);
  assert.deepEqual(rest, { exitCode: 7, signal: null, timedOut: false, oomKilled: false, stdout: "out\n", stderr: "err\n" });
  assert.ok(durationMs > 0 && durationMs < 5000);
});

test("a signal that ended it is named, and there is no exit code", async () => {
  const { exitCode, signal } = await run("sh", ["-c", "kill -USR1 $$"]);
  assert.deepEqual({ exitCode, signal }, { exitCode: null, signal: "SIGUSR1" });
});

test("arguments, variables and the working folder are exactly what was given", async () => {
  const words = ["a b", "", "*", "$HOME", "ä\n'\""];
  const { stdout } = await run("sh", ["-c", 'printf "%s|" "$@"; printf "%s|%s|%s" "$X" "$PWD" "${LANG-none}"', "sh", ...words], { env: { X: "1=2", LANG: undefined }, cwd: "/tmp" });
  assert.equal(stdout, `${words.join("|")}|1=2|/tmp|none`);
});

test("bytes go through unchanged in both directions", async () => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));
  const { stdout } = await run("cat", [], { input: bytes, encoding: "buffer" });
  assert.deepEqual(Buffer.from(stdout), bytes);
});

test("input comes from text, a node stream, a web stream and a generator", async () => {
  const text = "line\n".repeat(50_000);
  const inputs = [text, Readable.from([text]), Readable.toWeb(Readable.from([Buffer.from(text)])) as ReadableStream<Uint8Array>, (async function* () { yield text; })()];
  for (const input of inputs) assert.equal((await run("wc", ["-l"], { input })).stdout.trim(), "50000");
});

test("a command that does not read its input is no error", async () => {
  assert.equal((await run("true", [], { input: Buffer.alloc(4 << 20) })).exitCode, 0);
});

test("an input that fails ends the command and is what is thrown", async () => {
  const broken = (async function* () { yield "a"; throw new Error("no more"); })();
  await assert.rejects(run("cat", [], { input: broken }), /no more/);
});

test("a program that is not there, and one that is none, are errors with codes", async () => {
  await assert.rejects(run("no-such-program"), (error: BrigError) => error.code === "BRIG_NOT_FOUND" && error.exitCode === 127);
  await assert.rejects(run("/etc/passwd"), (error: BrigError) => error.code === "BRIG_CANNOT_EXECUTE" && error.exitCode === 126 && error.hint !== undefined);
  await assert.rejects(run(""), { code: "BRIG_NOT_FOUND" });
  await assert.rejects(run("true", ["a\0b"]), { code: "BRIG_BAD_TEXT" });
});

test("an unknown option is refused with the nearest known one", async () => {
  await assert.rejects(run("true", [], { wriet: ["/"] } as never), { code: "BRIG_BAD_OPTIONS", message: /write/ });
});

test("check throws the command's end with the tail of its output", async () => {
  const failed = run("sh", ["-c", "echo it is broken >&2; exit 3"], { check: true });
  await assert.rejects(failed, (error: ExecError) => error instanceof ExecError && error instanceof BrigError && error.result.exitCode === 3 && error.message.includes("it is broken"));
  await run("true", [], { check: true });
});

test("output beyond maxBuffer is cut there, said so, and ends the command", async () => {
  const result = await run("yes", [], { maxBuffer: "64KiB" });
  assert.equal(result.truncated, true);
  assert.equal(result.stdout.length, 65_536);
  assert.equal(result.signal, "SIGKILL");
});

test("standard error goes where standard output goes", async () => {
  const { stdout, stderr } = await run("sh", ["-c", "echo 1; echo 2 >&2; echo 3"], { stderr: "stdout" });
  assert.deepEqual([stdout, stderr], ["1\n2\n3\n", ""]);
});

test("a timeout ends everything that the command started", async () => {
  const began = Date.now();
  const result = await run("sh", ["-c", "trap '' TERM; setsid sleep 54321 & (trap '' TERM; sleep 54321) & sleep 54321"], { timeoutMs: "200ms", graceMs: 100 });
  assert.equal(result.timedOut, true);
  assert.ok(Date.now() - began < 5000);
  await until("the sleepers are gone", () => countProcesses("54321") === 0);
});

test("an abort ends everything and is told with its reason", async () => {
  const controller = new AbortController();
  const running = run("sh", ["-c", "setsid sleep 65432 & sleep 65432"], { signal: controller.signal });
  await until("it runs", () => countProcesses("65432") > 1);
  controller.abort("enough");
  await assert.rejects(running, (error: BrigError) => error.name === "AbortError" && error.code === "BRIG_ABORTED" && error.cause === "enough");
  await until("the sleepers are gone", () => countProcesses("65432") === 0);
  await assert.rejects(run("true", [], { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("the memory limit ends the command and is told", { skip: !isRoot && "only root can limit memory here" }, async () => {
  const result = await run("sh", ["-c", "x=a; while :; do x=$x$x; done"], { memory: "32MiB" });
  assert.deepEqual([result.oomKilled, result.signal], [true, "SIGKILL"]);
});

test("a hundred commands at once each get their own output", async () => {
  const results = await Promise.all(Array.from({ length: 100 }, (_, index) => run("echo", [String(index)])));
  assert.deepEqual(results.map(({ stdout }) => stdout.trim()), results.map((_, index) => String(index)));
});

test("a thousand commands one after another leave no descriptor and no memory behind", { timeout: 120_000 }, async () => {
  for (let count = 0; count < 50; count++) await run("true");
  const [descriptors, heap] = [readdirSync("/proc/self/fd").length, process.memoryUsage().rss];
  for (let count = 0; count < 1000; count++) assert.equal((await run("true")).exitCode, 0);
  assert.equal(readdirSync("/proc/self/fd").length, descriptors);
  assert.ok(process.memoryUsage().rss - heap < 60 << 20, `${(process.memoryUsage().rss - heap) >> 20} MiB more`);
});
