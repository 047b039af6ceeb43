import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../fast-check.js";
import { BrigError } from "../../src/error/brig-error.js";
import { type HostFacts, readHostFacts } from "../../src/host/facts.js";
import { buildSpec } from "../../src/policy/build-spec.js";
import type { PolicyContext } from "../../src/policy/context.js";
import { MAPPED_BASE } from "../../src/policy/identity.js";
import type { SandboxOptions } from "../../src/policy/options.js";
import { readExtension } from "../../src/spec/extension.js";
import type { Spec } from "../../src/spec/oci.js";
import { originOf } from "../../src/spec/origin.js";

const base = realpathSync(mkdtempSync(join(tmpdir(), "brig-policy-")));
const home = join(base, "home");
const project = join(home, "project");
mkdirSync(join(project, "sub"), { recursive: true });
mkdirSync(join(base, "data"));
writeFileSync(join(base, "file"), "x");
symlinkSync(join(base, "data"), join(home, "link"));
after(() => rmSync(base, { recursive: true, force: true }));

const real = readHostFacts();
const asRoot = { ...real, kernel: [6, 18], euid: 0, egid: 0 } as unknown as HostFacts;
const asUser = { ...real, kernel: [6, 18], euid: 1000, egid: 1000, userName: "ann" } as unknown as HostFacts;

function build(options: SandboxOptions = {}, context: Partial<PolicyContext> = {}, command = ["sh"]): Spec {
  return buildSpec(options, command, { cwd: project, env: { PATH: "/usr/bin:/bin:/nowhere", HOME: home }, home, host: asUser, ...context });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof BrigError, String(error));
    return error.code;
  }
  return "none";
}

const findMount = (spec: Spec, destination: string) => spec.mounts?.find((mount) => mount.destination === destination);
const isReadOnly = (spec: Spec, destination: string) => findMount(spec, destination)?.options?.includes("rro");

test("every namespace is new by default, and only what is shared by name is missing", () => {
  const types = (options: SandboxOptions) => build(options).linux?.namespaces?.map(({ type }) => type).sort();
  assert.deepEqual(types({}), ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]);
  assert.deepEqual(types({ share: ["pid", "net"] }), ["cgroup", "ipc", "mount", "time", "user", "uts"]);
  assert.equal(codeOf(() => build({ share: ["mount"] })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ share: ["everything"] })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ share: ["net"], net: "none" })), "BRIG_BAD_VALUE");
});

test("the payload has no capabilities, no way to gain them, and a filter", () => {
  const { process, linux } = build();
  assert.deepEqual(process?.capabilities, { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] });
  assert.equal(process?.noNewPrivileges, true);
  assert.equal(linux?.seccomp?.defaultAction, "SCMP_ACT_ERRNO");
});

test("system folders are read-only at their places and nothing else of the host is there", () => {
  const spec = build();
  assert.equal(isReadOnly(spec, "/usr"), true);
  assert.equal(isReadOnly(spec, "/etc"), true);
  const shown = spec.mounts?.filter((mount) => mount.type === "bind" && !mount.destination.startsWith("/dev/"));
  const outside = shown?.filter(({ destination }) => !/^\/(usr|etc|opt|nix|gnu|s?bin|lib\w*)$/.test(destination)).map(({ destination }) => destination);
  assert.deepEqual(outside, [project]);
});

test("the working folder is read-only, until write names it or a folder above", () => {
  assert.equal(isReadOnly(build(), project), true);
  assert.equal(isReadOnly(build({ write: ["."] }), project), false);
  assert.equal(isReadOnly(build({ project: "write" }), project), false);
  const above = build({ write: [project] }, { cwd: join(project, "sub") });
  assert.equal(findMount(above, join(project, "sub")), undefined);
  assert.equal(isReadOnly(above, project), false);
  assert.equal(above.process?.cwd, join(project, "sub"));
});

