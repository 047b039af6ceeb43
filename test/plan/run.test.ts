import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Extension } from "../../src/spec/extension.js";
import { readExtension, writeExtension } from "../../src/spec/extension.js";
import type { Mount, Spec } from "../../src/spec/oci.js";
import { cannotRun, type Ran, runSpec } from "./run-spec.js";
import { makeSpec } from "./specs.js";

const USER = 41_234;
const users = [{ name: "root with a range of ids", uid: 0 }, { name: "an ordinary user", uid: USER }];

type Change = Parameters<typeof makeSpec>[1];

function run(script: string, uid: number, change: Change = {}, options = {}): Ran {
  return runSpec(makeSpec(["sh", "-c", script], { uid, gid: uid, ...change }), { uid }, options);
}

function withMounts(script: string, uid: number, mounts: Mount[], extension: Extension = {}): Spec {
  const spec = makeSpec(["sh", "-c", script], { uid, gid: uid, extension });
  return { ...spec, mounts: [...(spec.mounts ?? []), ...mounts] };
}

function makeFolder(t: TestContext, uid: number, mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-run-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chownSync(folder, uid, uid);
  chmodSync(folder, mode);
  return folder;
}

/** The same test as root and as an ordinary user. */
function forBoth(name: string, body: (t: TestContext, uid: number) => void): void {
  for (const user of users)
    test(`${name}, as ${user.name}`, (t) => {
      const reason = cannotRun();
      if (reason) return t.skip(reason);
      body(t, user.uid);
    });
}

function passed(ran: Ran): string {
  assert.equal(ran.refused, undefined);
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout;
}

forBoth("every namespace is new and the payload has no capability", (_t, uid) => {
  const lines = passed(run("for n in pid net mnt ipc uts user cgroup; do readlink /proc/self/ns/$n; done; grep -E '^(Cap|NoNew)' /proc/self/status; hostname; id -u", uid)).trim().split("\n");
  ["pid", "net", "mnt", "ipc", "uts", "user", "cgroup"].forEach((name, index) => assert.notEqual(lines[index], readlink(name), name));
  assert.deepEqual(lines.slice(7, 12).map((line) => line.split("\t")[1]), Array(5).fill("0000000000000000"));
  assert.deepEqual(lines.slice(12), ["NoNewPrivs:\t1", "brig", String(uid)]);
});

function readlink(name: string): string {
  return `${name}:[${statSync(`/proc/self/ns/${name}`).ino}]`;
}

forBoth("what is read-only cannot be written, and what is masked cannot be read", (_t, uid) => {
  const out = passed(run("touch /usr/x 2>&1 || true; wc -c < /proc/keys; ls /home 2>&1 || true; (echo y > /proc/sys/kernel/hostname) 2>&1 || true; hostname", uid));
  assert.match(out, /Read-only file system/);
  assert.match(out, /^0$/m);
  assert.match(out, /No such file or directory/);
  assert.match(out, /^brig$/m);
});

forBoth("a writable bind writes to the host, its read-only part does not", (t, uid) => {
  const folder = makeFolder(t, uid === 0 ? 700_000_000 : uid);
  mkdirSync(join(folder, "part"), { mode: 0o777 });
  chmodSync(join(folder, "part"), 0o777);
  const spec = withMounts("echo x > /project/a && ! echo x > /project/part/b", uid, [
    { destination: "/project", type: "bind", source: folder, options: ["rbind", "nosuid", "nodev"] },
    { destination: "/project/part", type: "bind", source: join(folder, "part"), options: ["rbind", "ro"] },
  ]);
  passed(runSpec(spec, { uid }));
  assert.equal(readFileSync(join(folder, "a"), "utf8"), "x\n");
  assert.deepEqual(readdirSync(join(folder, "part")), []);
});

test("an idmapped bind keeps the owners that files have on the host", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const folder = makeFolder(t, 0, 0o700);
  const spec = withMounts("stat -c %u /project && touch /project/made", 0, [{ destination: "/project", type: "bind", source: folder, options: ["bind", "idmap"] }]);
  assert.equal(passed(runSpec(spec)), "0\n");
  assert.equal(statSync(join(folder, "made")).uid, 0);
});

