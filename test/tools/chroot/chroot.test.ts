import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { readAccounts, type Accounts } from "../../../src/host/accounts.js";
import { readText } from "../../../src/host/read-text.js";
import { readExtension } from "../../../src/spec/extension.js";
import { resolveIdentity } from "../../../src/tools/chroot/accounts.js";
import { parseChroot } from "../../../src/tools/chroot/grammar.js";
import { buildChrootSpec } from "../../../src/tools/chroot/spec.js";
import { makeContext } from "../context.js";
import { assertSameRefusal } from "../oracle.js";

const isOldRoot = (path: string) => realpathSync(path) === "/";
const host = readAccounts(readText);
const quote = (text: string) => `‘${text}’`;
const of = (passwd: string, group = ""): Accounts => readAccounts((path) => (path === "/etc/passwd" ? passwd : group));

function understand(words: string[]) {
  const asked = parseChroot(words, isOldRoot);
  assert.ok(typeof asked === "object");
  return resolveIdentity({ userspec: asked.userspec?.value, groups: asked.groups?.value }, host, host, quote);
}

for (const words of [
  [], ["--bogus"], ["-x", "/", "ls"], ["--userspec"], ["--help=3"], ["--skip-chdir", "/tmp", "true"], ["--userspec=nosuch", "/", "id"],
  ["--groups=nosuch", "/", "id"], ["--groups=1,2,nosuch,foo", "/", "id"], ["--userspec=1:2:3", "/", "id"], ["--userspec=12345", "/", "id"],
  ["--groups=,", "/", "id"], ["--groups=1 2", "/", "id"], ["--groups=-1", "/", "id"], ["--groups=5000000000", "/", "id"],
  ["--userspec=-1", "/", "id"], ["--userspec=nobody:nosuch", "/", "id"], ["--userspec=12x", "/", "id"],
])
  test(`chroot ${words.join(" ")} is refused in the tool's own words`, (t) =>
    assertSameRefusal(t, ["chroot", ...words], "chroot: ", () => understand(words)));

for (const words of [
  ["--userspec=nobody"], ["--userspec=:nogroup"], ["--userspec=1:"], ["--userspec=nobody:nogroup", "--groups=adm,4,5"], ["--userspec=nobody.nogroup"],
  ["--userspec=+4:+5"], ["--userspec=12345:6"], ["--user=games"], ["--userspec=root", "--groups=+5"],
])
  test(`chroot ${words.join(" ")} gives the identity that the tool gives`, (t) => {
    if (process.geteuid?.() !== 0) return t.skip("needs root");
    const real = spawnSync("chroot", [...words, "/", "sh", "-c", "id -u; id -g; id -G"], { encoding: "utf8" });
    const [uid, gid, groups] = real.stdout.trim().split("\n");
    const found = understand([...words, "/"]);
    assert.equal(found.uid ?? 0, Number(uid));
    assert.equal(found.gid ?? 0, Number(gid));
    if (found.groups) assert.deepEqual(new Set([found.gid ?? 0, ...found.groups]), new Set(groups?.split(" ").map(Number)));
    return undefined;
  });

test("names are the new root's first, and the host's where it knows none", () => {
  const inner = of("alice:x:77:88::/:\n", "wheel:x:10:alice\n");
  const outer = of("alice:x:1000:1000::/:\nbob:x:1001:1001::/:\n");
  assert.deepEqual(resolveIdentity({ userspec: "alice" }, inner, outer, quote), { uid: 77, gid: 88, groups: [88, 10] });
  assert.deepEqual(resolveIdentity({ userspec: "bob" }, inner, outer, quote), { uid: 1001, gid: 1001, groups: [1001] });
});

test("a user with a dot in its name is one, and a dot between names is warned of", () => {
  const inner = of("a.b:x:5:5::/:\na:x:6:6::/:\n", "b:x:9:\n");
  assert.equal(resolveIdentity({ userspec: "a.b" }, inner, inner, quote).uid, 5);
  assert.equal(resolveIdentity({ userspec: "a.b" }, of("a:x:6:6::/:\n", "b:x:9:\n"), of(""), quote).warning, "warning: '.' should be ':'");
});

test("the spec is chroot and an identity, and leaves everything else alone", () => {
  const asked = parseChroot(["--userspec=1:2", "/tmp"], isOldRoot);
  assert.ok(typeof asked === "object");
  const spec = buildChrootSpec(asked, { uid: 1, gid: 2, groups: [3] }, makeContext());
  assert.deepEqual(spec.process?.args, ["/bin/bash", "-i"]);
  assert.deepEqual(spec.process?.user, { uid: 1, gid: 2, additionalGids: [3] });
  assert.deepEqual(spec.linux, { namespaces: [] });
  const { chroot, inPlace, voice } = readExtension(spec);
  assert.deepEqual([chroot, inPlace, voice?.exitCode], [{ path: "/tmp" }, true, 125]);
});

test("any words are understood or refused with status 125", () => {
  const known = ["--userspec=1:2", "--userspec", "nobody", "--groups=1,2", "--groups", "--skip-chdir", "--hardened", "/", "/tmp", "ls", "--"];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...known), fc.string()), { maxLength: 6 }), (words) => {
      try {
        const asked = parseChroot(words, (path) => path === "/");
        if (typeof asked === "object") resolveIdentity({ userspec: asked.userspec?.value, groups: asked.groups?.value }, host, host, quote);
      } catch (error) {
        assert.ok(error instanceof BrigError && error.exitCode === 125 && error.message !== "", String(error));
      }
    }),
    { numRuns: 500 },
  );
});
