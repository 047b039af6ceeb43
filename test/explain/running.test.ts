import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { explainPosture } from "../../src/explain/explain-posture.js";
import { NAMESPACE_KINDS, type Posture } from "../../src/explain/posture.js";
import { readPosture } from "../../src/explain/read-posture.js";
import { renderWalls } from "../../src/explain/render-walls.js";
import type { Wall } from "../../src/explain/wall.js";
import { canRun, startSleep } from "./start-process.js";

const isRoot = process.geteuid?.() === 0;
const BASE = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev"];
const hasBwrap = canRun("bwrap", "--unshare-all", ...BASE, "true");

function find(posture: Posture, name: string): Wall {
  const wall = explainPosture(posture).find((candidate) => candidate.wall === name);
  assert.ok(wall, `nothing is said of ${name}`);
  return wall;
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync("/tmp/brig-explain-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a plain process shares every namespace, and the means of each open wall is said", async (t) => {
  const pid = await startSleep(t, "sleep", ["60"]);
  const posture = readPosture(pid);
  for (const kind of NAMESPACE_KINDS) assert.equal(posture.namespaces[kind].state, "shared", kind);
  assert.deepEqual([posture.root, posture.noNewPrivileges, posture.seccomp.mode], ["host", false, "none"]);
  assert.deepEqual(posture.command, ["sleep", "60"]);
  for (const name of ["root", "processes", "network", "IPC", "system calls", "files it can write"]) assert.equal(find(posture, name).state, "open", name);
  for (const wall of explainPosture(posture)) assert.ok(wall.means.length > 10 && (wall.state === "closed" || wall.word), wall.wall);
});

test("namespaces of a process under unshare are its own exactly where lsns sees others", async (t) => {
  if (!isRoot) return t.skip("needs root");
  const pid = await startSleep(t, "unshare", ["--net", "--uts", "--ipc", "sleep", "60"]);
  const posture = readPosture(pid);
  const listed = (who: string): Map<string, string> => {
    const { stdout } = spawnSync("lsns", ["-n", "-o", "TYPE,NS", "-p", who], { encoding: "utf8" });
    return new Map(stdout.trim().split("\n").map((line) => line.trim().split(/\s+/) as [string, string]));
  };
  const [inner, outer] = [listed(String(pid)), listed(String(process.pid))];
  assert.ok(inner.size >= 7);
  for (const [kind, id] of inner) {
    const seen = posture.namespaces[kind as "net"];
    assert.equal(seen.state, outer.get(kind) === id ? "shared" : "own", kind);
    assert.equal(seen.id, `${kind}:[${id}]`);
  }
  assert.equal(find(posture, "network").state, "closed");
  assert.equal(find(posture, "root").state, "open");
});

test("a process under bwrap --unshare-all has walls, and what is left open is named", async (t) => {
  if (!hasBwrap) return t.skip("bwrap does not run here");
  const folder = makeFolder(t);
  const pid = await startSleep(t, "bwrap", ["--unshare-all", "--unshare-user", "--uid", "1234", ...BASE, "--bind", folder, "/work", "--tmpfs", "/tmp", "--new-session", "sleep", "60"]);
  const posture = readPosture(pid);
  for (const kind of NAMESPACE_KINDS.filter((each) => each !== "time")) assert.equal(posture.namespaces[kind].state, "own", kind);
  assert.deepEqual(posture.writable, [{ path: "/work", host: folder }]);
  assert.deepEqual(posture.readable, [{ path: "/usr", host: "/usr" }]);
  assert.equal(posture.identity.insideUid, 1234);
  assert.equal(posture.identity.outsideUid, process.getuid?.());
  assert.deepEqual(posture.identity.uidMap, [{ containerID: 1234, hostID: process.getuid?.(), size: 1 }]);
  assert.deepEqual([posture.noNewPrivileges, posture.devices, posture.interfaces], [true, [], ["lo"]]);
  assert.deepEqual(posture.descriptors, []);
  assert.equal(find(posture, "files it can write").state, "narrow");
  assert.equal(find(posture, "clocks").state, "narrow");
  assert.equal(find(posture, "capabilities").state, "closed");
});

test("a read-only bind below a writable one is told apart, and what is covered is not told", async (t) => {
  if (!hasBwrap) return t.skip("bwrap does not run here");
  const folder = makeFolder(t);
  mkdirSync(join(folder, "in"));
  const pid = await startSleep(t, "bwrap", ["--unshare-all", ...BASE, "--bind", folder, "/w", "--ro-bind", join(folder, "in"), "/w/in", "--bind", folder, "/v/x", "--tmpfs", "/v", "--dev-bind", "/dev/null", "/v/mask", "sleep", "60"]);
  const posture = readPosture(pid);
  assert.deepEqual(posture.writable?.map((reach) => reach.path), ["/w"]);
  assert.deepEqual(posture.readable?.filter((reach) => reach.path !== "/usr"), [{ path: "/w/in", host: join(folder, "in") }]);
});

test("a chroot of root's is called no wall, and its folder on the host is named", async (t) => {
  if (!isRoot) return t.skip("needs root");
  const pid = await startSleep(t, "unshare", ["--mount", "sleep", "60"]);
  assert.equal(readPosture(pid).root, "own");
  const folder = makeFolder(t);
  chmodSync(folder, 0o755);
  assert.equal(spawnSync("cp", ["--parents", ...listLibraries("/usr/bin/sleep"), "/usr/bin/sleep", folder]).status, 0);
  const jailed = readPosture(await startSleep(t, "chroot", [folder, "/usr/bin/sleep", "60"]));
  assert.equal(jailed.root, "chroot");
  assert.deepEqual(jailed.writable?.[0], { path: "/", host: folder });
  assert.match(find(jailed, "root").means, /no wall against an attacker who is root in it.*CAP_SYS_CHROOT/);
  const plain = readPosture(await startSleep(t, "chroot", ["--userspec=65534:65534", "--groups=", folder, "/usr/bin/sleep", "60"]));
  assert.equal(find(plain, "root").state, "narrow");
});

function listLibraries(program: string): string[] {
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
}

test("a descriptor on a folder of the host is an open wall, one on a file a narrow one", async (t) => {
  if (!hasBwrap) return t.skip("bwrap does not run here");
  const folder = makeFolder(t);
  writeFileSync(join(folder, "secret"), "x");
  const [open, file] = [openSync(folder, "r"), openSync(join(folder, "secret"), "r+")];
  t.after(() => [open, file].forEach((fd) => closeSync(fd)));
  const args = ["--unshare-all", ...BASE, "sleep", "60"];
  const leaky = readPosture(await startSleep(t, "bwrap", args, { stdio: ["ignore", "ignore", "ignore", open, file] }));
  assert.deepEqual(leaky.descriptors, [
    { fd: 3, target: folder, folder: true, writable: false },
    { fd: 4, target: join(folder, "secret"), folder: false, writable: true },
  ]);
  assert.equal(find(leaky, "descriptors").state, "open");
  const narrow = readPosture(await startSleep(t, "bwrap", args, { stdio: ["ignore", "ignore", "ignore", file] }));
  assert.equal(find(narrow, "descriptors").state, "narrow");
});

test("a socket that asks a service outside is found where it is bound, not where it is covered", async (t) => {
  if (!hasBwrap) return t.skip("bwrap does not run here");
  const folder = makeFolder(t);
  const server = createServer().listen(join(folder, "s"));
  t.after(() => server.close());
  await once(server, "listening");
  const bind = ["--bind", join(folder, "s"), "/run/docker.sock", "--bind", join(folder, "s"), "/tmp/.X11-unix/X7", "--symlink", "../run", "/var/run"];
  const posture = readPosture(await startSleep(t, "bwrap", ["--unshare-all", ...BASE, ...bind, "sleep", "60"]));
  assert.deepEqual(posture.sockets?.map((socket) => socket.path).sort(), ["/run/docker.sock", "/tmp/.X11-unix/X7"], "/var/run/docker.sock is the same one");
  assert.match(find(posture, "sockets").means, /root on the host/);
  const covered = readPosture(await startSleep(t, "bwrap", ["--unshare-all", ...BASE, ...bind, "--tmpfs", "/run", "--tmpfs", "/tmp", "sleep", "60"]));
  assert.deepEqual(covered.sockets, []);
});

test("a link in a payload's root that points to a socket of the host is not followed outside", async (t) => {
  if (!hasBwrap) return t.skip("bwrap does not run here");
  const folder = makeFolder(t);
  const server = createServer().listen(join(folder, "s"));
  t.after(() => server.close());
  await once(server, "listening");
  mkdirSync(join(folder, "run"));
  symlinkSync(join(folder, "s"), join(folder, "run/docker.sock"));
  symlinkSync("../../../../../../../..", join(folder, "run/up"));
  symlinkSync("loop", join(folder, "run/loop"));
  symlinkSync("loop", join(folder, "run/snapd.socket"));
  const posture = readPosture(await startSleep(t, "bwrap", ["--unshare-all", ...BASE, "--ro-bind", join(folder, "run"), "/run", "sleep", "60"]));
  assert.deepEqual(posture.sockets, []);
});

test("devices beyond the harmless ones are named", async (t) => {
  if (!hasBwrap || !isRoot) return t.skip("needs bwrap and root");
  const posture = readPosture(await startSleep(t, "bwrap", ["--unshare-all", ...BASE, "--dev-bind", "/dev/kmsg", "/dev/kmsg", "sleep", "60"]));
  assert.deepEqual(posture.devices, ["/dev/kmsg"]);
  assert.notEqual(find(posture, "devices").state, "closed");
});

test("an ordinary user's sandbox, read by root, is nobody of weight outside", async (t) => {
  if (!isRoot) return t.skip("needs root to become somebody else");
  const pid = await startSleep(t, "unshare", ["--user", "--map-root-user", "--mount", "--net", "sleep", "60"], { uid: 65534, gid: 65534 });
  const posture = readPosture(pid);
  assert.deepEqual([posture.identity.insideUid, posture.identity.outsideUid], [0, 65534]);
  assert.equal(find(posture, "identity").state, "closed");
  assert.equal(find(posture, "capabilities").state, "narrow");
});

test("a process limit counts where it holds for the whole sandbox, and not for root outside", async (t) => {
  if (!isRoot || !canRun("prlimit", "--nproc", "true")) return t.skip("needs root and prlimit");
  const args = ["--nproc=77:77", "unshare", "--user", "--map-root-user", "sleep", "60"];
  const posture = readPosture(await startSleep(t, "prlimit", args, { uid: 65534, gid: 65534 }));
  assert.equal(posture.limits.pids, 77);
  assert.equal(readPosture(await startSleep(t, "prlimit", args)).limits.pids === 77, false);
  assert.equal(readPosture(await startSleep(t, "prlimit", ["--nproc=77:77", "sleep", "60"], { uid: 65534, gid: 65534 })).limits.pids === 77, false, "others of the user count too");
});

test("seccomp and no_new_privs are read as they are set", async (t) => {
  if (!canRun("setpriv", "--no-new-privs", "true")) return t.skip("setpriv does not run here");
  const posture = readPosture(await startSleep(t, "setpriv", ["--no-new-privs", "--bounding-set=-sys_boot", "--inh-caps=-all", "sleep", "60"]));
  assert.equal(posture.noNewPrivileges, true);
  assert.equal(posture.capabilities.bounding.includes("CAP_SYS_BOOT"), false);
  assert.equal(find(posture, "gaining privileges").state, "closed");
});

test("a terminal shared with the outside is seen, and one of its own is not blamed", async (t) => {
  if (!hasBwrap || !canRun("script", "--version")) return t.skip("needs bwrap and script");
  const line = ["bwrap", "--unshare-all", ...BASE, "sleep", "60"].join(" ");
  const shared = readPosture(await startSleep(t, "script", ["-qec", line, "/dev/null"]));
  assert.equal(shared.terminal.state, "shared");
  const fresh = readPosture(await startSleep(t, "script", ["-qec", line.replace("bwrap", "bwrap --new-session"), "/dev/null"]));
  assert.equal(fresh.terminal.state, "none");
});

test("no process, a number that is none, a zombie and a kernel thread are refused, each with its reason", async (t) => {
  const refused = (pid: number, why: RegExp): void => assert.throws(() => readPosture(pid), { code: "BRIG_NO_PROCESS", message: why });
  refused(0, /there is none/);
  refused(-1, /there is none/);
  refused(1.5, /there is none/);
  refused(2 ** 31, /there is none/);
  if (readLink("/proc/2/exe") === undefined && canRun("grep", "-q", "Kthread:\\s*1", "/proc/2/status")) refused(2, /thread of the kernel/);
  const pid = await startSleep(t, "sh", ["-c", "true & exec sleep 60"]);
  const zombie = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" }).stdout.trim();
  if (zombie !== "") refused(Number(zombie), /has ended/);
});

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

test("an ordinary user who may not look is told so, and nothing is called closed for it", async (t) => {
  if (!isRoot) return t.skip("needs root to become somebody else");
  const pid = await startSleep(t, "sleep", ["60"]);
  const script = `const { readPosture: r } = await import(process.argv[1] + "read-posture.js"); const { explainPosture: e } = await import(process.argv[1] + "explain-posture.js");
    const p = r(${pid}); console.log(JSON.stringify({ p, w: e(p) }));`;
  const module = new URL("../../src/explain/", import.meta.url).href;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script, module], { uid: 65534, gid: 65534, encoding: "utf8", cwd: "/" });
  if (ran.status !== 0 && /EACCES|ERR_MODULE_NOT_FOUND/.test(ran.stderr)) return t.skip("the build folder cannot be read by others");
  assert.equal(ran.status, 0, ran.stderr);
  const { p, w } = JSON.parse(ran.stdout) as { p: Posture; w: Wall[] };
  assert.equal(p.comparedWith, "caller");
  assert.ok(p.notes.some((note) => /run as root/.test(note)));
  const state = (name: string) => w.find((wall) => wall.wall === name)?.state;
  for (const name of ["root", "processes", "network", "IPC", "files it can read", "files it can write", "devices", "sockets", "descriptors"]) assert.notEqual(state(name), "closed", name);
});

test("what a payload names itself cannot steer the terminal", async (t) => {
  const posture = readPosture(await startSleep(t, "sleep", ["60"]));
  const text = renderWalls(explainPosture({ ...posture, writable: [{ path: "/\u001b[2Jx\ny", host: undefined }] }));
  assert.equal(text.includes("\u001b"), false);
  assert.match(text, /\d+ closed, \d+ narrow, \d+ open/);
});
