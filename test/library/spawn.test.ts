import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openSandbox } from "./open-sandbox.js";

test("a process is written to and read from while it runs", async (t) => {
  const box = await openSandbox(t);
  const cat = box.spawn("cat");
  cat.stdin?.write("one\n");
  assert.equal(String((await once(cat.stdout!, "data"))[0]), "one\n");
  cat.stdin?.end("two\n");
  assert.equal(String((await once(cat.stdout!, "data"))[0]), "two\n");
  assert.equal((await cat.exit).exitCode, 0);
  assert.ok((cat.pid ?? 0) > 1);
});

test("iterating yields pieces of both outputs in the order that they came", async (t) => {
  const box = await openSandbox(t);
  const pieces: string[] = [];
  for await (const { stream, data } of box.spawn("sh", ["-c", "echo a; sleep 0.1; echo b >&2; sleep 0.1; echo c"])) pieces.push(`${stream} ${Buffer.from(data).toString().trim()}`);
  assert.deepEqual(pieces, ["stdout a", "stderr b", "stdout c"]);
});

test("iterating over a process that cannot be started throws", async (t) => {
  const box = await openSandbox(t);
  const iterate = async (): Promise<void> => { for await (const piece of box.spawn("no-such-program")) assert.fail(String(piece)); };
  await assert.rejects(iterate, { code: "BRIG_NOT_FOUND" });
  await assert.rejects(box.spawn("no-such-program").exit, { code: "BRIG_NOT_FOUND" });
});

test("an iteration that is left lets the process go on", async (t) => {
  const box = await openSandbox(t);
  const process = box.spawn("sh", ["-c", "echo first; head -c 5000000 /dev/zero; exit 4"]);
  for await (const { data } of process) {
    assert.ok(data.length > 0);
    break;
  }
  assert.equal((await process.exit).exitCode, 4);
});

test("web streams carry the same bytes", async (t) => {
  const box = await openSandbox(t);
  const { webStreams, exit } = box.spawn("tr", ["a-z", "A-Z"]);
  const writer = webStreams.stdin!.getWriter();
  await writer.write(Buffer.from("hello"));
  await writer.close();
  assert.equal(await new Response(webStreams.stdout as never).text(), "HELLO");
  await exit;
});

test("100 MB of output for a slow reader take little memory", { timeout: 60_000 }, async (t) => {
  const box = await openSandbox(t);
  const process_ = box.spawn("head", ["-c", "104857600", "/dev/zero"]);
  const before = process.memoryUsage.rss();
  let [size, most] = [0, 0];
  for await (const chunk of process_.stdout!) {
    size += (chunk as Buffer).length;
    if (size % 7 === 0) await wait(1);
    most = Math.max(most, process.memoryUsage.rss());
  }
  assert.equal(size, 104_857_600);
  assert.ok(most - before < 64 << 20, `${(most - before) >> 20} MiB`);
  assert.equal((await process_.exit).exitCode, 0);
});

test("a reader that does not read stops the writer, and the memory", async (t) => {
  const box = await openSandbox(t);
  const yes = box.spawn("yes");
  yes.stdout?.on("readable", () => undefined);
  await wait(300);
  const before = process.memoryUsage.rss();
  await wait(300);
  assert.ok(process.memoryUsage.rss() - before < 16 << 20);
  yes.kill("SIGKILL");
  assert.equal((await yes.exit).signal, "SIGKILL");
});

test("a large input goes in as fast as it is read, and a closed one is EPIPE", async (t) => {
  const box = await openSandbox(t);
  const count = box.spawn("sh", ["-c", "sleep 0.2; wc -c"]);
  count.stdin?.end(Buffer.alloc(3 << 20));
  assert.equal(String((await once(count.stdout!, "data"))[0]).trim(), String(3 << 20));
  const closing = box.spawn("sh", ["-c", "exec 0<&-; sleep 1"]);
  const failed = once(closing.stdin!, "error");
  closing.stdin?.write(Buffer.alloc(1 << 20));
  assert.equal(((await failed)[0] as NodeJS.ErrnoException).code, "EPIPE");
});

test("signals go to the process, and its handler's end is told", async (t) => {
  const box = await openSandbox(t);
  const trap = box.spawn("sh", ["-c", "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.05; done"]);
  await once(trap.stdout!, "data");
  trap.kill();
  assert.equal((await trap.exit).exitCode, 9);
  assert.throws(() => trap.kill("SIGNONE" as never), { code: "BRIG_BAD_VALUE" });
});

test("input that is given with the call is written for it", async (t) => {
  const box = await openSandbox(t);
  const sorted = box.spawn("sort", [], { stdin: { input: ["b\n", "a\n"] } });
  assert.equal(sorted.stdin, undefined);
  assert.equal(String((await once(sorted.stdout!, "data"))[0]), "a\nb\n");
  await sorted.exit;
});
