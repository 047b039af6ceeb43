import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { readExtension } from "../../../src/spec/extension.js";
import type { ToolContext } from "../../../src/tools/grammar/context.js";
import { UNCHANGED_ID } from "../../../src/tools/grammar/numbers.js";
import { parseNsenter } from "../../../src/tools/nsenter/grammar.js";
import { buildNsenterSpec } from "../../../src/tools/nsenter/spec.js";
import { makeContext } from "../context.js";
import { assertSameRefusal } from "../oracle.js";

function build(words: string[], changes: Partial<ToolContext> = {}) {
  const asked = parseNsenter(words);
  assert.ok(typeof asked === "object");
  const spec = buildNsenterSpec(asked, makeContext(changes));
  return { spec, extension: readExtension(spec), namespaces: spec.linux?.namespaces };
}

test("namespaces are the target's, or those behind a file", () => {
  assert.deepEqual(build(["-t", "7", "-n", "-u/run/u", "x"]).namespaces, [
    { type: "uts", path: "/run/u" },
    { type: "network", path: "/proc/7/ns/net" },
  ]);
  assert.deepEqual(build(["--net=here", "x"]).namespaces, [{ type: "network", path: "/home/alice/here" }]);
});

test("the user namespace is entered first by who has no rights and last by who has", () => {
  const types = (privileged: boolean) => build(["-t7", "-U", "-m", "-n", "x"], { privileged }).namespaces?.map(({ type }) => type);
  assert.deepEqual(types(false), ["user", "network", "mount"]);
  assert.deepEqual(types(true), ["network", "mount", "user"]);
});

test("--all leaves out the caller's own user namespace and keeps files that are named", () => {
  const own = build(["-a", "-t", "7", "--mount=/m", "x"], { namespaceId: (path) => path.slice(path.lastIndexOf("/")) }).namespaces;
  assert.equal(own?.some(({ type }) => type === "user"), false);
  assert.equal(own?.find(({ type }) => type === "mount")?.path, "/m");
  assert.equal(build(["-a", "-t", "7", "x"]).namespaces?.length, 8);
});

test("a user namespace makes the program root in it without groups, unless credentials are preserved", () => {
  assert.deepEqual(build(["-t7", "-U", "x"]).spec.process?.user, { uid: 0, gid: 0, additionalGids: [] });
  assert.equal(build(["-t7", "-U", "--preserve-credentials", "x"]).spec.process?.user, undefined);
  assert.equal(build(["-t7", "-n", "x"]).spec.process?.user, undefined);
  assert.deepEqual(build(["-t7", "-n", "-S5", "x"]).spec.process?.user, { uid: 5, gid: UNCHANGED_ID });
});

test("brig stays as the parent for a pid namespace, unless --no-fork says otherwise", () => {
  assert.equal(build(["-t7", "-p", "x"]).extension.inPlace, false);
  assert.equal(build(["-t7", "-p", "-F", "x"]).extension.inPlace, true);
  assert.equal(build(["-t7", "-n", "x"]).extension.inPlace, true);
});

test("--root and --wd are opened before anything is entered, --wdns is looked up inside", () => {
  const { spec, extension } = build(["-t7", "-m", "-r", "-w", "x"]);
  assert.deepEqual(extension.chroot, { path: "/proc/7/root", held: true });
  assert.deepEqual([spec.process?.cwd, extension.cwd], ["/proc/7/cwd", "held"]);
  const inside = build(["-t7", "-m", "-W=/srv", "x"]);
  assert.deepEqual([inside.spec.process?.cwd, inside.extension.cwd], ["/srv", undefined]);
});

test("what cannot be opened is said before anything is entered", () => {
  const probe = () => Object.assign(new Error("x"), { errno: -2, code: "ENOENT" });
  assert.throws(() => build(["-t7", "-n", "x"], { probe }), { message: "cannot open /proc/7/ns/net: No such file or directory", exitCode: 1 });
});

for (const words of [["-a", "true"], ["-t", "x", "-n", "true"], ["-n", "true"], ["--bogus"], ["-t"], ["-e", "-t1", "true"], ["-n/nonexist", "true"], ["-r"], ["-w"]])
  test(`nsenter ${words.join(" ")} is refused in the tool's own words`, (t) =>
    assertSameRefusal(t, ["nsenter", ...words], "nsenter: ", () => {
      const probe = (path: string) => (path === "/nonexist" ? Object.assign(new Error("x"), { errno: -2 }) : undefined);
      build(words, { probe });
    }));

test("-Z is refused with the reason, and so are --wd and --wdns together", () => {
  assert.throws(() => parseNsenter(["-Z", "-t1", "x"]), /sets no SELinux context/);
  assert.throws(() => parseNsenter(["-w/a", "-W/b", "x"]), { message: "mutually exclusive arguments: --wdns --wd" });
});

test("any words give a spec or a clear refusal", () => {
  const known = ["-t", "7", "-t1", "-a", "-n", "-n/x", "-U", "-S", "5", "-G5", "-r", "-w", "-W", "-W/x", "-F", "-Z", "--preserve-credentials", "ls"];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...known), fc.string()), { maxLength: 8 }), (words) => {
      try {
        const asked = parseNsenter(words);
        if (typeof asked === "object") buildNsenterSpec(asked, makeContext());
      } catch (error) {
        assert.ok(error instanceof BrigError && error.exitCode === 1 && error.message !== "", String(error));
      }
    }),
    { numRuns: 500 },
  );
});