test("standing in the home, above it, or in a shared folder shows nothing of it", () => {
  for (const cwd of [home, base, "/", "/tmp", "/home", "/run", "/proc/self"]) {
    const spec = build({}, { cwd });
    assert.equal(findMount(spec, cwd), undefined, cwd);
    assert.ok(!spec.mounts?.some((mount) => mount.source === cwd && mount.type === "bind"), cwd);
  }
  assert.equal(build({}, { cwd: home }).process?.cwd, home);
  assert.equal(build({}, { cwd: "/" }).process?.cwd, "/");
  assert.match(readExtension(build({}, { cwd: home })).notes?.join() ?? "", /--read ~/);
});

test("project none shows nothing and goes home", () => {
  const spec = build({ project: "none" });
  assert.equal(findMount(spec, project), undefined);
  assert.equal(spec.process?.cwd, home);
});

test("a path that is read and written is written, and a narrower read stays read-only below it", () => {
  const spec = build({ read: [project, join(project, "sub")], write: [project] });
  assert.equal(isReadOnly(spec, project), false);
  assert.equal(isReadOnly(spec, join(project, "sub")), true);
  const order = spec.mounts?.map(({ destination }) => destination) ?? [];
  assert.ok(order.indexOf(project) < order.indexOf(join(project, "sub")));
});

test("a link is followed to the real place and stands where it was named", () => {
  const spec = build({ read: ["~/link"] });
  assert.ok(findMount(spec, join(base, "data")));
  const link = readExtension(spec).files?.find(({ path }) => path === join(home, "link"));
  assert.deepEqual(link, { type: "symlink", path: join(home, "link"), target: join(base, "data") });
});

test("a missing path is an error that names who asked", () => {
  try {
    build({ read: ["/does/not/exist"] }, { origins: { "/read/0": { kind: "flag", text: "--read /does/not/exist" } } });
    assert.fail("no error");
  } catch (error) {
    assert.ok(error instanceof BrigError);
    assert.equal(error.code, "BRIG_NO_SUCH_PATH");
    assert.equal(error.origin, "--read /does/not/exist");
  }
  assert.equal(codeOf(() => build({ write: ["/"] })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ read: ["a\0b"] })), "BRIG_BAD_VALUE");
});

test("a user gets one id, root a range that is nobody's, with its folders idmapped", () => {
  assert.deepEqual(build().linux?.uidMappings, [{ containerID: 1000, hostID: 1000, size: 1 }]);
  assert.deepEqual(build({ user: "0:0" }).linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  const root = build({ write: ["."] }, { host: asRoot });
  assert.deepEqual(root.linux?.uidMappings, [{ containerID: 0, hostID: MAPPED_BASE, size: 65_536 }]);
  assert.deepEqual(root.process?.user, { uid: 0, gid: 0 });
  assert.deepEqual(findMount(root, project)?.uidMappings, root.linux?.uidMappings);
  assert.equal(findMount(root, "/usr")?.uidMappings, undefined);
});

test("a writable folder that cannot be idmapped is an error for root, and a readable one is shown as it is", () => {
  const old = { ...asRoot, kernel: [5, 10] } as unknown as HostFacts;
  assert.equal(codeOf(() => build({ write: ["."] }, { host: old })), "BRIG_CANNOT_IDMAP");
  assert.equal(findMount(build({}, { host: old }), project)?.uidMappings, undefined);
  assert.equal(codeOf(() => build({ write: ["."], share: ["user"] }, { host: old })), "none");
});

test("the environment is a short list, and what is asked for", () => {
  const env = { PATH: "/usr/bin:/bin:/nowhere:relative", HOME: home, SECRET: "s", TERM: "xterm", LC_ALL: "C", SSH_AUTH_SOCK: "/x" };
  const names = (options: SandboxOptions) => build(options, { env }).process?.env?.map((entry) => entry.split("=", 1)[0]).sort();
  assert.deepEqual(names({}), ["HOME", "LC_ALL", "LOGNAME", "PATH", "TERM", "USER"]);
  assert.ok(names({ env: ["SECRET", "ABSENT"] })?.includes("SECRET"));
  assert.ok(!names({ env: ["SECRET", "ABSENT"] })?.includes("ABSENT"));
  assert.ok(names({ inheritEnv: true })?.includes("SSH_AUTH_SOCK"));
  assert.ok(build({}, { env }).process?.env?.includes("PATH=/usr/bin:/bin"));
});

test("a program that only the caller can see is refused with the word that shows it", () => {
  const bin = join(home, "tools", "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "mine"), "#!/bin/sh\n");
  chmodSync(join(bin, "mine"), 0o755);
  const env = { PATH: `${bin}:/usr/bin`, HOME: home };
  try {
    build({}, { env }, ["mine"]);
    assert.fail("no error");
  } catch (error) {
    assert.ok(error instanceof BrigError);
    assert.deepEqual([error.code, error.exitCode], ["BRIG_COMMAND_NOT_FOUND", 127]);
    assert.match(error.hint ?? "", /--read ~\/tools$/);
  }
  assert.equal(codeOf(() => build({ read: ["~/tools"] }, { env }, ["mine"])), "none");
});

test("the network is loopback only, and a named namespace must exist", () => {
  assert.equal(readExtension(build()).loopback, true);
  assert.equal(build({ net: "host" }).linux?.namespaces?.some(({ type }) => type === "network"), false);
  assert.equal(readExtension(build({ net: "user", publish: ["8080:80"] })).network?.ports?.[0]?.host, 8080);
  assert.equal(codeOf(() => build({ net: "netns=no-such-one" })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ net: "netns=../../etc" })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ net: "moon" })), "BRIG_NO_SUCH_NETWORK");
  assert.equal(codeOf(() => build({ net: "moon=x" })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ net: "user", publish: ["80"] })), "BRIG_BAD_VALUE");
  assert.equal(codeOf(() => build({ publish: ["80:80"] })), "BRIG_BAD_VALUE");
});

