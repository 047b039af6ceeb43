import assert from "node:assert/strict";
import test from "node:test";
import { readHostFacts } from "../../src/host/facts.js";
import { buildSpec } from "../../src/policy/build-spec.js";
import type { SandboxOptions } from "../../src/policy/options.js";
import { writeExtension, readExtension } from "../../src/spec/extension.js";
import type { Spec } from "../../src/spec/oci.js";
import { buildUnit } from "../../src/unit/build-unit.js";
import type { UnitFacts } from "../../src/unit/draft.js";
import { quoteArgument, quotePath, quoteWord } from "../../src/unit/quote.js";

const accounts = { userById: (uid: number) => (uid === 33 ? { name: "www", uid, gid: 33, home: "/", shell: "/bin/sh" } : undefined), groupById: (gid: number) => (gid === 33 ? { name: "www", gid, members: [] } : undefined) };
const facts: UnitFacts = { ownerOf: (path) => (path === "/none" ? undefined : { uid: path.startsWith("/var/tmp") ? 33 : 0, gid: path.startsWith("/var/tmp") ? 33 : 0 }), exists: () => true, accounts };

/** A caller who is root, whoever runs the test. */
const host = { ...readHostFacts(), euid: 0, egid: 0, groups: [] };

function makeSpec(options: SandboxOptions = {}, command: string[] = ["/usr/bin/true"]): Spec {
  const asked = Object.fromEntries(Object.keys(options).map((key) => [`/${key}`, { kind: "flag" as const, text: `--${key}` }]));
  return buildSpec({ project: "none", cwd: "/", ...options }, command, { cwd: "/", env: { PATH: "/usr/bin:/bin" }, home: "/root", host, origins: asked });
}

function build(spec: Spec): { values: (name: string) => string[]; lacks: string[] } {
  const { lines, lacks } = buildUnit(spec, facts);
  return { values: (name) => lines.filter((line) => line.name === name).map(({ value }) => value), lacks: lacks.map(({ what }) => what) };
}

test("the safe default has no rights, no network, an empty root, and lacks nothing", () => {
  const { values, lacks } = build(makeSpec());
  assert.deepEqual(lacks, []);
  for (const name of ["DynamicUser", "PrivateUsers", "NoNewPrivileges", "PrivateNetwork", "PrivateIPC", "PrivateDevices", "ProtectHome", "RestrictNamespaces", "RestrictSUIDSGID", "LockPersonality", "ProtectClock"]) assert.deepEqual(values(name), ["yes"], name);
  assert.deepEqual(values("CapabilityBoundingSet"), [""]);
  assert.deepEqual(values("RootDirectory"), ["/run/brig-%N"]);
  assert.deepEqual(values("ProtectSystem"), ["strict"]);
  assert.deepEqual(values("TemporaryFileSystem").filter((value) => value.startsWith("/tmp")).length, 1);
  assert.ok(values("SystemCallFilter").join(" ").split(" ").includes("read"));
  assert.ok(!values("SystemCallFilter").join(" ").split(" ").includes("mount"));
  assert.deepEqual(values("RestrictAddressFamilies"), ["AF_UNIX AF_INET AF_INET6 AF_NETLINK"]);
});

test("limits become systemd's", () => {
  const { values, lacks } = build(makeSpec({ memory: "1GiB", pids: 10, cpus: 1.5, cpuset: "0", timeoutMs: "30s", graceMs: "2s", rlimits: ["nofile=10:20"], nice: 5, oomScoreAdj: 100, umask: 0o027 }));
  assert.deepEqual(lacks, []);
  const wanted = { MemoryMax: "1073741824", TasksMax: "10", CPUQuota: "150%", AllowedCPUs: "0", RuntimeMaxSec: "30000ms", TimeoutStopSec: "2000ms", LimitNOFILE: "10:20", Nice: "5", OOMScoreAdjust: "100", UMask: "0027" };
  for (const [name, value] of Object.entries(wanted)) assert.deepEqual(values(name), [value], name);
});

test("what the payload may write makes it who owns that, or is a plan's work", () => {
  const owned = build(makeSpec({ write: ["/var/tmp"] }));
  assert.deepEqual([owned.lacks, owned.values("User"), owned.values("DynamicUser"), owned.values("BindPaths")], [[], ["www"], [], ["/var/tmp"]]);
  const ofRoot = build(makeSpec({ write: ["/srv"] }));
  assert.match(ofRoot.lacks.join(), /writing to \/srv, which belongs to root/);
});

test("no wall goes missing: what has no directive is told", () => {
  const told: [SandboxOptions, RegExp][] = [
    [{ net: "user" }, /way out/], [{ allowHosts: ["debian.org"] }, /list of hosts/], [{ hostname: "other" }, /name other/], [{ sysctl: { "net.ipv4.ip_forward": "1" } }, /sysctl/],
  ];
  for (const [options, what] of told) assert.match(build(makeSpec(options)).lacks.join("; "), what);
  const spec = makeSpec();
  const seccomp = { ...spec.linux!.seccomp!, syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" as const, args: [{ index: 0, value: 7, op: "SCMP_CMP_EQ" as const }] }] };
  assert.match(build({ ...spec, linux: { ...spec.linux, seccomp } }).lacks.join(), /arguments of read/);
  assert.match(build({ ...spec, hooks: { prestart: [{ path: "/x" }] } }).lacks.join(), /hooks/);
});

test("a field of the extension that is new here is told too", () => {
  const spec = makeSpec();
  const changed = writeExtension(spec, { ...readExtension(spec), ...({ somethingNew: true } as object) });
  assert.deepEqual(build(changed).lacks, ["dev.brig.somethingNew"]);
});

test("words stay whole in a unit", () => {
  assert.equal(quoteWord("plain"), "plain");
  assert.equal(quoteWord(""), '""');
  assert.equal(quoteWord('a "b" \\ %h\n'), '"a \\"b\\" \\\\ %%h\\x0a"');
  assert.equal(quoteArgument("$HOME;"), '"$$HOME;"');
  assert.equal(quotePath("/a b:c%"), '"/a b:c%%"');
  assert.throws(() => quotePath("/a\nExecStart=/bin/sh"), /cannot stand in a unit/);
});
