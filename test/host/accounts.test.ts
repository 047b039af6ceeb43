import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseGroup, parsePasswd, readAccounts } from "../../src/host/accounts.js";
import { readTextInRoot } from "../../src/host/read-in-root.js";

test("lines that are cut short or whose numbers are none are passed over", () => {
  assert.deepEqual(parsePasswd("a:x:1:2::/h:/s\nb\nc:x:-1:2\n:x:1:1\nd:x:99999999999:1::\n"), [{ name: "a", uid: 1, gid: 2, home: "/h", shell: "/s" }]);
  assert.deepEqual(parseGroup("g:x:3:a,b\nh:x:\n"), [{ name: "g", gid: 3, members: ["a", "b"] }]);
});

test("a user's groups are the primary one and those that list it, each once", () => {
  const accounts = readAccounts((path) => (path === "/etc/group" ? "a:x:1:u\nb:x:2:v\nc:x:3:u,v\n" : ""));
  assert.deepEqual(accounts.groupsOf("u", 3), [3, 1]);
});

test("a link in a root never leads to the host's file", (t) => {
  const root = mkdtempSync(join(tmpdir(), "brig-root-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "etc"));
  mkdirSync(join(root, "real"));
  writeFileSync(join(root, "real/passwd"), "inner");
  symlinkSync("/real/passwd", join(root, "etc/passwd"));
  symlinkSync("../../../../etc/hostname", join(root, "etc/group"));
  symlinkSync("/etc/loop", join(root, "etc/loop"));
  assert.equal(readTextInRoot(root, "/etc/passwd"), "inner");
  assert.equal(readTextInRoot(root, "/etc/group"), undefined);
  assert.equal(readTextInRoot(root, "/etc/loop"), undefined);
  assert.equal(readTextInRoot(root, "/missing/passwd"), undefined);
});