test("limits are there by default, and none takes them away", () => {
  const resources = (options: SandboxOptions) => build(options).linux?.resources;
  assert.equal(resources({})?.pids?.limit, 1024);
  assert.ok((resources({})?.memory?.limit ?? 0) > 2 ** 20);
  assert.equal(resources({ memory: "64MiB" })?.memory?.limit, 64 * 2 ** 20);
  assert.equal(resources({ memory: "none" })?.memory, undefined);
  assert.deepEqual(resources({ cpus: 1.5 })?.cpu, { quota: 150_000, period: 100_000 });
  for (const options of [{ pids: 0 }, { cpus: -1 }, { cpuset: "a" }, { nice: 40 }, { memory: "12q" }, { rlimits: ["core"] }] as SandboxOptions[])
    assert.equal(codeOf(() => build(options)), "BRIG_BAD_VALUE", JSON.stringify(options));
});

test("Landlock allows writing only where the policy does, and the kernel's tables stay read-only", () => {
  const spec = build({ write: [join(base, "data")] });
  const write = readExtension(spec).landlock?.write ?? [];
  assert.ok(write.includes(join(base, "data")) && write.includes("/tmp") && write.includes(home));
  assert.ok(!write.includes("/") && !write.includes("/usr") && !write.includes(project));
  assert.ok(spec.linux?.readonlyPaths?.includes("/proc/sys"));
  assert.equal(readExtension(build({ landlock: "require" })).landlock?.optional, undefined);
  assert.equal(readExtension(build({ landlock: "none" })).landlock, undefined);
});

test("a root of its own is read-only unless write names it, and shows nothing of the host by itself", () => {
  const root = join(base, "root");
  for (const name of ["dev", "proc", "run", "tmp", "var/tmp"]) mkdirSync(join(root, name), { recursive: true });
  const spec = build({ root });
  assert.deepEqual(spec.root, { path: root, readonly: true });
  assert.deepEqual(build({ root, write: ["/"] }).root, { path: root, readonly: false });
  assert.equal(findMount(spec, "/"), undefined);
  assert.equal(findMount(build({ root }, { host: asRoot }), "/")?.uidMappings?.[0]?.hostID, 0x7272_0000);
  assert.equal(findMount(spec, "/usr"), undefined);
  assert.equal(findMount(spec, project), undefined);
  assert.equal(spec.process?.cwd, "/");
  assert.equal(codeOf(() => build({ root: join(base, "file") })), "BRIG_BAD_VALUE");
});

