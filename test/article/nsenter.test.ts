import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { bothWays, brig, needsRoot, run } from "./brig.js";

/** A process in namespaces of its own, by the real unshare: the pid of the program itself. */
async function startTarget(t: TestContext, words: string[], ordinary = false): Promise<number> {
  const as = ordinary ? { uid: 65534, gid: 65534 } : {};
  const child = spawn("unshare", [...words, "sh", "-c", "hostname inner 2>/dev/null; echo ready; exec sleep 60"], { cwd: "/usr", stdio: ["ignore", "pipe", "inherit"], ...as });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
  const pid = children === "" ? child.pid! : Number(children);
  t.after(() => {
    process.kill(pid, "SIGKILL");
    child.kill("SIGKILL");
  });
  return pid;
}

test("nsenter does what the real one does", async (t) => {
  if (needsRoot(t)) return;
  const target = ["-t", String(await startTarget(t, ["-m", "-u", "-i", "-n", "-p", "-C", "-T", "--fork", "--mount-proc"]))];
  const cases = [
    ["-u", "hostname"], ["-n", "ip", "link"], ["-m", "-p", "sh", "-c", "test -e /proc/1 && cat /proc/1/comm"], ["-a", "sh", "-c", "hostname; pwd"], ["-p", "-F", "echo", "hi"],
    ["-m", "-r", "-w", "pwd"], ["-m", "pwd"], ["-w", "pwd"], ["-m", "-W/usr", "pwd"], ["-n", "-S", "5", "id", "-u"], ["-n", "-G", "5", "id"], ["-n", "false"],
    ["-p", "sh", "-c", "exit 9"], ["-p", "sh", "-c", "kill -9 $$"], ["-n", "no-such-program"], ["-n/etc/passwd", "true"], ["-C", "cat", "/proc/self/cgroup"],
  ];
  for (const words of cases) {
    const { ours, real } = bothWays(["nsenter", ...target, ...words]);
    assert.deepEqual(ours, real, words.join(" "));
  }
});

test("a user namespace is entered as its root and without groups, by root and by its owner", async (t) => {
  if (needsRoot(t)) return;
  const target = ["-t", String(await startTarget(t, ["-r", "-m"], true))];
  for (const words of [["-U", "id"], ["-U", "-m", "cat", "/proc/self/uid_map"], ["-a", "id", "-u"], ["-U", "--preserve-credentials", "id", "-u"]]) {
    const { ours, real } = bothWays(["nsenter", ...target, ...words]);
    assert.deepEqual(ours, real, words.join(" "));
  }
  for (const words of [["-U", "-m", "--preserve-credentials", "id", "-u"], ["-U", "id"]]) {
    const { ours, real } = bothWays(["nsenter", ...target, ...words], { ordinary: true });
    assert.deepEqual(ours, real, words.join(" "));
  }
});

test("an ordinary user enters nothing of root's", async (t) => {
  if (needsRoot(t)) return;
  const target = String(await startTarget(t, ["-n"]));
  const { ours, real } = bothWays(["nsenter", "-t", target, "-n", "true"], { ordinary: true });
  assert.deepEqual(ours, real);
  assert.equal(ours.status, 1);
});

test("what is entered stays as it is when the entering program ends", async (t) => {
  if (needsRoot(t)) return;
  const pid = await startTarget(t, ["-u", "-n"]);
  brig(["nsenter", "-t", String(pid), "-u", "hostname", "renamed"]);
  assert.equal(run("nsenter", ["-t", String(pid), "-u", "hostname"]).stdout, "renamed\n");
  assert.notEqual(run("hostname", []).stdout, "renamed\n");
});