test("an ordinary user cannot map the ids of a bind, and is told so", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const spec = withMounts("true", USER, [{ destination: "/project", type: "bind", source: "/usr", options: ["bind", "idmap"] }]);
  assert.equal(runSpec(spec, { uid: USER }).refused?.code, "BRIG_CANNOT_IDMAP");
});

forBoth("tmpfs, devpts, mqueue and sysfs are mounted with their options", (_t, uid) => {
  const spec = withMounts("grep -E ' /(scratch|dev/pts|dev/mqueue|sys) ' /proc/self/mountinfo", uid, [
    { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "size=1m", "mode=1777"] },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "nodev", "noexec"] },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: ["ro", "nosuid", "nodev", "noexec"] },
  ]);
  const out = passed(runSpec(spec, { uid }));
  assert.match(out, / \/scratch rw,nosuid,nodev,noexec.*size=1024k/);
  assert.match(out, / \/dev\/pts rw,nosuid,noexec.*ptmxmode=666/);
  assert.match(out, / \/dev\/mqueue rw,nosuid,nodev,noexec/);
  assert.match(out, / \/sys ro,nosuid,nodev,noexec/);
});

forBoth("an overlay keeps the lower folder as it is", (t, uid) => {
  const owner = uid === 0 ? 700_000_000 : uid;
  const folder = makeFolder(t, owner);
  for (const name of ["lower", "upper", "work"]) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), owner, owner);
  }
  writeFileSync(join(folder, "lower/a"), "old");
  chownSync(join(folder, "lower/a"), owner, owner);
  const overlay = [{ lower: join(folder, "lower"), upper: join(folder, "upper"), work: join(folder, "work"), destination: "/over" }];
  passed(runSpec(withMounts("echo new > /over/a; cat /over/a", uid, [], { overlay }), { uid }));
  assert.equal(readFileSync(join(folder, "lower/a"), "utf8"), "old");
  assert.equal(readFileSync(join(folder, "upper/a"), "utf8"), "new\n");
});

forBoth("limits, umask, working folder and OOM score are the payload's", (_t, uid) => {
  const out = passed(run("ulimit -n; ulimit -c; umask; pwd; cat /proc/self/oom_score_adj", uid, {
    process: { cwd: "/tmp", user: { uid, gid: uid, umask: 0o027 }, oomScoreAdj: 500, rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }, { type: "RLIMIT_CORE", soft: 0, hard: 0 }] },
  }));
  assert.deepEqual(out.trim().split("\n"), ["100", "0", "0027", "/tmp", "500"]);
});

forBoth("a default limit on processes holds without a cgroup", (_t, uid) => {
  const ran = run("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 2 & done; wait", uid, {
    linux: { ...makeSpec([], { uid, gid: uid }).linux, resources: { pids: { limit: 6 } } },
    extension: { origins: { "/linux/resources/pids": { kind: "default", text: "by default" } } },
  });
  assert.match(ran.stderr, /fork|Resource temporarily unavailable/i);
});

test("an explicit limit on memory kills what exceeds it and leaves no cgroup behind", async (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const own = readFileSync("/proc/self/cgroup", "utf8").match(/:memory:(.*)/)?.[1] ?? "";
  const folder = join("/sys/fs/cgroup/memory", own);
  const before = new Set(existsSync(folder) ? readdirSync(folder) : []);
  // the other tests' sandboxes come and go beside it: one that stays without a process is nobody's
  const isLeft = (name: string) => name.startsWith("brig-") && !before.has(name) && existsSync(join(folder, name)) && readProcesses(join(folder, name)) === "";
  const ran = run("head -c 200m /dev/zero | tail -c 190m > /tmp/x", 0, {
    linux: { ...makeSpec([]).linux, resources: { memory: { limit: 32 << 20 } } },
    extension: { rootTmpfs: { size: 1 << 30 } },
    spec: { mounts: [...(makeSpec([]).mounts ?? []), { destination: "/dev/zero", type: "bind", source: "/dev/zero", options: ["bind"] }] },
  });
  if (ran.refused?.code === "BRIG_CANNOT_LIMIT") return t.skip("no memory cgroup can be made here");
  assert.notEqual(ran.status, 0, ran.stderr);
  if (!existsSync(folder)) return;
  let left = readdirSync(folder).filter(isLeft);
  for (let tries = 0; left.length > 0 && tries < 50; tries++) {
    await setTimeout(100);
    left = left.filter(isLeft);
  }
  assert.deepEqual(left, []);
});

