import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { BrigError } from "../../src/error/brig-error.js";
import { compilePlan } from "../../src/plan/compile.js";
import { disassemblePlan } from "../../src/plan/disassemble.js";
import { encodePlan } from "../../src/plan/encode.js";
import { CLONE, MOUNT_ATTR, MS, RUN } from "../../src/plan/format.js";
import type { OperationName, Step } from "../../src/plan/operations.js";
import { listSteps, type Plan } from "../../src/plan/plan.js";
import { type Extension, readExtension, writeExtension } from "../../src/spec/extension.js";
import type { NamespaceType, Spec } from "../../src/spec/oci.js";
import { makeFacts, makeUserFacts } from "./facts.js";
import { ALL_NEW, makeSpec } from "./specs.js";

const MOUNTING: OperationName[] = ["FS_MOUNT", "ROOT", "BIND", "MOUNT", "FS", "ATTR", "MASK", "DIR", "FILE", "SYMLINK", "NODE", "PROPAGATION"];
const named = (plan: Plan, ...names: OperationName[]): Step[] => listSteps(plan).map(({ step }) => step).filter(({ op }) => names.includes(op));

function refuses(code: string, spec: Spec, host = makeFacts()): BrigError {
  let caught: unknown;
  assert.throws(() => compilePlan(spec, host), (error) => ((caught = error), error instanceof BrigError && error.code === code));
  return caught as BrigError;
}

function bare(linux: Spec["linux"], change: Partial<Spec> = {}, extension: Extension = {}): Spec {
  return writeExtension({ ociVersion: "1.2.0", process: { cwd: "/", args: ["/bin/true"], noNewPrivileges: true }, ...(linux && { linux }), ...change }, extension);
}

