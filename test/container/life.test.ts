import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { makeName, makePerson, people, type Person, until } from "../sandbox/stage.js";
import { busyboxRoot } from "./busybox-root.js";

interface Stage extends Person {
  root: string;
  name: string;
  docker(...words: string[]): { status: number | null; stdout: string; stderr: string };
  run(words: string[], ...line: string[]): { status: number | null; stdout: string; stderr: string };
}

/** A person with a root of busybox, and a name whose container is gone when the test is over. */
function stage(t: TestContext, who: "root" | "user"): Stage | undefined {
  const root = busyboxRoot(t);
  if (root === undefined) return undefined;
  // first: what is registered first is done first, and the person's folder goes with the person
  let end = (): void => undefined;
  t.after(() => end());
  const data = mkdtempSync("/tmp/brig-container-data-");
  chmodSync(data, 0o755);
  const person = makePerson(t, who, { BRIG_DATA: data });
  if (process.getuid?.() === 0) spawnSync("chown", [`${person.uid}:${person.uid}`, data]);
  // with one id mapped, only what belongs to the user can be changed inside
  if (process.getuid?.() === 0) spawnSync("chown", ["-hR", `${person.uid}:${person.uid}`, root]);
  const name = makeName();
  const docker = (...words: string[]) => person.brig("docker", ...words);
  end = () => {
    docker("rm", "-f", name);
    rmSync(data, { recursive: true, force: true });
  };
  return { ...person, root, name, docker, run: (words, ...line) => docker("run", "--rootfs", "--network", "none", ...words, root, ...line) };
}

