import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { bothWays, brig, makeFolder, needsRoot, run, type How } from "./brig.js";

const root: How = {};
const ordinary: How = { ordinary: true };
test("unshare --net: the loopback is there, and down", (t) => {
  if (needsRoot(t)) return;
  const { stdout, status } = brig(["unshare", "--net", "/bin/bash", "-c", "ip addr"]);
  assert.equal(status, 0);
  assert.match(stdout, /^1: lo: <LOOPBACK> .* state DOWN/);
  assert.doesNotMatch(stdout, /^2:/m);
});

for (const how of [root, ordinary])
  test(`unshare --user${how.ordinary ? ", as an ordinary user" : ""}: id says nobody`, () => {
    assert.match(brig(["unshare", "--user", "/bin/bash", "-c", "id"], how).stdout, /^uid=65534\(nobody\) gid=65534\(nogroup\)/);
  });

test("unshare --pid --fork: outside processes are listed, and cannot be killed", async (t) => {
  if (needsRoot(t)) return;
  const outside = spawn("sleep", ["60"]);
  t.after(() => outside.kill());
  const script = `cat /proc/${outside.pid}/comm; kill ${outside.pid}; echo $?; echo me $$`;
  const { stdout, stderr } = brig(["unshare", "--pid", "--fork", "/bin/bash", "-c", script]);
  assert.deepEqual(stdout.trim().split("\n"), ["sleep", "1", "me 1"]);
  assert.match(stderr, /No such process/);
  assert.equal(outside.exitCode, null);
});

test("unshare --pid --fork --mount-proc: only its own processes", (t) => {
  if (needsRoot(t)) return;
  const { stdout } = brig(["unshare", "--pid", "--fork", "--mount-proc", "/bin/bash", "-c", "ps -eo pid=,comm=; true"]);
  assert.deepEqual(stdout.trim().split("\n").map((line) => line.trim().split(/\s+/)[1]), ["bash", "ps"]);
});

for (const how of [root, ordinary])
  test(`unshare --pid --fork --user${how.ordinary ? ", as an ordinary user" : ""}: first process, and nobody`, () => {
    const { stdout } = brig(["unshare", "--pid", "--fork", "--user", "/bin/bash", "-c", "echo $$; id -un"], how);
    assert.equal(stdout, "1\nnobody\n");
  });

test("a process in other namespaces has other inode numbers in /proc/PID/ns", (t) => {
  if (needsRoot(t)) return;
  const types = ["net", "uts", "ipc", "mnt", "user", "cgroup"];
  const script = types.map((type) => `readlink /proc/self/ns/${type}`).join(";");
  const inside = brig(["unshare", "-n", "-u", "bash", "-c", script]).stdout.trim().split("\n");
  types.forEach((type, index) => {
    const same = inside[index] === readlinkSync(`/proc/self/ns/${type}`);
    assert.equal(same, !["net", "uts"].includes(type), type);
  });
});

