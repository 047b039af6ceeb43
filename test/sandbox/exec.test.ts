import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { readHostFacts } from "../../src/host/facts.js";
import { runPlan } from "../../src/launch/run-plan.js";
import { encodePlan } from "../../src/plan/encode.js";
import { planCommand } from "../../src/sandbox/exec.js";
import { findSandbox } from "../../src/sandbox/find.js";
import { makeName, makePerson, people, until } from "./stage.js";

/** What a process is allowed and where it stands, as it sees it itself. */
const POSTURE =
  "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/self/status; cat /proc/self/limits; cat /proc/self/cgroup; umask; pwd; " +
  "for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done";

for (const who of people) {
  test(`${who}: a command in a running sandbox stands where the payload stands, with all its walls`, async (t) => {
    const { brig, detach } = makePerson(t, who);
    const id = detach("--pids", "99", "--rlimit", "nofile=77", "--umask", "027", "--", "sh", "-c", `${POSTURE}; echo done; sleep 100`);
    await until("the payload has told", () => brig("logs", id).stdout.endsWith("done\n"));
    const ran = brig("exec", id, "sh", "-c", `${POSTURE}; echo done`);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stdout, brig("logs", id).stdout);
    assert.match(ran.stdout, /CapEff:\t0+\n[^]*NoNewPrivs:\t1\n[^]*Seccomp:\t2\n/);
  });

  test(`${who}: exit statuses, variables, folders, streams and failures are as docker exec has them`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const id = detach("--env", "KEPT=1", "--", "sleep", "100");
    const exec = (...words: string[]) => brig("exec", ...words);
    assert.equal(exec(id, "sh", "-c", "exit 42").status, 42);
    assert.equal(exec(id, "sh", "-c", "kill -TERM $$").status, 143);
    assert.equal(exec(id, "nosuch-program").status, 127);
    assert.equal(exec(id, "/etc/passwd").status, 126);
    assert.equal(exec("-w", "/nosuch", id, "true").status, 125);
    assert.equal(exec("-w", "tmp", id, "true").status, 125);
    assert.equal(exec("-e", "NEW=x y", "-e", "KEPT=2", "-w", "/tmp", id, "sh", "-c", 'echo "$NEW $KEPT"; pwd').stdout, "x y 2\n/tmp\n");
    assert.deepEqual(exec(id, "sh", "-c", "echo out; echo err >&2").output.slice(1), ["out\n", "err\n"]);
    assert.equal(exec(id, "--", "printf", "%s", "-e").stdout, "-e");
    assert.equal(exec("--timeout", "300ms", id, "sleep", "50").status, 124);
  });

  test(`${who}: a working folder that the payload made a link to a descriptor leads nowhere`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const id = detach("--", "sh", "-c", "for n in $(seq 0 40); do ln -s /proc/self/fd/$n /tmp/fd$n; done; ln -s /proc/1/root /tmp/root; sleep 100");
    for (const link of [...Array.from({ length: 41 }, (_, n) => `fd${n}`), "root"].filter((_, n) => n % 5 < 2 || n < 16)) {
      const ran = brig("exec", "-w", `/tmp/${link}`, id, "ls", "../../../..");
      assert.deepEqual([link, ran.status, ran.stdout], [link, 125, ""]);
    }
  });

  test(`${who}: a payload with all capabilities and no filter never gets at the launcher that joins it`, async (t) => {
    const { brig, detach, runFolder } = makePerson(t, who);
    // what it could read of a process: its executable, descriptors and root, each of which needs ptrace's rights
    const spy = "echo ready; while :; do readlink /proc/[0-9]*/exe /proc/[0-9]*/fd/* /proc/[0-9]*/root 2>/dev/null; done";
    const id = detach("--cap-add", "all", "--seccomp", "none", "--landlock", "none", "--", "sh", "-c", spy);
    await until("it looks around", () => brig("logs", "-n", "1", id).stdout !== "");
    for (let n = 0; n < 15; n++) assert.equal(brig("exec", id, "true").status, 0);
    brig("stop", "-t", "0", id);
    const seen = new Set(brig("logs", id).stdout.split("\n"));
    assert.ok([...seen].some((path) => /\/(da|ba)?sh$/.test(path)), "the spy sees its own shell");
    assert.deepEqual([...seen].filter((path) => path.endsWith("/brig") || path.includes("cgroup") || path.includes("brig-plan")), []);
    assert.equal(existsSync(runFolder), true);
  });

  test(`${who}: with a terminal the command has one of its own, and ^C reaches it alone`, (t) => {
    const { detach, prefix, brig, home } = makePerson(t, who);
    const id = detach("--", "sleep", "100");
    const typed = (keys: string, ...words: string[]) => {
      const env = { ...process.env, LINE: [...prefix, "exec", ...words].map((word) => `'${word}'`).join(" "), KEYS: keys, XDG_RUNTIME_DIR: home, BRIG_NO_CACHE: "1" };
      // the keys are typed when the command is there to see them
      return spawnSync("sh", ["-c", '(sleep 0.7; printf "$KEYS"; sleep 0.7) | script -qec "$LINE" /dev/null'], { encoding: "utf8", env, timeout: 20_000 });
    };
    const ran = typed("", id, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo all three; ps -o tty= -p $$ | grep -q pts && echo pts");
    assert.equal(ran.status, 0);
    assert.match(ran.stdout.replaceAll("\r", ""), /all three\npts\n$/);
    assert.equal(brig("exec", "-t", id, "sh", "-c", "test -t 1").status, 0);
    assert.equal(typed("\\003", id, "sleep", "20").status, 130);
    assert.match(brig("ps", "-q").stdout, new RegExp(id));
  });

  test(`${who}: what a command leaves in the background goes on, and dies with the sandbox`, async (t) => {
    const { brig, detach } = makePerson(t, who);
    const mark = `9${process.hrtime.bigint() % 1_000_000n}`;
    const runs = () => spawnSync("pgrep", ["-f", `^sleep ${mark}$`]).status === 0;
    const id = detach("--", "sleep", "100");
    assert.equal(brig("exec", id, "sh", "-c", `sleep ${mark} >/dev/null 2>&1 &`).status, 0);
    await until("it runs", runs);
    assert.equal(brig("exec", "-d", id, "sh", "-c", "echo detached > /tmp/mark; sleep 100").status, 0);
    await until("the detached one has written", () => brig("exec", id, "cat", "/tmp/mark").stdout === "detached\n");
    assert.equal(brig("rm", "-f", id).status, 0);
    await until("it is dead", () => !runs());
  });

  test(`${who}: a sandbox in the foreground is joined too, and one that has ended is not`, async (t) => {
    const { brig, start, detach } = makePerson(t, who);
    const name = makeName();
    const child = start("run", "--name", name, "--", "sleep", "100");
    await until("it is listed", () => brig("ps", "-q", "--filter", `name=${name}`).stdout !== "");
    await until("it runs", () => brig("exec", name, "true").status === 0);
    assert.match(brig("exec", name, "ps", "-ef").stdout, / sleep 100\n/);
    assert.equal(brig("kill", name).status, 0);
    assert.equal(await new Promise((done) => child.once("close", (code) => done(code))), 137);
    const id = detach("--", "true");
    brig("wait", id);
    assert.match(brig("exec", id, "true").stderr, /is not running/);
  });

  test(`${who}: --privileged opens the walls within the namespaces`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const id = detach("--", "sleep", "100");
    const status = brig("exec", "--privileged", id, "cat", "/proc/self/status").stdout;
    assert.match(status, /CapEff:\t0*1[0-9a-f]+\n[^]*NoNewPrivs:\t0\n[^]*Seccomp:\t0\n/);
    assert.equal(brig("exec", "--privileged", id, "sh", "-c", "mount -t tmpfs none /tmp").status, 0);
    assert.notEqual(brig("exec", id, "sh", "-c", "mount -t tmpfs none /tmp").status, 0);
  });
}

test("a process that took the first one's number is never joined", async (t) => {
  if (!people.includes("root")) return t.skip("joins as root");
  const { detach } = makePerson(t, "root");
  const id = detach("--", "sleep", "100");
  const plan = planCommand(findSandbox(id), { command: ["true"], terminal: "never" }, readHostFacts());
  const join = plan.steps.child.find((step) => step.op === "JOIN");
  assert.ok(join);
  assert.equal(await runPlan(encodePlan(plan)), 0);
  join.start = String(BigInt(join.start) + 1n);
  assert.equal(await runPlan(encodePlan(plan)), 125);
});

test("the identity is taken before anything inside can see the process, and it is dumpable for nobody", (t) => {
  if (!people.includes("root")) return t.skip("joins as root");
  const { detach } = makePerson(t, "root");
  const plan = planCommand(findSandbox(detach("--", "sleep", "100")), { command: ["true"] }, readHostFacts());
  const operations = plan.steps.child.map(({ op }) => op);
  assert.deepEqual(operations.slice(operations.indexOf("JOIN")), ["JOIN", "IDS", "FORK"]);
  assert.equal(plan.steps.payload.some(({ op }) => op === "IDS"), false);
});