for (const who of people) {
  test(`${who}: a container with --rm runs, ends with its payload's status and leaves nothing`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    const ran = at.run(["--rm", "--name", at.name, "--cidfile", `${at.home}/cid`], "sh", "-c", "id -u; touch /made; ls /made; echo bad >&2; exit 7");
    assert.deepEqual([ran.status, ran.stdout, ran.stderr], [7, "0\n/made\n", "bad\n"]);
    assert.equal(existsSync(`${at.root}/made`), false, "the image is as it was");
    assert.equal(at.docker("ps", "-aq", "--filter", `name=${at.name}`).stdout, "");
    const id = readFileSync(`${at.home}/cid`, "utf8");
    assert.deepEqual(readdirSync(at.runFolder).filter((each) => id.startsWith(each)), []);
    assert.equal(at.docker("inspect", id).status, 1);
  });

  test(`${who}: what is not there ends with 127, what cannot be executed with 126, what docker refuses with 125`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    assert.equal(at.run(["--rm"], "nosuch").status, 127);
    assert.equal(at.run(["--rm"], "/etc/passwd").status, 126);
    assert.equal(at.run(["--rm", "-u", "nosuch"], "id").status, 125);
    assert.equal(at.run(["--rm", "--security-opt", "colour=red"], "id").status, 125);
    assert.equal(at.docker("ps", "-aq", "--filter", `ancestor=${at.root}`).stdout, "", "a container that could not start is gone with --rm");
  });

  test(`${who}: a detached container is listed, logged, entered, stopped, started again, renamed and removed`, async (t) => {
    const at = stage(t, who);
    if (!at) return;
    const id = at.run(["-d", "--name", at.name], "sh", "-c", "echo out; echo err >&2; trap 'exit 5' TERM; while :; do sleep 0.1; done").stdout.trim();
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.match(at.docker("ps", "--filter", `name=${at.name}`).stdout, new RegExp(`^CONTAINER ID .*\n${id.slice(0, 12)} .*Up .*${at.name}\n$`));
    await until("it has spoken", () => at.docker("logs", at.name).stdout === "out\n");
    assert.equal(at.docker("logs", at.name).stderr, "err\n");
    assert.equal(at.docker("exec", "-e", "A=b", "-w", "/tmp", at.name, "sh", "-c", "pwd; echo $A; hostname").stdout, `/tmp\nb\n${id.slice(0, 12)}\n`);
    assert.equal(at.docker("rm", at.name).status, 1, "it runs");
    assert.equal(at.docker("stop", at.name).stdout, `${at.name}\n`);
    assert.equal(at.docker("wait", at.name).stdout, "5\n");
    assert.match(at.docker("ps", "-a", "--filter", `id=${id}`).stdout, /Exited \(5\)/);
    assert.equal(at.docker("start", id.slice(0, 12)).status, 0);
    await until("it has spoken again", () => at.docker("logs", at.name).stdout === "out\nout\n");
    assert.equal(at.docker("rename", at.name, `${at.name}.b`).status, 0);
    assert.equal(at.docker("rm", "-f", `${at.name}.b`).status, 0);
    assert.equal(at.docker("inspect", id).status, 1);
  });

  test(`${who}: what ends with a failure is started again as often as its policy says, by no process of Node's`, async (t) => {
    const at = stage(t, who);
    if (!at) return;
    at.run(["-d", "--name", at.name, "--restart", "on-failure:2"], "sh", "-c", "echo run; exit 3");
    const read = () => JSON.parse(at.docker("inspect", at.name).stdout)[0];
    await until("it has given up", () => at.docker("logs", at.name).stdout === "run\nrun\nrun\n" && read().State.Status === "exited");
    assert.deepEqual([read().RestartCount, read().State.ExitCode], [2, 3]);
  });

  test(`${who}: one that always starts again stays stopped when it was stopped by hand`, async (t) => {
    const at = stage(t, who);
    if (!at) return;
    at.run(["-d", "--name", at.name, "--restart", "always"], "sh", "-c", "echo run; sleep 0.05");
    await until("it has started again", () => at.docker("logs", at.name).stdout.split("run").length > 3);
    at.docker("stop", "-t", "0", at.name);
    const said = at.docker("logs", at.name).stdout;
    await new Promise((done) => setTimeout(done, 600));
    assert.equal(at.docker("logs", at.name).stdout, said);
    assert.match(at.docker("ps", "-a", "--filter", `name=${at.name}`).stdout, /Exited/);
  });

  test(`${who}: when the host starts anew, what its policy wants runs again, and nothing else`, async (t) => {
    const at = stage(t, who);
    if (!at) return;
    const status = () => (JSON.parse(at.docker("inspect", at.name).stdout) as { State: { Status: string } }[])[0]!.State.Status;
    for (const [policy, byHand, runs] of [["unless-stopped", false, true], ["unless-stopped", true, false], ["always", true, true], ["no", false, false]] as const) {
      const id = at.run(["-d", "--name", at.name, "--restart", policy], "sleep", "1000").stdout.trim();
      if (byHand) at.docker("stop", "-t", "0", at.name);
      else {
        // as a host does that goes down: the monitor first, and the payload with it
        const state = JSON.parse(at.docker("inspect", at.name).stdout)[0].State as { Pid: number };
        const monitor = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${state.Pid}/status`, "utf8"))![1]);
        for (const pid of [monitor, state.Pid]) process.kill(pid, "SIGKILL");
      }
      await until("it is down", () => status() === "exited");
      at.docker("start", "--restart-policies");
      assert.equal(status(), runs ? "running" : "exited", `${policy}${byHand ? ", stopped by hand" : ""}`);
      assert.equal(at.docker("rm", "-f", id).status, 0);
    }
  });

  test(`${who}: input reaches the payload with -i, and ends at once without`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    assert.equal(at.run(["--rm"], "cat").stdout, "");
    assert.equal(at.run(["--rm", "-i"], "sh", "-c", "cat; echo end").stdout, "end\n");
  });

  test(`${who}: binds keep their owners, ro is read-only, volumes last, tmpfs is empty`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    const volume = makeName();
    t.after(() => void at.docker("volume", "rm", "-f", volume));
    const binds = ["-v", `${at.home}:/host`, "-v", `${at.home}:/ro:ro`, "-v", `${volume}:/data`, "--tmpfs", "/scratch:size=1m"];
    const ran = at.run(["--rm", ...binds], "sh", "-c", "touch /host/new; touch /ro/no; touch /data/kept; ls /scratch; stat -c %u /host");
    assert.equal(ran.stdout, "0\n", ran.stderr);
    assert.match(ran.stderr, /Read-only/);
    assert.equal(statSync(`${at.home}/new`).uid, at.uid);
    assert.equal(at.run(["--rm", "-v", `${volume}:/data:ro`], "ls", "/data").stdout, "kept\n");
    assert.equal(at.docker("volume", "inspect", volume).status, 0);
  });

  test(`${who}: no process of a container has a right on the host, a setuid program gives none, and the walls are brig's`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    const ran = at.run(["--rm"], "sh", "-c", "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; cat /proc/self/uid_map; cat /proc/kcore | wc -c; mount -t tmpfs x /tmp; echo $?");
    assert.equal(ran.status, 0, ran.stderr);
    const told = ran.stdout.replaceAll(/ +/g, " ");
    assert.match(told, /NoNewPrivs:\t1/);
    assert.match(told, /Seccomp:\t2/);
    assert.doesNotMatch(told, /^ 0 0 /m, "root inside is not root outside");
    assert.match(told, /[1-9]\d*\n$/, "a mount is refused");
  });
}
