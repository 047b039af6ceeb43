import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { BrigError } from "../../src/error/brig-error.js";
import type { Spec } from "../../src/spec/oci.js";
import { parseSpecText } from "../../src/spec/spec-text.js";
import { findUnknownFields, validateSeccomp, validateSpec } from "../../src/spec/validate.js";

const CAP = ["CAP_KILL"];
const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

function baseSpec() {
  return {
    ociVersion: "1.2.0",
    process: { args: ["sh"], env: ["A=1"], cwd: "/", user: { uid: 0, gid: 0 } } as Record<string, unknown>,
    root: { path: "rootfs" },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }] as Record<string, unknown>[],
    linux: {
      namespaces: ["pid", "network", "mount", "ipc", "uts", "user", "time"].map((type) => ({ type })) as { type: string; path?: string }[],
      uidMappings: map,
      gidMappings: map,
    } as Record<string, unknown>,
    annotations: {} as Record<string, string>,
  };
}

type Draft = ReturnType<typeof baseSpec>;

/** The refusal of the base spec after this edit. */
function refusalOf(edit: (spec: Draft) => unknown): string {
  const spec = baseSpec();
  edit(spec);
  try {
    validateSpec(spec, "c.json");
  } catch (error) {
    assert.ok(error instanceof BrigError && error.code === "BRIG_BAD_SPEC" && error.hint && error.origin === "c.json", String(error));
    return error.message;
  }
  assert.fail(`was taken: ${edit}`);
}

function extend(field: string, value: unknown) {
  return (spec: Draft): unknown => (spec.annotations[`dev.brig.${field}`] = JSON.stringify(value));
}

const linux = (edit: Record<string, unknown>) => (spec: Draft) => Object.assign(spec.linux, edit);
const process_ = (edit: Record<string, unknown>) => (spec: Draft) => Object.assign(spec.process, edit);
const mounts = (...list: Record<string, unknown>[]) => (spec: Draft) => spec.mounts.push(...list);
const without = (...types: string[]) => (spec: Draft) => (spec.linux["namespaces"] = (spec.linux["namespaces"] as { type: string }[]).filter(({ type }) => !types.includes(type)));

test("a plain spec is taken as it is", () => {
  const spec = baseSpec();
  assert.deepEqual(validateSpec(spec), spec);
  assert.deepEqual(validateSpec({ ociVersion: "1.0.2-dev" }), { ociVersion: "1.0.2-dev" });
});

test("a field that is null counts as left out, as programs in Go write it", () => {
  assert.deepEqual(validateSpec({ ociVersion: "1.2.0", mounts: null, linux: { seccomp: null } }), { ociVersion: "1.2.0", linux: {} });
});

test("what crun and runc write as their default is taken, with no field unknown", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "brig-spec-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const made = ["crun", "runc"].filter((tool) => {
    rmSync(join(folder, "config.json"), { force: true });
    if (spawnSync(tool, ["spec"], { cwd: folder }).status !== 0) return false;
    const document = parseSpecText(readFileSync(join(folder, "config.json"), "utf8"));
    validateSpec(document, tool);
    assert.deepEqual(findUnknownFields(document), [], tool);
    return true;
  });
  if (made.length === 0) t.skip("neither crun nor runc is installed");
});