test("a root without the places to mount on stands on a root in memory, and is not written to", () => {
  const root = join(base, "made-by-hand");
  mkdirSync(join(root, "bin"), { recursive: true });
  symlinkSync("bin", join(root, "sbin"));
  const spec = build({ root });
  assert.equal(spec.root?.path, "");
  assert.ok(findMount(spec, "/bin")?.options?.includes("rro"));
  assert.ok(findMount(spec, "/proc"));
  assert.ok(readExtension(spec).files?.some((entry) => entry.path === "/sbin" && entry.type === "symlink"));
  assert.equal(build({ root, write: ["/"] }).root?.path, root);
});

test("no secret of /etc that the caller may read is left visible", (t) => {
  if (process.geteuid?.() !== 0 || !existsSync("/etc/shadow")) return t.skip("needs root, who may read /etc/shadow");
  const spec = build({ share: ["user"] }, { host: asRoot });
  assert.ok(spec.linux?.maskedPaths?.includes("/etc/shadow"));
  for (const path of ["/proc/kcore", "/proc/timer_list", "/proc/keys"]) assert.equal(spec.linux?.maskedPaths?.includes(path), existsSync(path), path);
  for (const path of ["/proc/sysrq-trigger", "/proc/bus"]) assert.equal(spec.linux?.readonlyPaths?.includes(path), existsSync(path), path);
});

test("every mount, limit and wall has an origin", () => {
  const spec = build({ read: [join(base, "data")], tmpfs: ["/cache"], memory: "1g" });
  const pointers = [
    ...(spec.mounts ?? []).map((_, index) => `/mounts/${index}`),
    "/linux/namespaces/0", "/linux/uidMappings", "/linux/resources/memory", "/linux/resources/pids/limit", "/linux/seccomp", "/linux/maskedPaths/0",
    "/process/env/0", "/process/cwd", "/process/user", "/process/capabilities/bounding", "/process/noNewPrivileges", "/process/rlimits/0", "/hostname", "/root/path",
    "/annotations/dev.brig.landlock", "/annotations/dev.brig.network",
  ];
  for (const pointer of pointers) assert.ok(originOf(spec, pointer), pointer);
});

test("what the spec depends on is told", () => {
  const consulted = { files: new Set<string>(), env: new Set<string>() };
  build({ read: ["~/link"], env: ["MINE"] }, { consulted });
  build({ user: "nobody" }, { consulted });
  for (const file of ["/", "/etc/passwd", join(home, "link")]) assert.ok(consulted.files.has(file), file);
  for (const name of ["PATH", "HOME", "MINE", "LC_ALL", "USER"]) assert.ok(consulted.env.has(name), name);
});

test("whatever the options, a spec or one of brig's errors comes out, and no read-only folder is listed as writable", () => {
  const path = fc.constantFrom(project, home, "~/link", ".", "..", "/", "/usr", "/etc/passwd", "/nowhere", "", "~", join(base, "data"), "a\nb");
  const options = fc.record(
    {
      read: fc.array(path, { maxLength: 3 }), write: fc.array(path, { maxLength: 3 }), hide: fc.array(path, { maxLength: 2 }),
      tmpfs: fc.array(fc.constantFrom("/cache", "/x:size=1m", "rel", "/"), { maxLength: 2 }),
      net: fc.constantFrom("none", "host", "user", "x"), project: fc.constantFrom("read", "write", "none"), cwd: path,
      memory: fc.oneof(fc.string(), fc.nat()), user: fc.oneof(fc.string(), fc.constant("nobody"), fc.nat().map(String)), share: fc.array(fc.constantFrom("pid", "user", "net", "mount"), { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(options, fc.boolean(), (given, root) => {
      try {
        const spec = build(given as SandboxOptions, { host: root ? asRoot : asUser });
        const readOnly = (spec.mounts ?? []).filter((mount) => mount.options?.includes("rro")).map(({ destination }) => destination);
        const writable = readExtension(spec).landlock?.write ?? [];
        assert.deepEqual(readOnly.filter((place) => writable.includes(place)), []);
      } catch (error) {
        assert.ok(error instanceof BrigError, String((error as Error).stack));
      }
    }),
    { numRuns: 200 },
  );
});
