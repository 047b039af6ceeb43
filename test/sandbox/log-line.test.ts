import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { fc } from "../fast-check.js";
import { LineSplitter, parseLogLine } from "../../src/sandbox/log-line.js";
import { type LogOptions, readLogs } from "../../src/sandbox/logs.js";
import type { Sandbox } from "../../src/sandbox/sandbox.js";

const line = (second: number, text: string, stream = "stdout", kind = "F"): string =>
  `2026-01-02T03:04:${String(second).padStart(2, "0")}.123456789Z ${stream} ${kind} ${text}\n`;

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync("/tmp/brig-log-test-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function readTexts(folder: string, options: LogOptions = {}): Promise<string[]> {
  const texts: string[] = [];
  // its "supervisor" is a process that never was: following ends when all is read
  const ended = { folder, runFolder: "/nonexistent", id: "x", supervisor: { pid: 2 ** 22 + 1, start: "1" } } as Sandbox;
  for await (const { text } of readLogs(ended, options)) texts.push(text.toString());
  return texts;
}

test("a line of the log is its time, stream, wholeness and raw bytes, and what is none is passed over", () => {
  const parsed = parseLogLine(Buffer.concat([Buffer.from(line(5, "a b").trimEnd()), Buffer.from([0xff, 0])]));
  assert.deepEqual([parsed?.time, parsed?.stream, parsed?.whole, [...parsed!.text]], ["2026-01-02T03:04:05.123456789Z", "stdout", true, [97, 32, 98, 255, 0]]);
  assert.equal(parseLogLine(Buffer.from(line(5, "", "stderr", "P").slice(0, -1)))?.whole, false);
  for (const bad of ["", "2026", line(5, "x", "stdin"), line(5, "x", "stdout", "X")]) assert.equal(parseLogLine(Buffer.from(bad)), undefined, bad);
});

test("lines come out whole however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string().filter((text) => !text.includes("\n"))), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const splitter = new LineSplitter();
      const found: string[] = [];
      for (let from = 0, cut = 0; from < bytes.length; cut++) {
        const size = cuts[cut % cuts.length]!;
        found.push(...splitter.push(bytes.subarray(from, from + size)).map(String));
        from += size;
      }
      assert.deepEqual(found, lines.map((text) => Buffer.from(text).toString()));
    }),
  );
});

test("the rotated file comes first, and pieces of a long line count as one", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(`${folder}/log.1`, line(1, "one") + line(2, "two"));
  writeFileSync(`${folder}/log`, line(3, "thr", "stdout", "P") + line(3, "ee"));
  assert.deepEqual(await readTexts(folder), ["one", "two", "thr", "ee"]);
  assert.deepEqual(await readTexts(folder, { tail: 1 }), ["thr", "ee"]);
  assert.deepEqual(await readTexts(folder, { tail: 2 }), ["two", "thr", "ee"]);
  assert.deepEqual(await readTexts(folder, { sinceMs: Date.parse("2026-01-02T03:04:02Z"), untilMs: Date.parse("2026-01-02T03:04:03Z") }), ["two"]);
  assert.deepEqual(await readTexts(folder, { follow: true }), ["one", "two", "thr", "ee"]);
});

test("a log that is rotated while it is followed loses and doubles no line", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(`${folder}/log`, line(1, "0"));
  const running = { folder, runFolder: "/nonexistent", id: "x", supervisor: { pid: process.pid, start: "" } } as Sandbox;
  const { readProcess } = await import("../../src/sandbox/process.js");
  running.supervisor!.start = readProcess(process.pid)!.start;
  const stop = new AbortController();
  const texts: string[] = [];
  const writing = (async () => {
    for (let n = 1; n <= 20; n++) {
      appendFileSync(`${folder}/log`, line(2, String(n)));
      if (n % 4 === 0) {
        await new Promise((done) => setTimeout(done, 120)); // the monitor's logs are large: a follower is never two behind
        renameSync(`${folder}/log`, `${folder}/log.1`);
        writeFileSync(`${folder}/log`, "");
      }
    }
    await new Promise((done) => setTimeout(done, 200));
    stop.abort();
  })();
  for await (const { text } of readLogs(running, { follow: true, signal: stop.signal })) texts.push(text.toString());
  await writing;
  assert.deepEqual(texts, Array.from({ length: 21 }, (_, n) => String(n)));
});

test("a sandbox without a log says so", async (t) => {
  await assert.rejects(readTexts(makeFolder(t)), { code: "BRIG_NO_LOG" });
});
