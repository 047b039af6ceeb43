import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { test } from "node:test";
import { describeErrno, nameErrno } from "../../src/error/errno.js";

test("an error number has the words that the C library has for it", (t) => {
  const { status, stdout } = spawnSync("perl", ["-e", 'for (1..140) { $! = $_; print "$!\\n" }'], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  if (status !== 0) return t.skip("perl is not installed");
  const said = stdout.trimEnd().split("\n");
  assert.equal(said.length, 140);
  assert.deepEqual(said.map((_, index) => describeErrno(index + 1)), said);
});

test("every error number of this host has its name", () => {
  const aliases = { EWOULDBLOCK: "EAGAIN", ENOTSUP: "EOPNOTSUPP" } as Record<string, string>;
  for (const [name, number] of Object.entries(constants.errno)) assert.equal(nameErrno(number), aliases[name] ?? name);
});

test("an error of node:fs and a negative number are told as the kernel's number is", () => {
  assert.equal(describeErrno(Object.assign(new Error("x"), { errno: -2 })), "No such file or directory");
  assert.equal(describeErrno(-13), "Permission denied");
  assert.equal(describeErrno(4095), "Unknown error 4095");
});
