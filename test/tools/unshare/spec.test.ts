import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { readExtension } from "../../../src/spec/extension.js";
import type { ToolContext } from "../../../src/tools/grammar/context.js";
import { UNCHANGED_ID } from "../../../src/tools/grammar/numbers.js";
import { parseUnshare } from "../../../src/tools/unshare/grammar.js";
import { buildUnshareSpec } from "../../../src/tools/unshare/spec.js";
import { makeContext } from "../context.js";

function build(words: string[], changes: Partial<ToolContext> = {}) {
  const asked = parseUnshare(words);
  assert.ok(typeof asked === "object");
  const spec = buildUnshareSpec(asked, makeContext(changes));
  return { spec, extension: readExtension(spec), types: spec.linux?.namespaces?.map(({ type }) => type) };
}

test("nothing but what was asked for is new", () => {
  const { spec, extension, types } = build(["--net", "/bin/bash"]);
  assert.deepEqual(types, ["network"]);
  assert.equal(spec.process?.user, undefined);
  assert.equal(spec.process?.capabilities, undefined);
  assert.equal(spec.process?.noNewPrivileges, undefined);
  assert.equal(spec.root, undefined);
  assert.deepEqual([extension.inPlace, extension.terminal, extension.cwd, extension.stateless], [true, "plain", "stay", true]);
  assert.deepEqual(extension.candidates, ["/bin/bash"]);
});

test("every setting says which words asked for it", () => {
  const { extension } = build(["-n", "--mount-proc=/p", "--root=/r", "-S", "5", "true"]);
  assert.equal(extension.origins?.["/linux/namespaces/0"]?.text, "-n");
  assert.equal(extension.origins?.["/linux/namespaces/1"]?.text, "--mount-proc=/p");
  assert.equal(extension.origins?.["/annotations/dev.brig.chroot"]?.text, "--root=/r");
  assert.equal(extension.origins?.["/process/user"]?.text, "-S 5");
});

test("what the short options mean is what the long ones mean", () => {
  const strip = (words: string[]) => {
    const { spec, extension } = build(words);
    return { linux: spec.linux, process: spec.process, mounts: spec.mounts, inPlace: extension.inPlace, chroot: extension.chroot };
  };
  assert.deepEqual(
    strip(["-muinpUCTfrR/r", "-w/w", "-S1", "-G2", "x"]),
    strip(["--mount", "--uts", "--ipc", "--net", "--pid", "--user", "--cgroup", "--time", "--fork", "--map-root-user", "--root=/r", "--wd=/w", "--setuid=1", "--setgid=2", "x"]),
  );
});

test("a new mount namespace is private unless --propagation says otherwise", () => {
  assert.equal(build(["-m", "x"]).spec.linux?.rootfsPropagation, "rprivate");
  assert.equal(build(["-m", "--propagation=slave", "x"]).spec.linux?.rootfsPropagation, "rslave");
  assert.equal(build(["-m", "--propagation=unchanged", "x"]).spec.linux?.rootfsPropagation, undefined);
  assert.equal(build(["--propagation=slave", "x"]).spec.linux?.rootfsPropagation, undefined);
});

test("--map-root-user maps the caller to 0, --map-current-user to itself, --user to nobody", () => {
  assert.deepEqual(build(["-r", "x"]).spec.linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assert.deepEqual(build(["-c", "x"]).spec.linux?.gidMappings, [{ containerID: 1000, hostID: 1000, size: 1 }]);
  assert.equal(build(["-U", "x"]).spec.linux?.uidMappings, undefined);
  assert.deepEqual(build(["--map-user=alice", "x"]).spec.linux?.uidMappings, [{ containerID: 1000, hostID: 1000, size: 1 }]);
});

test("--map-auto takes the caller's first subordinate ids, and needs a parent to write them", () => {
  const { spec, extension } = build(["--map-auto", "-r", "x"]);
  assert.deepEqual(spec.linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }, { containerID: 1, hostID: 100000, size: 65535 }]);
  assert.deepEqual(spec.linux?.gidMappings?.[1], { containerID: 1, hostID: 200000, size: 65535 });
  assert.equal(extension.inPlace, false);
  assert.throws(() => build(["--map-auto", "x"], { subordinate: { uid: [], gid: [] } }), { message: 'no line matching user "alice" in /etc/subuid' });
});

