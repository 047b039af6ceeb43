import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { CAPABILITY_NAMES } from "../../src/host/capabilities.js";
import { findNearest } from "../../src/spec/nearest.js";
import { RLIMIT_NAMES } from "../../src/spec/rlimit-names.js";

function readDefines(t: { skip(reason: string): void }, header: string, shape: RegExp): Map<string, number> | undefined {
  if (!existsSync(header)) return void t.skip(`${header} is missing: linux-libc-dev`);
  return new Map([...readFileSync(header, "utf8").matchAll(shape)].map(([, name = "", number]) => [name, Number(number)]));
}

test("capabilities have the numbers of the kernel's header", (t) => {
  const defines = readDefines(t, "/usr/include/linux/capability.h", /^#define (CAP_\w+)\s+(\d+)$/gm);
  for (const [name, number] of defines ?? []) assert.equal(CAPABILITY_NAMES[number], name);
});

test("the kernel knows no capability beyond the list", () => {
  assert.ok(Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8")) < CAPABILITY_NAMES.length);
});

test("resource limits have the numbers of the kernel's header", (t) => {
  const defines = readDefines(t, "/usr/include/asm-generic/resource.h", /^# ?define (RLIMIT_\w+)\s+(\d+)/gm);
  for (const [name, number] of defines ?? []) assert.equal(RLIMIT_NAMES[number], name);
});

test("the nearest known word is found, and a far one is none", () => {
  const words = ["read", "write", "hide", "timeoutMs", "capAdd"];
  assert.equal(findNearest("raed", words), "read");
  assert.equal(findNearest("wirte", words), "write");
  assert.equal(findNearest("timeoutms", words), "timeoutMs");
  assert.equal(findNearest("capadd", words), "capAdd");
  assert.equal(findNearest("banana", words), undefined);
  assert.equal(findNearest("x".repeat(100_000), words), undefined);
});
