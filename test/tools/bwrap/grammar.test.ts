import assert from "node:assert/strict";
import { test } from "node:test";
import { BrigError } from "../../../src/error/brig-error.js";
import { decide } from "../../../src/tools/bwrap/decide.js";
import type { BwrapContext } from "../../../src/tools/bwrap/context.js";
import { parseBwrap } from "../../../src/tools/bwrap/grammar.js";
import { buildBwrapSpec } from "../../../src/tools/bwrap/spec.js";
import { assertSameRefusal } from "../oracle.js";

const context: BwrapContext = {
  cwd: "/", env: { PATH: "/usr/bin", HOME: "/" }, euid: process.geteuid?.() ?? 0, egid: process.getegid?.() ?? 0, capabilities: new Set(), capLast: 40,
  userNamespaces: true, terminals: 0, kernel: [6, 1], isWritable: () => false,
};

const parse = (words: string[], args = "") => parseBwrap(words, () => Buffer.from(args));

function read(words: string[]) {
  const asked = parse(words);
  assert.ok(typeof asked === "object");
  return asked;
}

const NEEDS_VALUES = [
  "--args", "--chdir", "--userns", "--userns2", "--pidns", "--uid", "--gid", "--hostname", "--setenv A", "--unsetenv", "--lock-file", "--sync-fd", "--bind /a", "--bind-try /a",
  "--dev-bind /a", "--dev-bind-try /a", "--ro-bind /a", "--ro-bind-try /a", "--remount-ro", "--proc", "--dev", "--tmpfs", "--mqueue", "--dir", "--file 3", "--bind-data 3",
  "--ro-bind-data 3", "--symlink a", "--seccomp", "--add-seccomp-fd", "--block-fd", "--userns-block-fd", "--info-fd", "--json-status-fd", "--cap-add", "--cap-drop", "--perms", "--size", "--chmod 0700",
];

const WRONG = [
  "--foo", "-x", "--uid abc", "--uid -1", "--gid 5x", "--sync-fd 1x", "--block-fd x", "--perms 9", "--perms 010000", "--chmod 8 /tmp", "--size 0 --tmpfs /tmp", "--size x --tmpfs /tmp",
  "--perms 0700 --dev-bind / /", "--size 5 --dir /x", "--perms 0700 --perms 0700", "--size 5 --size 5", "--cap-add FOO", "--cap-drop kill", "--seccomp 0 --add-seccomp-fd 0",
  "--add-seccomp-fd 0 --seccomp 0", "--exec-label x", "--perms 0700 --unshare-pid",
];

for (const words of [...NEEDS_VALUES, ...WRONG])
  test(`bwrap ${words} is refused in bwrap's words`, (t) => {
    assertSameRefusal(t, ["bwrap", ...words.split(" ")], "bwrap: ", () => parse(words.split(" ")));
  });

for (const words of [
  "--uid 5 true", "--gid 5 true", "--hostname x true", "--as-pid-1 true", "--disable-userns true", "--unshare-pid --as-pid-1 --lock-file /x true", "--userns 9 --unshare-user true",
  "--userns 9 --unshare-user-try true", "--unshare-user --userns-block-fd 0 true",
])
  test(`bwrap ${words} contradicts itself, and is told so in bwrap's words`, (t) => {
    if (context.euid !== 0) return t.skip("needs root: anybody else has a user namespace");
    assertSameRefusal(t, ["bwrap", "--ro-bind", "/", "/", ...words.split(" ")], "bwrap: ", () => decide(read(words.split(" ")), context));
  });

test("operations stand in the order of the words", () => {
  const { operations } = read(["--tmpfs", "/a", "--dir", "/a/b", "--ro-bind", "/usr", "/a/b", "true"]);
  assert.deepEqual(operations.map(({ kind }) => kind), ["tmpfs", "dir", "bind"]);
});

test("what --args reads stands in its place, and a command in it is passed over", () => {
  const asked = parse(["--dir", "/a", "--args", "9", "--dir", "/c", "true"], "--dir\0/b\0ignored\0--dir\0/no\0");
  assert.ok(typeof asked === "object");
  assert.deepEqual(asked.operations.map(({ dest }) => dest), ["/a", "/b", "/c"]);
  assert.deepEqual(asked.command, ["true"]);
});

test("--args within what --args reads, and words without an end, are refused", () => {
  assert.throws(() => parse(["--args", "9", "true"], "--args\0" + "9\0"), BrigError);
  assert.throws(() => parse(Array.from({ length: 9001 }, () => "--unshare-pid")), /Exceeded maximum number of arguments 9000/);
});

test("an overlay needs its sources, and sources an overlay", () => {
  assert.throws(() => parse(["--ro-overlay", "/x", "true"]), /--ro-overlay requires at least two --overlay-src/);
  assert.throws(() => parse(["--overlay-src", "/a", "--ro-overlay", "/x", "true"]), /--ro-overlay requires at least two --overlay-src/);
  assert.throws(() => parse(["--tmp-overlay", "/x", "true"]), /--tmp-overlay requires at least one --overlay-src/);
  assert.throws(() => parse(["--overlay-src", "/a", "--dir", "/x", "true"]), /--overlay-src must be followed by another --overlay-src/);
});

test("--level-prefix and --argv0 are 0.11's", () => {
  const spec = buildBwrapSpec(read(["--level-prefix", "--argv0", "other", "sh", "-c", "x"]), context);
  assert.deepEqual(spec.process?.args, ["other", "-c", "x"]);
  assert.equal(JSON.parse(spec.annotations!["dev.brig.voice"]!).prefix, "<3>bwrap: ");
});

test("a mount on / hides what was made before it", () => {
  const spec = buildBwrapSpec(read(["--tmpfs", "/a", "--bind", "/", "/", "--dir", "/b", "true"]), context);
  assert.deepEqual(spec.mounts?.map(({ destination }) => destination), ["/"]);
  assert.deepEqual(JSON.parse(spec.annotations!["dev.brig.files"]!), [{ type: "dir", path: "/b", mode: 0o755, after: 1 }]);
});