test("every shape that the specification forbids is refused with its path", () => {
  for (const [edit, reason] of [
    [(spec) => (spec.ociVersion = "2.0.0"), "ociVersion: must be a 1.x version"],
    [(spec) => delete (spec as Partial<Draft>).ociVersion, "ociVersion: is missing"],
    [linux({ namespaces: [{ type: "pid" }, { type: "ipc" }, { type: "ptd" }] }), 'linux.namespaces[2].type: must be one of pid, network, mount, ipc, uts, user, cgroup, time, not "ptd"; did you mean pid?'],
    [linux({ namespaces: [{ type: "pid", path: "proc/1" }] }), "linux.namespaces[0].path: must be an absolute path"],
    [process_({ args: [] }), "process.args: must not be empty"],
    [process_({ args: "sh" }), 'process.args: must be a list, not "sh"'],
    [process_({ cwd: "work" }), "process.cwd: must be an absolute path"],
    [process_({ env: ["A"] }), 'process.env[0]: must be "NAME=value"'],
    [process_({ user: { uid: 2 ** 32 - 1, gid: 0 } }), "process.user.uid: must be at most 4294967294"],
    [process_({ capabilities: { bounding: ["CAP_KIL"] } }), 'process.capabilities.bounding[0]: "CAP_KIL" is not known; did you mean CAP_KILL?'],
    [process_({ rlimits: [{ type: "RLIMIT_NOFILES", soft: 1, hard: 1 }] }), "did you mean RLIMIT_NOFILE?"],
    [process_({ rlimits: [{ type: "RLIMIT_NOFILE", soft: 1.5, hard: 2 }] }), "process.rlimits[0].soft: must be a whole number"],
    [mounts({ destination: "data", type: "tmpfs" }), "mounts[1].destination: must be an absolute path"],
    [linux({ sysctl: { "net.a": 1 } }), 'linux.sysctl["net.a"]: must be a string, not 1'],
    [linux({ maskedPaths: ["proc/kcore"] }), "linux.maskedPaths[0]: must be an absolute path"],
    [linux({ devices: [{ type: "x", path: "/dev/x" }] }), "linux.devices[0].type: must be one of c, b, u, p"],
    [linux({ resources: { unified: { "../x": "1" } } }), "must be the name of a cgroup's file"],
    [linux({ seccomp: { defaultAction: "SCMP_ACT_DENY" } }), "linux.seccomp.defaultAction: must be one of"],
    [linux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["x"], action: "SCMP_ACT_ERRNO", args: [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }] }] } }), "linux.seccomp.syscalls[0].args[0].index: must be at most 5, not 6"],
    [linux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["x"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 2 ** 63, op: "SCMP_CMP_EQ" }] }] } }), "as a bigint from 2^53 up"],
    [linux({ rootfsPropagation: "all" }), "linux.rootfsPropagation"],
    [(spec) => (spec.root.path = ""), "root.path: must not be empty"],
    [(spec) => (spec.root.path = "a\0b"), "root.path: has a NUL in it"],
    [linux({ sysctl: JSON.parse('{"__proto__": "1"}') }), "__proto__: is not a name that a field can have"],
  ] as [(spec: Draft) => unknown, string][]) {
    const message = refusalOf(edit);
    assert.ok(message.startsWith("c.json: ") && message.includes(reason), `${message}\n  has not\n${reason}`);
  }
});