/** Any sandbox out of parts that each make sense. */
const anySpec = fc.record({
  uid: fc.constantFrom(0, 1000), namespaces: fc.subarray(ALL_NEW.filter((type) => type !== "mount" && type !== "user" && type !== "pid")),
  init: fc.boolean(), nnp: fc.boolean(), seccomp: fc.boolean(), landlock: fc.boolean(), readonly: fc.boolean(), keyring: fc.boolean(),
  tmpfs: fc.boolean(), user: fc.constantFrom(0, 7), entries: fc.boolean(), devpts: fc.boolean(), always: fc.boolean(),
}).map((part) => {
  const namespaces: NamespaceType[] = ["pid", "mount", "user", ...part.namespaces];
  const base = makeSpec(["/bin/true"], { uid: part.uid, gid: part.uid });
  const { rootTmpfs, ...rest } = readExtension(base);
  const spec: Spec = {
    ...base, root: { path: "/srv/root", readonly: part.readonly },
    process: { ...base.process, cwd: "/here", noNewPrivileges: part.nnp, user: { uid: part.uid === 0 ? part.user : 1000, gid: part.uid } },
    mounts: [...(base.mounts ?? []), ...(part.devpts ? [{ destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance"] }] : [])],
    linux: {
      ...base.linux, namespaces: namespaces.map((type) => ({ type })),
      ...(part.seccomp && { seccomp: { defaultAction: "SCMP_ACT_ALLOW" as const, syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" as const }] } }),
    },
  };
  if (!namespaces.includes("uts")) delete spec.hostname;
  const extension: Extension = {
    ...rest, ...(part.tmpfs && rootTmpfs ? { rootTmpfs } : {}), init: part.init, keyring: part.keyring, loopback: namespaces.includes("network"),
    ...(part.entries ? {} : { files: [] }), terminal: part.always ? "always" : "never", ...(part.landlock && { landlock: { read: ["/"], write: ["/tmp"] } }),
  };
  return { spec: writeExtension(spec, extension), host: part.uid === 0 ? makeFacts() : makeUserFacts() };
});

test("nothing is mounted or made once the host's root is let go of, and it always is", () => {
  fc.assert(fc.property(anySpec, ({ spec, host }) => {
    const { child, payload } = compilePlan(spec, host).steps;
    const detach = child.findIndex(({ op }) => op === "ROOT_DETACH");
    assert.ok(detach >= 0);
    assert.deepEqual([...child.slice(detach + 1), ...payload].filter(({ op }) => MOUNTING.includes(op)), []);
    assert.deepEqual(child.filter(({ op }) => op === "ROOT").length, 1);
  }));
});

test("restrictions come last: identity, then capabilities, then filters, then exec and nothing behind it", () => {
  fc.assert(fc.property(anySpec, ({ spec, host }) => {
    const { child, payload } = compilePlan(spec, host).steps;
    const order = [...child, ...payload].map(({ op }) => op);
    assert.equal(order.at(-1), "EXEC");
    const at = (op: OperationName): number => order.lastIndexOf(op);
    assert.ok(at("CAPABILITIES") > at("IDS"));
    if (spec.process?.noNewPrivileges) {
      assert.ok(at("NO_NEW_PRIVS") > at("CAPABILITIES"));
      if (spec.linux?.seccomp) assert.equal(at("SECCOMP"), order.length - 2);
    } else if (spec.linux?.seccomp) assert.ok(at("SECCOMP") < at("CAPABILITIES"));
    if (at("LANDLOCK") >= 0 && at("SECCOMP") >= 0) assert.ok(at("LANDLOCK") < at("SECCOMP"));
  }));
});

test("every slot is filled before it is used, and by one step", () => {
  fc.assert(fc.property(anySpec, ({ spec, host }) => {
    const filled = new Set<number>();
    for (const { step } of listSteps(compilePlan(spec, host))) {
      if (!("slot" in step)) continue;
      if (["OPEN", "OPEN_TREE", "FS_MOUNT", "CGROUP"].includes(step.op)) {
        assert.ok(!filled.has(step.slot));
        filled.add(step.slot);
      } else assert.ok(filled.has(step.slot), step.op);
    }
  }));
});

test("no step of a sandbox may fail silently but the links of convenience in /dev, and every plan can be encoded and read", () => {
  fc.assert(fc.property(anySpec, ({ spec, host }) => {
    const plan = compilePlan(spec, host);
    for (const { step } of listSteps(plan)) if (step.optional) assert.equal(step.op, "SYMLINK");
    encodePlan(plan);
    assert.ok(disassemblePlan(plan).length >= listSteps(plan).length);
  }));
});

test("as root with a user namespace binds are opened on the host's side, private", () => {
  const plan = compilePlan(makeSpec(["/bin/true"]), makeFacts());
  assert.deepEqual(named(plan, "BIND").map((step) => step.op === "BIND" && step.source), ["/proc/sys", "/proc/nothing"]);
  const [first] = named(plan, "MOUNT_ATTR");
  assert.deepEqual(first, { op: "MOUNT_ATTR", slot: 0, set: MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV, clear: 0, propagation: MS.PRIVATE, recursive: 1, origin: "/mounts/0" });
  assert.deepEqual(plan.steps.host.map(({ op }) => op), ["OPEN_TREE", "MOUNT_ATTR", "OPEN_TREE", "MOUNT_ATTR", "OPEN_TREE", "MOUNT_ATTR"]);
});

test("an ordinary user's plan has no step outside of the sandbox, so that nothing waits", () => {
  const plan = compilePlan(makeSpec(["/bin/true"], { uid: 1000, gid: 1000 }), makeUserFacts());
  assert.deepEqual([plan.steps.host, plan.steps.parent], [[], []]);
  assert.deepEqual(plan.steps.child.slice(0, 3), [
    { op: "SELF_WRITE", file: "uid_map", content: "1000 1000 1\n", origin: "/linux/uidMappings" },
    { op: "SELF_WRITE", file: "setgroups", content: "deny", origin: "/linux/gidMappings" },
    { op: "SELF_WRITE", file: "gid_map", content: "1000 1000 1\n", origin: "/linux/gidMappings" },
  ]);
});

test("ranges of an ordinary user go through newuidmap, and only where they are his", () => {
  const map = [{ containerID: 0, hostID: 1000, size: 1 }, { containerID: 1, hostID: 100_000, size: 65_536 }];
  const spec = bare({ namespaces: [{ type: "user" }], uidMappings: map, gidMappings: map });
  const range = [{ start: 100_000, count: 65_536 }];
  const plan = compilePlan(spec, makeUserFacts({ subuid: range, subgid: range }));
  assert.deepEqual(named(plan, "RUN")[0], { op: "RUN", argv: ["/usr/bin/newuidmap", "%p", "0", "1000", "1", "1", "100000", "65536"], input: "", timeoutMs: 10_000, substitute: true, origin: "/linux/uidMappings" });
  assert.match(refuses("BRIG_CANNOT_MAP_IDS", spec, makeUserFacts()).hint ?? "", /usermod/);
  refuses("BRIG_CANNOT_MAP_IDS", spec, makeUserFacts({ subuid: range, subgid: range, hasTool: () => undefined }));
});

test("the clone has the new namespaces, but for a cgroup namespace whose root is a cgroup that is entered later", () => {
  const spec = bare({ namespaces: [{ type: "pid" }, { type: "cgroup" }], resources: { pids: { limit: 5 } } });
  assert.equal(compilePlan(bare({ namespaces: [{ type: "pid" }, { type: "cgroup" }] }), makeFacts()).run.cloneFlags, CLONE.pid | CLONE.cgroup);
  const controller = { version: 1 as const, delegated: true, mount: "/sys/fs/cgroup/pids", own: "/", folder: "/sys/fs/cgroup/pids", writable: true };
  const plan = compilePlan(spec, makeFacts({ cgroup: { layout: "v1", controllers: { pids: controller } } }));
  assert.equal(plan.run.cloneFlags, CLONE.pid);
  assert.deepEqual(named(plan, "CGROUP", "CGROUP_SET", "CGROUP_ENTER", "UNSHARE").map(({ op }) => op), ["CGROUP", "CGROUP_SET", "CGROUP_ENTER", "UNSHARE"]);
});

test("as root a namespace is joined before a new user namespace, from whose inside it could not be", () => {
  const base = makeSpec(["/bin/true"], { extension: { loopback: false } });
  const namespaces = (base.linux?.namespaces ?? []).map((namespace) => (namespace.type === "network" ? { ...namespace, path: "/run/netns/a" } : namespace));
  const plan = compilePlan({ ...base, linux: { ...base.linux, namespaces } }, makeFacts());
  assert.deepEqual(plan.steps.host.slice(0, 2).map(({ op }) => op), ["OPEN", "SETNS"]);
  assert.equal(plan.run.cloneFlags & CLONE.network, 0);
});

test("a limit that cannot be set is an error with who asked for it; as a default it is left out and said", () => {
  const limit = (kind: "flag" | "default"): Spec => bare({ resources: { memory: { limit: 1 << 20 } } }, {}, { origins: { "/linux/resources/memory": { kind, text: "--memory 1MiB" } } });
  assert.equal(refuses("BRIG_CANNOT_LIMIT", limit("flag")).origin, "--memory 1MiB");
  assert.match(compilePlan(limit("default"), makeFacts()).note.leftOut?.[0] ?? "", /memory\.limit/);
});

test("a rule that this host cannot enforce is refused by its code", () => {
  const hooks = { poststart: [{ path: "/bin/true" }] };
  refuses("BRIG_CANNOT_RUN_HOOK", bare({}, { hooks }));
  refuses("BRIG_CANNOT_LANDLOCK", bare({}, {}, { landlock: { read: ["/"] } }), makeFacts({ landlockAbi: 0 }));
  refuses("BRIG_CANNOT_LANDLOCK", bare({}, {}, { landlock: { read: ["/"], minimumAbi: 6 } }), makeFacts({ landlockAbi: 4 }));
  refuses("BRIG_NO_USER_NAMESPACE", makeSpec(["x"]), makeFacts({ userNamespaces: false }));
  refuses("BRIG_CANNOT_SYSCTL", bare({ sysctl: { "kernel.panic": "1" } }));
  refuses("BRIG_CANNOT_SYSCTL", bare({ sysctl: { "net.ipv4.ip_forward": "1" } }));
  refuses("BRIG_CANNOT_LABEL", bare({}, { process: { cwd: "/", args: ["x"], selinuxLabel: "a:b:c" } }));
  refuses("BRIG_CANNOT_LIMIT_DEVICES", bare({ resources: { devices: [{ allow: false, access: "rwm" }] } }));
  refuses("BRIG_CANNOT_BE_USER", makeSpec(["x"], { uid: 1000, gid: 1000, process: { user: { uid: 5, gid: 1000 } } }), makeUserFacts());
  refuses("BRIG_CANNOT_SET_GROUPS", bare({}, { process: { cwd: "/", args: ["x"], user: { uid: 1000, gid: 1000, additionalGids: [5] } } }), makeUserFacts());
  refuses("BRIG_CANNOT_MOUNT", makeSpec(["x"], { spec: { mounts: [{ destination: "/x", type: "tmpfs", options: ["remount"] }] } }));
  refuses("BRIG_CANNOT_CAPABILITY", bare({}, { process: { cwd: "/", args: ["x"], capabilities: { bounding: ["CAP_FLY"] } } }));
  refuses("BRIG_CANNOT_DROP_CAPABILITIES", bare({}, { process: { cwd: "/", args: ["x"] } }), makeUserFacts());
});

test("a mount of /proc or /sys needs the namespace that it shows", () => {
  const base = makeSpec(["x"]);
  const without = (type: NamespaceType): Spec => ({ ...base, linux: { ...base.linux, namespaces: (base.linux?.namespaces ?? []).filter((namespace) => namespace.type !== type) } });
  assert.match(refuses("BRIG_CANNOT_MOUNT", without("pid")).message, /pid namespace/);
});

test("entries stand behind the mounts above them and before those below", () => {
  const spec = makeSpec(["x"], {
    extension: { files: [{ type: "symlink", path: "/dev/fd", target: "/proc/self/fd" }, { type: "dir", path: "/home" }] },
    spec: { mounts: [{ destination: "/dev", type: "tmpfs" }, { destination: "/home/ada", type: "tmpfs" }] },
    linux: { namespaces: ALL_NEW.map((type) => ({ type })), uidMappings: makeSpec([]).linux?.uidMappings ?? [], gidMappings: makeSpec([]).linux?.gidMappings ?? [] },
  });
  const places = named(compilePlan(spec, makeFacts()), "FS", "SYMLINK", "DIR").map((step) => ("path" in step ? step.path : "target" in step ? step.target : ""));
  assert.deepEqual(places, ["/home", "/dev", "/dev/fd", "/home/ada"]);
});

test("Landlock rules have what the kernel's ABI knows", () => {
  const rights = (abi: number): { fs: bigint; net: bigint; scoped: bigint } => {
    const [step] = named(compilePlan(bare({}, {}, { landlock: { read: ["/"], write: ["/"], execute: ["/"], bindTcp: [], connectTcp: [443], scopes: ["signal"] } }), makeFacts({ landlockAbi: abi })), "LANDLOCK");
    assert.ok(step?.op === "LANDLOCK");
    return { fs: step.rules.handledFs, net: step.rules.handledNet, scoped: step.rules.scoped };
  };
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map((abi) => rights(abi).fs.toString(16)), ["1fff", "3fff", "7fff", "7fff", "ffff", "ffff", "ffff"]);
  assert.deepEqual([rights(3).net, rights(4).net, rights(5).scoped, rights(6).scoped], [0n, 3n, 0n, 2n]);
});

test("the default limit on processes is RLIMIT_NPROC where that holds, and one more for init", () => {
  const origins = { "/linux/resources/pids": { kind: "default" as const, text: "by default" } };
  const spec = makeSpec(["x"], { linux: { ...makeSpec([]).linux, resources: { pids: { limit: 10 } } }, extension: { origins } });
  assert.deepEqual(named(compilePlan(spec, makeFacts()), "RLIMIT"), [{ op: "RLIMIT", resource: 6, soft: 11n, hard: 11n, origin: "/linux/resources/pids/limit" }]);
  refuses("BRIG_CANNOT_LIMIT", spec, makeFacts({ kernel: [5, 10] }));
  const changing = { ...spec, process: { ...spec.process, cwd: "/", capabilities: { bounding: ["CAP_SETUID"] } } };
  refuses("BRIG_CANNOT_LIMIT", changing);
});

test("in place nothing is cloned, but for what somebody outside has to do", () => {
  const spec = (extension: Extension): Spec => bare({ namespaces: [{ type: "network" }] }, { process: { cwd: "/", args: ["/bin/true"] } }, { inPlace: true, ...extension });
  const plan = compilePlan(spec({}), makeFacts());
  assert.ok(plan.run.flags & RUN.IN_PLACE);
  assert.equal(plan.run.cloneFlags, 0);
  assert.deepEqual(named(plan, "UNSHARE"), [{ op: "UNSHARE", flags: CLONE.network, origin: "/linux/namespaces" }]);
  const kept = compilePlan(spec({ persist: [{ type: "net", path: "/run/netns/a" }] }), makeFacts());
  assert.equal(kept.run.flags & RUN.IN_PLACE, 0);
  assert.deepEqual(kept.steps.parent.map(({ op }) => op), ["BIND_NAMESPACE"]);
});

test("a listing names each step and who asked for it, and shows no control characters", () => {
  const spec = makeSpec(["/bin/echo", "\u001b[31m\u009b"], { extension: { origins: { "/mounts/0": { kind: "flag", text: "--read /usr" } } } });
  const lines = disassemblePlan(compilePlan(spec, makeFacts()));
  assert.ok(lines.some((line) => /open-tree slot=0 path=\/usr.*# --read \/usr/.test(line)));
  // eslint-disable-next-line no-control-regex
  assert.ok(lines.every((line) => !/[\u0000-\u001f\u007f-\u009f]/.test(line)));
});