const asRoot: string[][] = [
  ["-n", "ip", "link"], ["-r", "cat", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/setgroups"], ["-c", "id"],
  ["--map-user=5", "sh", "-c", "id -u; cat /proc/self/setgroups"], ["-U", "--setgroups", "deny", "cat", "/proc/self/setgroups"],
  ["-r", "grep", "Cap", "/proc/self/status"], ["-c", "--keep-caps", "grep", "Cap", "/proc/self/status"], ["--fork", "grep", "Cap", "/proc/self/status"],
  ["-n", "sh", "-c", "exit 7"], ["-n", "sh", "-c", "kill -9 $$"], ["--fork", "sh", "-c", "kill -15 $$"], ["--pid", "sh", "-c", 'sh -c "echo \\$\\$"'],
  ["-S", "5", "-G", "6", "id"], ["-S", "5", "id"], ["nosuch-program"], ["/etc/passwd"], ["/etc"], ["-R", "/nonexist", "true"], ["-w", "/nonexist", "true"],
  ["-w", "/usr", "pwd"], ["-T", "--monotonic=-5", "cat", "/proc/self/timens_offsets"], ["-m", "grep", "-c", "shared:", "/proc/self/mountinfo"],
  ["-m", "--propagation=slave", "true"], ["-m", "--propagation=unchanged", "true"], ["-U", "-S", "0", "id"], ["--map-user=5", "-S", "5", "id", "-u"], ["-C", "cat", "/proc/self/cgroup"],
  ["-u", "sh", "-c", "hostname inner; hostname"], ["--mount-proc=/nonexist", "true"], ["--kill-child", "echo", "ok"], ["-T", "-f", "true"],
];
for (const words of asRoot)
  test(`unshare ${words.join(" ")} does what the real one does`, (t) => {
    if (needsRoot(t)) return;
    const { ours, real } = bothWays(["unshare", ...words]);
    assert.deepEqual(ours, real);
  });

const asOrdinary: string[][] = [
  ["-r", "id"], ["--net", "ip", "addr"], ["-rn", "ip", "addr"], ["-r", "--pid", "--fork", "--mount-proc", "sh", "-c", "echo $$ /proc/[0-9]*"],
  ["-c", "--keep-caps", "grep", "Cap", "/proc/self/status"], ["-S", "5", "true"], ["-r", "-G", "0", "id"], ["-r", "-w", "/tmp", "pwd"], ["-r", "-R", "/", "pwd"],
];
for (const words of asOrdinary)
  test(`unshare ${words.join(" ")} does what the real one does, as an ordinary user`, () => {
    const { ours, real } = bothWays(["unshare", ...words], ordinary);
    assert.deepEqual(ours, real);
  });

test("a namespace that is kept at a file outlives its process, and the real nsenter enters it", (t) => {
  if (needsRoot(t)) return;
  const file = join(makeFolder(t), "uts");
  writeFileSync(file, "");
  assert.equal(brig(["unshare", `--uts=${file}`, "hostname", "kept"]).status, 0);
  assert.equal(run("nsenter", [`--uts=${file}`, "hostname"]).stdout, "kept\n");
  assert.equal(brig(["nsenter", `--uts=${file}`, "hostname"]).stdout, "kept\n");
  assert.notEqual(run("hostname", []).stdout, "kept\n");
});

test("the whole of a user's subordinate ids is mapped by newuidmap", (t) => {
  if (needsRoot(t)) return;
  const name = `brigtest${process.pid}`;
  if (run("useradd", ["-M", name]).status !== 0) return t.skip("no user can be added");
  t.after(() => run("userdel", [name]));
  run("usermod", ["--add-subuids", "700000-765535", "--add-subgids", "700000-765535", name]);
  const uid = run("id", ["-u", name]).stdout.trim();
  const words = ["--map-root-user", "--map-auto", "sh", "-c", "id -u; cat /proc/self/uid_map /proc/self/gid_map"];
  const as = (program: string, more: string[]) => run("setpriv", [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", program, ...more]);
  const real = as("unshare", words);
  if (real.status !== 0) return t.skip(`the real tool cannot: ${real.stderr}`);
  const ours = as(findLauncher(), ["unshare", ...words]);
  assert.deepEqual(ours, real);
});

test("the child dies with --kill-child when brig dies, and outlives it without", async (t) => {
  if (needsRoot(t)) return;
  for (const dies of [true, false]) {
    const parent = spawn(findLauncher(), ["unshare", ...(dies ? ["--kill-child"] : ["--fork"]), "sh", "-c", "echo $$; exec sleep 61"], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = Number(await new Promise<string>((resolve) => parent.stdout.once("data", (data: Buffer) => resolve(String(data)))));
    t.after(() => {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It is gone, as it should be.
      }
    });
    parent.kill("SIGKILL");
    await new Promise((resolve) => parent.once("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(isAlive(pid), !dies);
  }
});

test("descriptors of the caller beyond the first three do not reach the program", () => {
  const { stdout } = run("sh", ["-c", 'exec 7</etc/hostname; exec "$0" unshare -r ls /proc/self/fd', findLauncher()], ordinary);
  assert.equal(stdout, "0\n1\n2\n3\n"); // 3: the folder that ls reads
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