test("settings that contradict each other are refused with their path", () => {
  for (const [edit, reason] of [
    [linux({ namespaces: [{ type: "user" }, { type: "pid" }, { type: "pid", path: "/proc/1/ns/pid" }] }), "linux.namespaces[2].type: pid stands already in namespaces[1]"],
    [linux({ uidMappings: [] }), "linux.uidMappings: is missing: a new user namespace needs it"],
    [without("user"), "linux.gidMappings: needs a new user namespace"],
    [linux({ namespaces: [{ type: "user", path: "/proc/1/ns/user" }] }), "cannot be set for a user namespace that is joined"],
    [linux({ uidMappings: [...map, { containerID: 70_000, hostID: 165_535, size: 1 }] }), "linux.uidMappings[1].hostID: 165535 is in the range of uidMappings[0] as well"],
    [linux({ gidMappings: [...map, { containerID: 5, hostID: 1, size: 1 }] }), "linux.gidMappings[1].containerID: 5 is in the range"],
    [linux({ uidMappings: [{ containerID: 1, hostID: 4294967294, size: 2 }] }), "goes beyond the last id"],
    [process_({ args: [""] }), "process.args[0]: must not be empty"],
    [process_({ rlimits: [{ type: "RLIMIT_NOFILE", soft: 2, hard: 1 }] }), "process.rlimits[0].soft: 2 is above the hard limit 1"],
    [process_({ rlimits: [{ type: "RLIMIT_CPU", soft: 1, hard: 1 }, { type: "RLIMIT_CPU", soft: 2, hard: 2 }] }), "process.rlimits[1].type: RLIMIT_CPU is set twice"],
    [process_({ capabilities: { effective: CAP } }), "process.capabilities.effective[0]: CAP_KILL is effective but not permitted"],
    [process_({ capabilities: { inheritable: CAP, ambient: CAP } }), "CAP_KILL is ambient but not permitted"],
    [process_({ scheduler: { policy: "SCHED_FIFO" } }), "process.scheduler.priority: must be 1 to 99"],
    [process_({ scheduler: { policy: "SCHED_DEADLINE", runtime: 5, deadline: 4 } }), "0 < runtime <= deadline"],
    [mounts({ destination: "/a", type: "tmpfs", options: ["ro", "nosuid", "rw"] }), "mounts[1].options: ro and rw contradict each other"],
    [mounts({ destination: "/a", type: "tmpfs", options: ["rprivate", "rshared"] }), "rprivate and rshared contradict"],
    [mounts({ destination: "/a", options: ["rbind"] }), "mounts[1].source: is missing"],
    [mounts({ destination: "/a" }), "mounts[1].type: is missing"],
    [mounts({ destination: "/a", source: "/b", options: ["bind"], uidMappings: map }), "mounts[1].gidMappings: is missing"],
    [linux({ sysctl: { "kernel.core_pattern": "|/x" } }), 'linux.sysctl["kernel.core_pattern"]: belongs to no namespace'],
    [linux({ sysctl: { "net/../kernel/core_pattern": "|/x" } }), "is not a sysctl's name"],
    [linux({ sysctl: { "kernel/shmmax/../core_pattern": "x" } }), "is not a sysctl's name"],
    [(spec) => (without("network")(spec), linux({ sysctl: { "net.ipv4.ip_forward": "1" } })(spec)), "needs a new network namespace"],
    [linux({ devices: [{ type: "c", path: "/dev/x", major: 1 }] }), "linux.devices[0].minor: is missing"],
    [linux({ devices: [{ type: "p", path: "/dev/x" }, { type: "p", path: "/dev/x" }] }), "linux.devices[1].path: /dev/x is made twice"],
    [linux({ resources: { memory: { limit: 10, swap: 5 } } }), "linux.resources.memory.swap: 5 is below the memory limit 10"],
    [linux({ resources: { cpu: { quota: 5 } } }), "linux.resources.cpu.quota: must be at least 1000"],
    [linux({ cgroupsPath: "/a/../b" }), "must not climb"],
    [linux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["x"], action: "SCMP_ACT_NOTIFY" }] } }), "linux.seccomp.listenerPath: is missing"],
    [linux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1 } }), "linux.seccomp.defaultErrnoRet: has no meaning"],
    [(spec) => (without("time")(spec), linux({ timeOffsets: { monotonic: { secs: 1 } } })(spec)), "linux.timeOffsets: needs a new time namespace"],
    [(spec) => (without("uts")(spec), ((spec as unknown as Spec).hostname = "x")), "hostname: needs a uts namespace"],
  ] as [(spec: Draft) => unknown, string][]) {
    const message = refusalOf(edit);
    assert.ok(message.includes(reason), `${message}\n  has not\n${reason}`);
  }
});

test("what looks like a contradiction but is none is taken", () => {
  const spec = baseSpec();
  mounts({ destination: "/a", source: "rel", options: ["rbind", "ro", "nosuid", "nodev", "rprivate"] }, { destination: "/b", type: "tmpfs", options: ["noatime", "nodiratime", "mode=0755"] })(spec);
  linux({ sysctl: { "net/ipv4/conf/eth0.1/forwarding": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "5", "net.ipv4.ping_group_range": "0 0" } })(spec);
  process_({ capabilities: { bounding: CAP, permitted: CAP, effective: CAP, inheritable: CAP, ambient: CAP }, rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: 18446744073709552000 }] })(spec);
  linux({ resources: { memory: { limit: -1, swap: -1 }, blockIO: { weight: 100, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }] } } })(spec);
  assert.deepEqual(validateSpec(spec), spec);
});