test("a persistent namespace is bound by brig's parent where its own mounts could not be seen", () => {
  const net = build(["--net=/run/n", "x"]).extension;
  assert.deepEqual([net.persist, net.inPlace], [[{ type: "net", path: "/run/n" }], true]);
  const mount = build(["--mount=m", "x"]).extension;
  assert.deepEqual([mount.persist, mount.inPlace], [[{ type: "mnt", path: "/home/alice/m" }], false]);
});

test("a file named once stays when the namespace is implied again", () => {
  assert.deepEqual(build(["--mount=/m", "--mount-proc", "x"]).extension.persist, [{ type: "mnt", path: "/m" }]);
});

test("a root is entered at its top, and a relative --wd counts from there", () => {
  assert.equal(build(["-R", "jail", "x"]).spec.process?.cwd, "/");
  assert.equal(build(["-R", "jail", "-w", "srv", "x"]).spec.process?.cwd, "/srv");
  assert.equal(build(["-w", "srv", "x"]).spec.process?.cwd, "/home/alice/srv");
  assert.deepEqual(build(["-R", "jail", "x"]).extension.chroot, { path: "/home/alice/jail" });
});

test("--keep-caps keeps every capability that the kernel knows, and only with a user namespace", () => {
  const sets = build(["-U", "--keep-caps", "x"], { capLast: 3 }).spec.process?.capabilities;
  assert.deepEqual(sets?.ambient, ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER"]);
  assert.equal(build(["-n", "--keep-caps", "x"]).spec.process?.capabilities, undefined);
});

test("--setgid drops the supplementary groups, --setuid alone does not", () => {
  assert.deepEqual(build(["-G", "7", "x"]).spec.process?.user, { uid: UNCHANGED_ID, gid: 7, additionalGids: [] });
  assert.deepEqual(build(["-S", "7", "x"]).spec.process?.user, { uid: 7, gid: UNCHANGED_ID });
});

test("--kill-child implies a child, and takes a signal by its name", () => {
  const { extension } = build(["--kill-child=term", "x"]);
  assert.deepEqual([extension.parentDeathSignal, extension.inPlace], ["SIGTERM", false]);
  assert.equal(build(["--kill-child", "x"]).extension.parentDeathSignal, "SIGKILL");
});

test("clocks are shifted in a time namespace only", () => {
  assert.deepEqual(build(["-T", "--boottime=-5", "--monotonic", "7", "x"]).spec.linux?.timeOffsets, { monotonic: { secs: 7 }, boottime: { secs: -5 } });
  assert.throws(() => build(["--boottime=5", "x"]), /require unsharing of a time namespace/);
});

test("any words give a spec or a clear refusal", () => {
  const known = [
    "-m", "-U", "-r", "-c", "--fork", "--mount=/x", "--pid", "--pid=/p", "--map-auto", "--map-users=1,2,3", "--map-user=alice", "--map-group=nosuch",
    "--setgroups=allow", "--setgroups", "deny", "--kill-child", "--kill-child=9", "-S", "5", "-G", "x", "-R", "/r", "-w", "--time", "--boottime", "--", "ls",
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...known), fc.string()), { maxLength: 8 }), (words) => {
      try {
        const asked = parseUnshare(words);
        if (typeof asked === "string") return;
        const spec = buildUnshareSpec(asked, makeContext());
        assert.ok(spec.process?.args?.length);
        assert.equal(new Set(spec.linux?.namespaces?.map(({ type }) => type)).size, spec.linux?.namespaces?.length);
      } catch (error) {
        assert.ok(error instanceof BrigError, String(error));
        assert.equal(error.exitCode, 1);
        assert.notEqual(error.message, "");
      }
    }),
    { numRuns: 500 },
  );
});
