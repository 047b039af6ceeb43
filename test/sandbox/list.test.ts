import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeName, makePerson, people, until } from "./stage.js";

interface Row { id: string; name: string; status: string; pid: number; labels: Record<string, string>; cgroups: string[]; exit: { exitCode: number } | null }

for (const who of people) {
  test(`${who}: a detached sandbox is listed with its columns, by filter and as JSON, and inspected`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const name = makeName();
    const id = detach("--name", name, "--label", "team=a b", "--", "sleep", "100");
    const [heading, ...lines] = brig("ps").stdout.split("\n");
    assert.match(heading!, /^ID +NAME +COMMAND +AGE +STATUS$/);
    assert.match(lines.find((line) => line.startsWith(id))!, new RegExp(`^${id} +${name} +sleep 100 +\\d+\\w* +running$`));
    assert.equal(brig("ps", "-q", "--filter", `name=${name}`).stdout, `${id}\n`);
    assert.equal(brig("ps", "-q", "--filter", `name=${name}`, "--filter", "label=team=b").stdout, "");
    const [row] = JSON.parse(brig("ps", "--json", "--filter", `id=${id}`).stdout) as Row[];
    assert.deepEqual([row!.id, row!.name, row!.status, row!.labels, row!.exit], [id, name, "running", { team: "a b" }, null]);
    const [whole] = JSON.parse(brig("inspect", id.slice(0, 8)).stdout) as (Row & { spec: { process: { args: string[] } } })[];
    assert.deepEqual(whole!.spec.process.args, ["sleep", "100"]);
    assert.match(readFileSync(`/proc/${whole!.pid}/status`, "utf8"), /NSpid:\t\d+\t1\n/);
    if (who === "root") assert.equal(brig("exec", id, "test", "-e", "/run/brig").status, 1, "the payload sees no sandbox's state");
  });

  test(`${who}: what is no sandbox is one clear error, with what was meant`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const name = makeName();
    detach("--name", name, "--", "sleep", "100");
    const missed = brig("logs", `${name}x`);
    assert.equal(missed.status, 125);
    assert.match(missed.stderr, new RegExp(`there is no sandbox "${name}x"\n  hint: did you mean ${name}\\?`));
    for (const hostile of ["../../etc", "names", "", "a/b", ".dead-x"]) assert.equal(brig("inspect", "--", hostile).status, 1, hostile);
    assert.match(brig("ps", "--filter", "shape=round").stderr, /--filter cannot be "shape=round"/);
  });

  test(`${who}: of several, all are tried, and one failure makes the status 1`, (t) => {
    const { brig, detach } = makePerson(t, who);
    const id = detach("--", "sleep", "100");
    const killed = brig("kill", "nosuch", id);
    assert.deepEqual([killed.status, killed.stdout], [1, `${id}\n`]);
    assert.equal(brig("wait", id).stdout, "137\n");
    assert.equal(brig("rm", "nosuch", id).status, 1);
    assert.equal(brig("ps", "-aq", "--filter", `id=${id}`).stdout, "");
  });

  test(`${who}: a supervisor that was killed leaves nothing behind the next ps, but the record that was to be kept`, async (t) => {
    const { brig, detach, runFolder } = makePerson(t, who);
    const [name, keptName] = [makeName(), makeName()];
    const dropped = detach("--no-keep", "--name", name, "--", "sleep", "100");
    const kept = detach("--name", keptName, "--", "sleep", "100");
    const rows = JSON.parse(brig("inspect", dropped, kept).stdout) as (Row & { supervisor: number })[];
    for (const { supervisor } of rows) process.kill(supervisor, "SIGKILL");
    await until("the processes are gone", () => rows.every(({ pid }) => !existsSync(`/proc/${pid}`)));
    const after = JSON.parse(brig("ps", "-a", "--json").stdout) as Row[];
    assert.equal(after.find(({ id }) => id === dropped), undefined);
    assert.equal(after.find(({ id }) => id === kept)?.status, "dead");
    assert.equal(existsSync(`${runFolder}/${dropped}`), false);
    assert.deepEqual(readdirSync(`${runFolder}/names`).filter((each) => each === name || each === keptName), [keptName]);
    for (const cgroup of rows.flatMap(({ cgroups }) => cgroups)) assert.equal(existsSync(cgroup), false, cgroup);
    assert.equal(brig("wait", kept).stdout, "137\n");
    // the name is free at once
    detach("--name", name, "--", "sleep", "100");
    assert.equal(brig("rm", keptName).status, 0);
    assert.equal(existsSync(`${runFolder}/names/${keptName}`), false);
  });

  test(`${who}: what others put into the run folder is not believed`, (t) => {
    const { brig, detach, runFolder } = makePerson(t, who);
    const id = detach("--", "true");
    brig("wait", id);
    const [a, b, c] = ["aaaa", "bbbb", "cccc"].map((start) => start + makeName());
    t.after(() => [a, b, c].forEach((each) => rmSync(`${runFolder}/${each}`, { recursive: true, force: true })));
    symlinkSync(`${runFolder}/${id}`, `${runFolder}/${a}`);
    mkdirSync(`${runFolder}/${b}`);
    writeFileSync(`${runFolder}/${b}/config.json`, "{");
    mkdirSync(`${runFolder}/${c}`, { mode: 0o777 });
    writeFileSync(`${runFolder}/${c}/process`, "1 1 1 1\n");
    const listed = brig("ps", "-aq").stdout.split("\n");
    assert.equal(listed.includes(a!), false);
    assert.equal(listed.includes(id), true);
    assert.equal(lstatSync(`${runFolder}/${a}`).isSymbolicLink(), true);
    assert.equal(existsSync(`${runFolder}/${id}/exit`), true);
  });

  test(`${who}: twenty at once are started, listed, stopped and removed without a trace`, async (t) => {
    const { brig, runFolder, start } = makePerson(t, who);
    const name = makeName();
    const ids = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const child = start("run", "--detach", "--name", `${name}-${index}`, "--label", `batch=${name}`, "--", "sleep", "100");
        let text = "";
        child.stdout!.on("data", (bytes: Buffer) => (text += bytes.toString()));
        await new Promise((done) => child.once("close", done));
        return text.trim();
      }),
    );
    t.after(() => brig("rm", "-f", ...ids));
    const filter = ["--filter", `label=batch=${name}`];
    assert.deepEqual(brig("ps", "-q", ...filter).stdout.split("\n").filter(Boolean).sort(), [...ids].sort());
    assert.equal(brig("stop", ...ids).status, 0);
    assert.equal(brig("ps", "-q", ...filter).stdout, "");
    const codes = brig("wait", ...ids).stdout.split("\n").filter(Boolean);
    assert.deepEqual(new Set(codes), new Set(["143"]));
    assert.equal(brig("rm", ...ids).status, 0);
    assert.deepEqual(readdirSync(runFolder).filter((each) => ids.includes(each)), []);
    assert.deepEqual(readdirSync(`${runFolder}/names`).filter((each) => each.startsWith(`${name}-`)), []);
  });
}

test("a run folder that is somebody else's is refused, by the command and by the launcher", (t) => {
  if (!people.includes("root")) return t.skip("needs root to make one");
  const { brig, runFolder } = makePerson(t, "user");
  mkdirSync(runFolder, { mode: 0o755 });
  assert.match(brig("ps").stderr, /cannot be trusted: it belongs to uid 0/);
  const ran = brig("run", "--", "true");
  assert.equal(ran.status, 125);
  assert.match(ran.stderr, /state folder/);
});