test("the extension's annotations are held against it, and an unknown one is an error", () => {
  for (const [edit, reason] of [
    [(spec) => (spec.annotations["dev.brig.init"] = "yes"), 'annotations["dev.brig.init"]: must be JSON'],
    [extend("init", "yes"), 'annotations["dev.brig.init"]: must be true or false, not "yes"'],
    [extend("landlok", {}), 'annotations["dev.brig.landlok"]: is not known; did you mean landlock?'],
    [extend("landlock", { reed: [] }), "reed: is not known; did you mean read?"],
    [extend("landlock", { read: ["etc"] }), 'annotations["dev.brig.landlock"].read[0]: must be an absolute path'],
    [extend("landlock", { connectTcp: [70_000] }), "connectTcp[0]: must be at most 65535"],
    [extend("files", [{ type: "pipe", path: "/a" }]), 'annotations["dev.brig.files"][0].type: must be dir, file, symlink, copy, machineId, data, chmod, uuid, replace, remove, relink, bind, notify or readonly'],
    [extend("stopSignal", "SIGTREM"), "did you mean SIGTERM?"],
    [extend("timeout", { ms: 0 }), "must be at least 1"],
    [extend("name", "../x"), "must be 1 to 63 letters"],
    [extend("keepFds", [1]), "must be at least 3"],
    [extend("keepFds", [3, 3]), "names 3 twice"],
    [extend("rootTmpfs", {}), "contradicts root.path"],
    [extend("candidates", ["/bin/\0"]), "has a NUL"],
    [(spec) => (without("network")(spec), extend("loopback", true)(spec)), "needs a new network namespace"],
    [extend("persist", [{ type: "net", path: "/run/x" }, { type: "cgroup", path: "/run/y" }]), 'annotations["dev.brig.persist"][1].type: needs a new cgroup namespace'],
    [extend("network", { mode: "none", ports: [{ host: 1, guest: 1, protocol: "tcp" }] }), "needs the mode user"],
  ] as [(spec: Draft) => unknown, string][]) {
    const message = refusalOf(edit);
    assert.ok(message.includes(reason), `${message}\n  has not\n${reason}`);
  }
  const good = baseSpec();
  extend("landlock", { read: ["/"], scopes: ["signal"] })(good);
  extend("origins", { "/mounts/0": { kind: "default", text: "x" } })(good);
  good.annotations["org.example"] = "not JSON";
  assert.deepEqual(validateSpec(good), good);
});

test("a root that the extension makes needs no path, and a tool in place no mappings", () => {
  const spec = baseSpec();
  spec.root.path = "";
  extend("rootTmpfs", { size: 1024 })(spec);
  assert.deepEqual(validateSpec(spec), spec);
  const tool = { ociVersion: "1.2.0", process: { args: ["sh"], cwd: "/" }, linux: { namespaces: [{ type: "user" }] }, annotations: { "dev.brig.inPlace": "true" } };
  assert.deepEqual(validateSpec(tool), tool);
});

test("all problems come at once", () => {
  const message = refusalOf((spec) => {
    spec.ociVersion = "9";
    process_({ cwd: "x", args: [] })(spec);
  });
  assert.match(message, /^c\.json: 3 problems:\n {2}\S.*\n {2}\S.*\n {2}\S.*$/);
});

test("unknown fields are named with their path and the nearest known one", () => {
  const spec = { ...baseSpec(), hostnam: "x", windows: {} };
  linux({ maskedPath: [], resources: { blockIO: { throttleReadBpsDevice: [] }, memory: { limits: 1 } }, intelRdt: { anything: 1 } })(spec);
  assert.deepEqual(findUnknownFields(spec), [
    "linux.maskedPath is not known; did you mean maskedPaths?",
    "linux.resources.memory.limits is not known; did you mean limit?",
    "hostnam is not known; did you mean hostname?",
    "windows is not known",
  ]);
  assert.deepEqual(validateSpec(spec), spec);
});

test("a seccomp filter of its own is held the same way, and Docker's conditions are refused", () => {
  const filter = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 2114060288, op: "SCMP_CMP_MASKED_EQ" }] }] };
  assert.deepEqual(validateSeccomp(filter), filter);
  assert.throws(() => validateSeccomp({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["bpf"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_BPF"] }, excludes: {} }] }, "f.json"), {
    code: "BRIG_BAD_SPEC",
    message: "f.json: syscalls[0].includes: is of Docker's format; OCI has no conditions on rules",
  });
});

test("any document is a spec or refused with one clear error, however deep", () => {
  const odd = fc.oneof(fc.anything(), fc.record({ ociVersion: fc.constant("1.2.0"), linux: fc.anything(), process: fc.anything(), mounts: fc.array(fc.anything()), annotations: fc.dictionary(fc.constantFrom("dev.brig.files", "dev.brig.origins", "x"), fc.json()) }));
  fc.assert(
    fc.property(odd, (document) => {
      findUnknownFields(document);
      try {
        validateSpec(document);
      } catch (error) {
        assert.ok(error instanceof BrigError && error.code === "BRIG_BAD_SPEC", String((error as Error).stack));
      }
    }),
  );
  assert.throws(() => validateSpec(JSON.parse(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`)), /nested too deep/);
});
