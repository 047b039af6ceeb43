import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { makePerson, people, until } from "./stage.js";

const elapsed = (act: () => void): number => {
  const began = Date.now();
  act();
  return Date.now() - began;
};

for (const who of people) {
  test(`${who}: logs come in order and by stream, by tail and time, and are followed to the end`, async (t) => {
    const { brig, detach, start } = makePerson(t, who);
    const id = detach("--", "sh", "-c", "for n in 1 2 3; do echo out $n; echo err $n >&2; sleep 0.15; done; printf 'no newline'");
    const follower = start("logs", "-f", id);
    let followed = "";
    follower.stdout!.on("data", (bytes: Buffer) => (followed += bytes.toString()));
    assert.equal(await new Promise((done) => follower.once("close", done)), 0);
    const out = "out 1\nout 2\nout 3\nno newline\n";
    assert.equal(followed, out);
    const whole = brig("logs", id);
    assert.deepEqual([whole.stdout, whole.stderr], [out, "err 1\nerr 2\nerr 3\n"]);
    const lines = brig("logs", "--json", id).stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line) as { time: string; text: string });
    assert.deepEqual(lines.map(({ time }) => time), lines.map(({ time }) => time).sort());
    assert.equal(brig("logs", "-n", "1", id).stdout, "no newline\n");
    assert.equal(brig("logs", "-n", "0", id).stdout, "");
    assert.equal(brig("logs", "--since", lines.at(-1)!.time.slice(0, 23) + "Z", id).stdout.endsWith("no newline\n"), true);
    assert.equal(brig("logs", "--since", "2100-01-01", id).stdout, "");
    assert.match(brig("logs", "-t", "--tail=1", id).stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z no newline\n$/);
    assert.equal(brig("logs", "-n", "x", id).status, 125);
  });

  test(`${who}: a paused sandbox stands still, is listed so, refuses exec, and goes on where it was`, async (t) => {
    const { brig, detach, runFolder } = makePerson(t, who);
    const id = detach("--", "sh", "-c", "while :; do echo x; sleep 0.02; done");
    await until("it writes", () => brig("logs", id).stdout.length > 4);
    assert.equal(brig("pause", id).stdout, `${id}\n`);
    const count = () => readFileSync(`${runFolder}/${id}/log`).length;
    const before = count();
    await new Promise((done) => setTimeout(done, 300));
    assert.equal(count(), before);
    assert.equal(brig("ps", "-q", "--filter", "status=paused").stdout, `${id}\n`);
    assert.match(brig("exec", id, "true").stderr, /is paused\n {2}hint: brig unpause/);
    assert.match(brig("pause", id).stderr, /is paused already/);
    assert.equal(brig("unpause", id).status, 0);
    await until("it writes again", () => count() > before);
    assert.match(brig("unpause", id).stderr, /is not paused/);
    assert.equal(existsSync(`${runFolder}/${id}/pause`), false);
    assert.deepEqual(listPauseCgroups(id), []);
  });

  test(`${who}: a paused sandbox can be stopped, killed and removed, and leaves no cgroup`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const [stopped, killed, removed] = [1, 2, 3].map(() => detach("--", "sleep", "100"));
    assert.equal(brig("pause", stopped!, killed!, removed!).status, 0);
    assert.equal(brig("stop", stopped!).status, 0);
    assert.equal(brig("kill", killed!).status, 0);
    assert.equal(brig("rm", "-f", removed!).status, 0);
    assert.deepEqual(brig("wait", stopped!, killed!).stdout.split("\n").sort(), ["", "137", "143"]);
    for (const id of [stopped!, killed!, removed!]) assert.deepEqual(listPauseCgroups(id), []);
  });

  test(`${who}: stop asks first, waits as long as it was told, then kills`, async (t) => {
    const { brig, detach } = makePerson(t, who);
    const polite = detach("--", "sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    const stubborn = detach("--", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done");
    for (const id of [polite, stubborn]) await until("it is ready", () => brig("logs", id).stdout === "ready\n");
    assert.ok(elapsed(() => assert.equal(brig("stop", "-t", "20", polite).status, 0)) < 5000);
    assert.equal(brig("logs", "-n1", polite).stdout, "bye\n");
    assert.equal(brig("wait", polite).stdout, "5\n");
    const took = elapsed(() => assert.equal(brig("stop", "-t", "1", stubborn).status, 0));
    assert.ok(took >= 1000 && took < 6000, `${took} ms`);
    assert.equal(brig("wait", stubborn).stdout, "137\n");
    const [row] = JSON.parse(brig("ps", "-a", "--json", "--filter", `id=${stubborn}`).stdout) as { exit: { exitCode: number }; pid: null }[];
    assert.deepEqual([row!.exit.exitCode, row!.pid], [137, null]);
    assert.equal(brig("stop", stubborn).status, 0);
  });

  test(`${who}: signals reach the payload, or every process`, async (t) => {
    const { brig, detach } = makePerson(t, who);
    const script = "trap 'echo got USR1' USR1; (trap 'echo child USR2' USR2; echo ready; while :; do sleep 0.05; done) & trap 'echo parent USR2' USR2; while :; do wait; done";
    const id = detach("--", "sh", "-c", script);
    await until("it is ready", () => brig("logs", id).stdout === "ready\n");
    assert.equal(brig("kill", "-s", "SIGUSR1", id).status, 0);
    await until("it came", () => brig("logs", id).stdout.includes("got USR1\n"));
    assert.equal(brig("kill", "--all", "-s", "usr2", id).status, 0);
    await until("it came to both", () => /child USR2[^]*parent USR2|parent USR2[^]*child USR2/.test(brig("logs", id).stdout));
    assert.equal(brig("kill", "-s", "nosuch", id).status, 125);
    assert.equal(brig("rm", id).status, 1);
  });

  test(`${who}: wait gives the command's own status, of one too that leaves nothing behind`, async (t) => {
    const { brig, start, detach } = makePerson(t, who);
    const id = detach("--no-keep", "--", "sh", "-c", "sleep 0.7; exit 7");
    const waiting = start("wait", id);
    let text = "";
    waiting.stdout!.on("data", (bytes: Buffer) => (text += bytes.toString()));
    assert.equal(await new Promise((done) => waiting.once("close", done)), 0);
    assert.equal(text, "7\n");
    await until("it is gone", () => brig("ps", "-aq", "--filter", `id=${id}`).stdout === "");
    const oom = detach("--timeout", "200ms", "--grace", "100ms", "--", "sleep", "100");
    brig("wait", oom);
    assert.match(brig("ps", "-a", "--filter", `id=${oom}`).stdout, /exited \(\d+, timed out\)/);
  });

  test(`${who}: attach shows what comes, passes on what is typed, and gives the exit status`, async (t) => {
    const { detach, prefix, home, brig } = makePerson(t, who);
    const id = detach("--tty", "--", "sh", "-c", 'read line; echo "got $line"; exit 3');
    const env = { ...process.env, XDG_RUNTIME_DIR: home, BRIG_NO_CACHE: "1", LINE: [...prefix, "attach", id].join(" ") };
    const ran = spawnSync("sh", ["-c", '(sleep 0.7; echo hello; sleep 0.7) | script -qec "$LINE" /dev/null'], { encoding: "utf8", env, timeout: 20_000 });
    assert.match(ran.stdout, /got hello\r\n/);
    assert.equal(ran.status, 3);
    assert.match(brig("attach", id).stderr, /is not running/);
    const other = detach("--tty", "--", "sleep", "100");
    const left = spawnSync("sh", ["-c", '(sleep 0.7; printf "\\020\\021"; sleep 0.7) | script -qec "$LINE" /dev/null'], {
      encoding: "utf8", env: { ...env, LINE: [...prefix, "attach", other].join(" ") }, timeout: 20_000,
    });
    assert.deepEqual([left.status, brig("ps", "-q", "--filter", `id=${other}`).stdout], [0, `${other}\n`]);
  });

  test(`${who}: stats count a busy sandbox as busy and an idle one as idle`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const busy = detach("--", "sh", "-c", "while :; do :; done");
    const idle = detach("--", "sh", "-c", "sleep 100 & sleep 100 & wait");
    const [first, second] = JSON.parse(brig("stats", "--no-stream", "--json", busy, idle).stdout) as { cpuPercent: number; memory: number; memoryLimit: number; pids: number }[];
    assert.ok(first!.cpuPercent > 10, `${first!.cpuPercent}`);
    assert.ok(second!.cpuPercent < 10, `${second!.cpuPercent}`);
    assert.ok(second!.pids >= 3 && second!.pids <= 4 && second!.memory > 50_000 && second!.memory < second!.memoryLimit);
    assert.match(brig("stats", "--no-stream", busy).stdout, /^ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/);
  });
}

function listPauseCgroups(id: string): string[] {
  return ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup"]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(`brig-${id}-pause`)));
}
