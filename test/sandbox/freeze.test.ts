import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { LAUNCHER, makePerson, people, until } from "./stage.js";

/** `brig WORDS…` on a host that has not mounted some of its cgroup hierarchies. */
function brigWithout(mounts: string[], ...words: string[]) {
  const script = `for each in ${mounts.join(" ")}; do umount -l $each; done; exec "$@"`;
  return spawnSync("unshare", ["--mount", "--propagation", "private", "sh", "-c", script, "sh", LAUNCHER, ...words], { encoding: "utf8", timeout: 20_000 });
}

const UNIFIED = "/sys/fs/cgroup/unified";
const FREEZER = "/sys/fs/cgroup/freezer";
const skip = !people.includes("root") ? "needs root" : !existsSync(UNIFIED) || !existsSync(`${FREEZER}/cgroup.procs`) ? "needs both versions of cgroups" : false;

function readCgroupOf(pid: number, hierarchy: string): string {
  return readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n").find((line) => line.includes(hierarchy)) ?? "";
}

test("without version 2 the version 1 freezer stops a sandbox, lets it go, and gives it back", { skip }, async (t) => {
  const { brig, detach } = makePerson(t, "root");
  const id = detach("--", "sh", "-c", "while :; do echo x; sleep 0.02; done");
  const [{ pid }] = JSON.parse(brig("inspect", id).stdout) as [{ pid: number }];
  const before = readCgroupOf(pid, ":freezer:");
  assert.equal(brigWithout([UNIFIED], "pause", id).stdout, `${id}\n`);
  assert.match(readCgroupOf(pid, ":freezer:"), new RegExp(`brig-${id}-pause$`));
  assert.equal(brig("ps", "-q", "--filter", "status=paused", "--filter", `id=${id}`).stdout, `${id}\n`);
  const written = brig("logs", id).stdout.length;
  await new Promise((done) => setTimeout(done, 200));
  assert.equal(brig("logs", id).stdout.length, written);
  assert.equal(brig("unpause", id).status, 0);
  assert.equal(readCgroupOf(pid, ":freezer:"), before);
  await until("it writes again", () => brig("logs", id).stdout.length > written);
});

test("a sandbox in the version 1 freezer dies of kill, and of its supervisor's death", { skip }, async (t) => {
  const { brig, detach } = makePerson(t, "root");
  const [killed, orphaned] = [detach("--", "sleep", "100"), detach("--no-keep", "--", "sleep", "100")];
  assert.equal(brigWithout([UNIFIED], "pause", killed, orphaned).status, 0);
  const rows = JSON.parse(brig("inspect", killed, orphaned).stdout) as { pid: number; supervisor: number }[];
  assert.equal(brig("kill", killed).status, 0);
  assert.equal(brig("wait", killed).stdout, "137\n");
  process.kill(rows[1]!.supervisor, "SIGKILL");
  await until("it is swept", () => brig("ps", "-aq", "--filter", `id=${orphaned}`).stdout === "");
  await until("all are dead", () => rows.every(({ pid }) => !existsSync(`/proc/${pid}`)));
  assert.equal(spawnSync("find", [FREEZER, "-name", `brig-*-pause`], { encoding: "utf8" }).stdout.includes(orphaned), false);
});

test("without any hierarchy that freezes, every process is stopped by a signal", { skip }, async (t) => {
  const { brig, detach } = makePerson(t, "root");
  const id = detach("--", "sh", "-c", "sleep 100 & exec sleep 100");
  assert.equal(brigWithout([UNIFIED, FREEZER], "pause", id).status, 0);
  const [{ pid }] = JSON.parse(brig("inspect", id).stdout) as [{ pid: number }];
  const states = () => spawnSync("ps", ["-o", "stat=", "-p", String(pid), "--ppid", String(pid)], { encoding: "utf8" }).stdout;
  assert.match(states(), /^(T\S*\s+)+$/);
  assert.equal(brig("unpause", id).status, 0);
  await until("they go on", () => !states().includes("T"));
});
