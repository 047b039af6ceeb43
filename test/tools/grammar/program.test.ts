import assert from "node:assert/strict";
import { test } from "node:test";
import { findProgram, listCandidates } from "../../../src/tools/grammar/program.js";

test("a bare name is looked for in each folder of PATH, in order", () => {
  assert.deepEqual(listCandidates("ls", "/usr/bin:/bin:/usr/bin", "/home/a"), ["/usr/bin/ls", "/bin/ls"]);
});

test("an empty or relative entry of PATH counts from the working folder", () => {
  assert.deepEqual(listCandidates("ls", ":bin", "/home/a"), ["/home/a/ls", "/home/a/bin/ls"]);
  assert.deepEqual(listCandidates("ls", "/", "/"), ["/ls"]);
});

test("without PATH the C library's default is searched", () => {
  assert.deepEqual(listCandidates("ls", undefined, "/"), ["/bin/ls", "/usr/bin/ls"]);
});

test("a name with a slash is itself, and keeps its dots for the kernel to follow", () => {
  assert.deepEqual(listCandidates("./a/../b", "/bin", "/home/a"), ["/home/a/./a/../b"]);
  assert.deepEqual(listCandidates("/bin/ls", "/bin", "/home"), ["/bin/ls"]);
});

test("an empty name is nowhere", () => {
  assert.deepEqual(listCandidates("", "/bin", "/"), []);
});

test("without a command the caller's shell starts as a login shell", () => {
  assert.deepEqual(findProgram([], { SHELL: "/bin/bash" }, "/"), { args: ["-bash"], candidates: ["/bin/bash"] });
  assert.deepEqual(findProgram([], {}, "/"), { args: ["-sh"], candidates: ["/bin/sh"] });
});