function readProcesses(cgroup: string): string | undefined {
  try {
    return readFileSync(join(cgroup, "cgroup.procs"), "utf8");
  } catch {
    return undefined; // gone meanwhile
  }
}

forBoth("sysctls of the sandbox's own namespaces are set, others refused", (_t, uid) => {
  const linux = { ...makeSpec([], { uid, gid: uid }).linux };
  assert.equal(passed(run("cat /proc/sys/net/ipv4/ip_unprivileged_port_start", uid, { linux: { ...linux, sysctl: { "net.ipv4.ip_unprivileged_port_start": "80" } } })), "80\n");
  assert.equal(run("true", uid, { linux: { ...linux, sysctl: { "kernel.panic": "1" } } }).refused?.code, "BRIG_CANNOT_SYSCTL");
});

forBoth("Landlock refuses what its rules do not name", (t, uid) => {
  const ran = run("cat /usr/share/common-licenses/BSD > /dev/null && ! cat /etc/hostname", uid, { extension: { landlock: { read: ["/usr", "/bin", "/lib", "/proc"], write: ["/dev/null", "/tmp"], execute: ["/usr"] } } });
  if (ran.refused?.code === "BRIG_CANNOT_LANDLOCK") return t.skip("this kernel has no Landlock");
  passed(ran);
  assert.match(ran.stderr, /Permission denied/);
});

forBoth("seccomp refuses what its rules refuse", (_t, uid) => {
  const linux = { ...makeSpec([], { uid, gid: uid }).linux };
  const ran = run("mkdir /tmp/x", uid, { linux: { ...linux, seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }] } } });
  assert.match(ran.stderr, /Operation not permitted/);
});

forBoth("clock offsets reach the payload", (_t, uid) => {
  const linux = makeSpec([], { uid, gid: uid }).linux;
  const out = passed(run("cut -d. -f1 /proc/uptime", uid, { linux: { ...linux, namespaces: [...(linux?.namespaces ?? []), { type: "time" }], timeOffsets: { boottime: { secs: 1_000_000 } } } }));
  assert.ok(Number(out) > 1_000_000 + Number(readFileSync("/proc/uptime", "utf8").split(".")[0]) - 5, out);
});

test("hooks run before the payload, with the state on standard input and no other environment", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const folder = makeFolder(t, 0);
  const hook = { path: "/bin/sh", args: ["sh", "-c", `cat > ${folder}/state; echo "$A:$HOME" > ${folder}/env`], env: ["A=50%p"] };
  const ran = run("true", 0, { spec: { hooks: { createRuntime: [hook] }, annotations: { mine: "100%i" } } }, { id: "hooked" });
  passed(ran);
  const state = JSON.parse(readFileSync(join(folder, "state"), "utf8")) as Record<string, unknown>;
  assert.equal(state["id"], "hooked");
  assert.ok(Number(state["pid"]) > 1);
  assert.equal(readFileSync(join(folder, "env"), "utf8"), "50%p:\n");
  assert.equal(run("true", 0, { spec: { hooks: { poststop: [hook] } } }).refused?.code, "BRIG_CANNOT_RUN_HOOK");
});

test("a hook that fails keeps the payload from running", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const ran = run("echo ran", 0, { spec: { hooks: { prestart: [{ path: "/bin/false" }] } } });
  assert.equal(ran.status, 125);
  assert.equal(ran.stdout, "");
});

test("a folder as root has OCI's default devices, and can be read-only", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const folder = makeFolder(t, 0);
  const base = makeSpec(["sh", "-c", "echo x > /dev/null && head -c1 /dev/urandom | wc -c && readlink /dev/fd && ! touch /new && grep ' / ' /proc/self/mountinfo"]);
  const { rootTmpfs: _, ...extension } = readExtension(base);
  for (const uid of [undefined, 700_000_000]) {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    if (uid) chownSync(folder, uid, uid);
    const linux = { ...base.linux, namespaces: (base.linux?.namespaces ?? []).filter(({ type }) => uid || type !== "user"), ...(uid ? {} : { uidMappings: [], gidMappings: [] }) };
    const mounts = [...(base.mounts ?? []).filter(({ destination }) => destination !== "/dev/null"), { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] }];
    const out = passed(runSpec(writeExtension({ ...base, root: { path: folder, readonly: true }, mounts, linux }, extension)));
    assert.match(out, /^1\n\/proc\/self\/fd\n/);
    assert.match(out, / \/ ro,/);
  }
});

