import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFailure } from "../../src/launch/describe-failure.js";
import { OPERATIONS } from "../../src/plan/operations.js";

const NOTE = {
  pointers: ["/mounts/3", "/process/args"], steps: [-1, 0, 1],
  origins: { "/mounts/3": { kind: "flag" as const, text: "--read /srv" } },
};

test("a failed bind says what, who asked, why and what to do", () => {
  const error = describeFailure(NOTE, { step: 1, op: OPERATIONS.BIND.number, errno: 2, operation: "open", argument: "/srv" });
  assert.equal(error.message, "cannot bind /srv (asked for by --read /srv): No such file or directory");
  assert.match(error.hint ?? "", /must exist/);
  assert.equal(error.origin, "--read /srv");
  assert.equal(error.exitCode, 125);
});

test("a program that is not found is 127, one that cannot be executed 126, as in a shell", () => {
  const exec = (errno: number): number => describeFailure(NOTE, { step: 2, op: OPERATIONS.EXEC.number, errno, operation: "execve", argument: "x" }).exitCode;
  assert.deepEqual([2, 20, 13, 8].map(exec), [127, 127, 126, 126]);
});

test("a failure outside of any step is told by its call", () => {
  const error = describeFailure(NOTE, { step: 0xffffffff, op: 0, errno: 28, operation: "clone3", argument: "" });
  assert.equal(error.message, "cannot start the sandbox (clone3): No space left on device");
  assert.match(error.hint ?? "", /sysctl/);
});

test("a name with control characters is shown and not sent to the terminal", () => {
  const error = describeFailure({}, { step: 0, op: OPERATIONS.CWD.number, errno: 2, operation: "chdir", argument: "/\u001b[2J" });
  assert.equal(error.message, 'cannot change to the folder "/\\u001b[2J": No such file or directory');
});

test("a tool's own words and exit statuses are used where brig stands for it", () => {
  const voice = { prefix: "chroot: ", exitCode: 125, sayings: { "/annotations/dev.brig.chroot": "cannot change root directory to 'x'" }, exec: { saying: "failed to run command 'y'", notFound: 127, other: 126 } };
  const note = { voice, pointers: ["/annotations/dev.brig.chroot"], steps: [0] };
  const root = describeFailure(note, { step: 0, op: OPERATIONS.CHROOT.number, errno: 2, operation: "chroot", argument: "x" });
  assert.equal(root.message, "chroot: cannot change root directory to 'x': No such file or directory");
  const exec = describeFailure(note, { step: 5, op: OPERATIONS.EXEC.number, errno: 2, operation: "execve", argument: "y" });
  assert.equal(exec.message, "chroot: failed to run command 'y': No such file or directory");
  assert.equal(exec.exitCode, 127);
});

test("every operation has words of its own", () => {
  for (const [name, { number }] of Object.entries(OPERATIONS)) {
    const { message } = describeFailure({}, { step: 0, op: number, errno: 1, operation: "x", argument: "" });
    assert.match(message, /^cannot .*: Operation not permitted$/, name);
    assert.doesNotMatch(message, /start the sandbox/, name);
  }
});