test("what a namespace is joined by is joined, and the rest stays new", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const base = makeSpec([]).linux;
  const namespaces = (base?.namespaces ?? []).map((namespace) => (namespace.type === "network" ? { ...namespace, path: "/proc/self/ns/net" } : namespace));
  assert.equal(passed(run("readlink /proc/self/ns/net", 0, { linux: { ...base, namespaces }, extension: { loopback: false } })), `${readlink("net")}\n`);
});

forBoth("outgoing network through pasta comes and goes with the sandbox", (t, uid) => {
  const folder = makeFolder(t, uid);
  const ran = run("ip -br addr | grep -v ^lo", uid, { extension: { network: { mode: "user" }, name: "net" } }, { runFolder: join(folder, "run") });
  if (ran.refused?.code === "BRIG_CANNOT_NETWORK") return t.skip("pasta is not installed");
  assert.match(passed(ran), /\d+\.\d+\.\d+\.\d+\//);
  assert.deepEqual(readdirSync(join(folder, "run")), ["names"]);
  const end = Date.now() + 5000;
  while (listPasta(folder).length > 0 && Date.now() < end) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  assert.deepEqual(listPasta(folder), []);
});

function listPasta(folder: string): string[] {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return line.includes("pasta") && line.includes(folder);
    } catch {
      return false;
    }
  });
}

forBoth("the config.json that runc spec writes runs as it stands", (t, uid) => {
  const folder = makeFolder(t, uid);
  const words = uid === 0 ? ["spec"] : ["spec", "--rootless"];
  if (spawnSync("runc", words, { cwd: folder, uid, gid: uid, env: { PATH: process.env["PATH"] ?? "", HOME: folder } }).status !== 0) return t.skip("runc is not installed");
  const spec = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as Spec;
  const args = ["sh", "-c", "id -u; ls /dev; ls -d /sys/fs/cgroup; grep -c CapEff:.0000000020000420 /proc/self/status; ! touch /new; hostname"];
  const out = passed(runSpec({ ...spec, root: { path: "/", readonly: true }, process: { ...spec.process, cwd: "/", terminal: false, args } }, { uid }));
  assert.deepEqual(out.trim().split("\n").filter((line) => line !== "core"), ["0", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero", "/sys/fs/cgroup", "1", "runc"]);
});

test("a payload that becomes another user has just the groups and capabilities that are said", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const sets = { bounding: ["CAP_NET_RAW"], permitted: ["CAP_NET_RAW"], effective: ["CAP_NET_RAW"], inheritable: ["CAP_NET_RAW"], ambient: ["CAP_NET_RAW"] };
  const out = passed(run("id -u; id -g; id -G; grep Cap /proc/self/status | cut -f2 | sort -u", 0, { process: { user: { uid: 7, gid: 8, additionalGids: [9, 10] }, capabilities: sets } }));
  assert.deepEqual(out.trim().split("\n"), ["7", "8", "8 9 10", "0000000000002000"]);
});

test("cgroups that are mounted begin at the sandbox's own", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const base = makeSpec(["sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max"]);
  const mounts = [...(base.mounts ?? []), { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "nodev", "noexec"] }];
  const ran = runSpec({ ...base, mounts, linux: { ...base.linux, resources: { memory: { limit: 100 << 20 } } } });
  if (ran.refused?.code === "BRIG_CANNOT_LIMIT") return t.skip("no memory cgroup can be made here");
  assert.equal(passed(ran), `${100 << 20}\n`);
});

test("a terminal of the sandbox's own is one, by name too", (t) => {
  if (cannotRun()) return t.skip(cannotRun());
  const spec = withMounts("tty; test -t 0 && test -t 1", 0, [{ destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666", "mode=0620"] }], { terminal: "always" });
  assert.equal(passed(runSpec(spec)).trim(), "/dev/pts/0");
});
