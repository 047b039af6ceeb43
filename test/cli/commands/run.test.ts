import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { accessSync, chmodSync, chownSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test, type TestContext } from "node:test";

const brig = resolve("dist/brig");
const UID = 12_345;

const base = realpathSync(mkdtempSync(join(tmpdir(), "brig-run-")));
chmodSync(base, 0o755);
after(() => rmSync(base, { recursive: true, force: true }));

interface Person {
  name: string;
  ids: { uid?: number; gid?: number };
  home: string;
  project: string;
}

/** Each test runs as whoever runs the tests and, where that is root, as an ordinary user too. */
const people: Person[] = [makePerson("caller", {}), ...(process.geteuid?.() === 0 ? [makePerson("user", { uid: UID, gid: UID })] : [])];

function makePerson(name: string, ids: Person["ids"]): Person {
  const home = join(base, name);
  const project = join(home, "project");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(home, "secret"), "secret\n");
  writeFileSync(join(project, "note"), "note\n");
  if (ids.uid !== undefined) for (const path of [home, project, join(home, "secret"), join(project, "note")]) chownSync(path, ids.uid, ids.uid);
  return { name, ids, home, project };
}

function run(person: Person, words: string[], { env = {}, cwd = person.project, input = "" }: { env?: Record<string, string>; cwd?: string; input?: string } = {}) {
  const environment = { PATH: process.env["PATH"] ?? "", HOME: person.home, ...env };
  return spawnSync(brig, words, { cwd, env: environment, input, encoding: "utf8", ...person.ids, timeout: 60_000 });
}

function sh(person: Person, script: string, options: string[] = []) {
  return run(person, ["run", ...options, "--", "sh", "-c", script]);
}

function eachPerson(name: string, body: (person: Person, t: TestContext) => void): void {
  for (const person of people)
    test(`${name} (${person.name})`, (t) => {
      if (!existsSync(brig)) return t.skip("dist/brig is not built");
      if (person.ids.uid !== undefined && !isReachable()) return t.skip("another user cannot reach this checkout");
      body(person, t);
    });
}

function isReachable(): boolean {
  return spawnSync("test", ["-x", brig], { uid: UID, gid: UID }).status === 0;
}

eachPerson("the exit status is the command's, its signal's, or says what brig could not do", (person) => {
  assert.equal(sh(person, "exit 7").status, 7);
  assert.equal(sh(person, "kill -TERM $$").status, 128 + 15);
  assert.equal(run(person, ["run", "--", "no-such-program"]).status, 127);
  assert.equal(run(person, ["run", "--", "/no/such/program"]).status, 127);
  assert.equal(run(person, ["run", "--", "/etc/passwd"]).status, 126);
  assert.equal(run(person, ["run", "--no-such-option", "--", "true"]).status, 125);
  assert.equal(run(person, ["run"]).status, 125);
});

eachPerson("standard streams are the command's own", (person) => {
  const { stdout, stderr } = run(person, ["run", "--", "sh", "-c", "cat; echo problem >&2"], { input: "through\n" });
  assert.equal(stdout, "through\n");
  assert.equal(stderr, "problem\n");
});

eachPerson("the home, the host's secrets and other folders are not there", (person) => {
  const { stdout } = sh(person, `cat ${person.home}/secret ${base}/caller/secret; cat /etc/shadow; ls /sys /boot /mnt /var/log; ls -A ~ | grep -v project; true`);
  assert.equal(stdout, "");
});

eachPerson("the working folder is read-only, and writable when asked", (person) => {
  assert.notEqual(sh(person, "cat note && echo x > file").status, 0);
  assert.equal(existsSync(join(person.project, "file")), false);
  assert.equal(sh(person, "echo x > file", ["--write", "."]).status, 0);
  const { uid } = lstatSync(join(person.project, "file"));
  assert.equal(uid, person.ids.uid ?? process.geteuid?.());
  rmSync(join(person.project, "file"));
});

eachPerson("what is written elsewhere is gone at the end", (person) => {
  assert.equal(sh(person, "echo x > ~/new && echo x > /tmp/new-from-brig && echo x > /run/new").status, 0);
  assert.equal(existsSync(join(person.home, "new")), false);
  assert.equal(existsSync("/tmp/new-from-brig"), false);
});

eachPerson("the payload sees no process, no network and no namespace of the host, and can make none", (person) => {
  const { stdout } = sh(person, "ls -d /proc/[0-9]* | wc -l; ls /proc/sys/net/ipv4/conf | grep -vE '^(all|default|lo)$'; unshare -U true 2>/dev/null && echo made; mount -t tmpfs x /tmp 2>/dev/null && echo mounted; for ns in /proc/self/ns/*; do readlink $ns; done");
  const lines = stdout.trim().split("\n");
  assert.ok(Number(lines[0]) <= 6, stdout);
  assert.ok(!lines.includes("made") && !lines.includes("mounted"), stdout);
  for (const type of ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"]) {
    const own = lines.find((line) => line.startsWith(`${type}:`));
    assert.ok(own, stdout);
    const host = spawnSync("readlink", [`/proc/self/ns/${type}`], { encoding: "utf8" }).stdout.trim();
    assert.notEqual(own, host, type);
  }
});

eachPerson("no capability, no new privileges, and a filter, as the kernel says", (person) => {
  const { stdout } = sh(person, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
  assert.deepEqual(stdout.match(/^Cap\w+:\t0{16}$/gm)?.length, 5);
  assert.match(stdout, /NoNewPrivs:\t1\nSeccomp:\t2/);
});

eachPerson("the payload is nobody on the host when root starts it, and else who started it", (person, t) => {
  const id = sh(person, "cat /proc/self/uid_map").stdout.trim().split(/\s+/).map(Number);
  if (person.ids.uid !== undefined) assert.deepEqual(id, [UID, UID, 1]);
  else if (process.geteuid?.() === 0) assert.ok((id[1] ?? 0) > 65_536);
  else t.skip("not root");
});

eachPerson("hide, tmpfs, bind and read do what they say", (person) => {
  const { home } = person;
  const script = `cat /etc/hostname; echo x > /cache/x && echo cached; cat /data/secret; cat ${home}/secret; echo x > /data/y; true`;
  const { stdout } = sh(person, script, ["--hide", "/etc/hostname", "--tmpfs", "/cache", "--bind", `${home}:/data:ro`, "--read", "~/secret"]);
  assert.equal(stdout, "cached\nsecret\nsecret\n");
});

eachPerson("a link in the working folder leads nowhere outside", (person) => {
  const link = join(person.project, "link");
  symlinkSync(join(person.home, "secret"), link);
  const { stdout } = sh(person, "cat link", ["--write", "."]);
  rmSync(link);
  assert.equal(stdout, "");
});

eachPerson("limits hold", (person) => {
  const forks = sh(person, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; wait", ["--pids", "8", "--timeout", "3s", "--grace", "100ms"]);
  assert.match(forks.stderr, /fork|Resource temporarily unavailable/);
  const began = Date.now();
  assert.notEqual(sh(person, "sleep 30", ["--timeout", "300ms"]).status, 0);
  assert.ok(Date.now() - began < 10_000);
});

eachPerson("the second time the same words need no Node", (person) => {
  const cache = { XDG_CACHE_HOME: join(person.home, "cache") };
  const words = ["run", "--", "sh", "-c", "echo again"];
  assert.equal(run(person, words, { env: cache }).stdout, "again\n");
  assert.equal(run(person, words, { env: { ...cache, BRIG_NODE: "/no/node" } }).stdout, "again\n");
  assert.notEqual(run(person, ["run", "--", "sh", "-c", "echo others"], { env: { ...cache, BRIG_NODE: "/no/node" } }).status, 0);
});

eachPerson("a changed variable or profile is compiled anew", (person) => {
  const cache = { XDG_CACHE_HOME: join(person.home, "cache") };
  const words = ["run", "--env", "COLOUR", "--", "sh", "-c", "echo $COLOUR"];
  for (const COLOUR of ["red", "blue"]) assert.equal(run(person, words, { env: { ...cache, COLOUR } }).stdout, `${COLOUR}\n`);
  const profile = join(person.home, "profile.toml");
  for (const hostname of ["first", "second"]) {
    writeFileSync(profile, `hostname = "${hostname}"\n`);
    assert.equal(run(person, ["run", "--profile", profile, "--", "uname", "-n"], { env: cache }).stdout, `${hostname}\n`);
  }
});

eachPerson("a plan written as a program runs without Node, and is compiled again when it is stale", (person) => {
  const out = join(person.home, "program");
  const profile = join(person.home, "plan.toml");
  writeFileSync(profile, 'hostname = "one"\n');
  const made = run(person, ["plan", "--out", out, "--profile", profile, "--", "uname", "-n"]);
  assert.equal(made.status, 0, made.stderr);
  // from another folder than it was compiled in, and by a relative name
  const start = (env: Record<string, string>) => spawnSync("./program", { cwd: person.home, env: { PATH: process.env["PATH"] ?? "", HOME: person.home, ...env }, encoding: "utf8", ...person.ids });
  assert.equal(start({ BRIG_NODE: "/no/node" }).stdout, "one\n");
  writeFileSync(profile, 'hostname = "two"\n');
  const stale = start({});
  assert.equal(stale.stdout, "two\n", stale.stderr);
  assert.match(stale.stderr, /stale/);
  assert.equal(start({ BRIG_NODE: "/no/node" }).stdout, "two\n");
});

eachPerson("the spec that brig prints is one that brig runs", (person) => {
  const { stdout } = run(person, ["spec", "--hostname", "told", "--", "uname", "-n"]);
  const file = join(person.home, "config.json");
  writeFileSync(file, stdout);
  const ran = run(person, ["run", "--spec", file]);
  assert.equal(ran.stdout, "told\n", ran.stderr);
  assert.match(run(person, ["run", "--spec", file, "--net", "host"]).stderr, /--net host/);
});

eachPerson("an error names the flag and what to do, and with --json is one document", (person) => {
  const { status, stderr } = run(person, ["run", "--read", "/no/such/folder", "--", "true"]);
  assert.equal(status, 125);
  assert.match(stderr, /\/no\/such\/folder[\s\S]*asked for by: --read \/no\/such\/folder[\s\S]*hint: /);
  const { error } = JSON.parse(run(person, ["run", "--json", "--read", "/no/such/folder", "--", "true"]).stderr) as { error: { code: string } };
  assert.equal(error.code, "BRIG_NO_SUCH_PATH");
});

eachPerson("ephemeral writes are dropped, listed, or kept only when the command succeeds", (person) => {
  const file = join(person.project, "note");
  const script = "echo changed > note; mkdir deep && echo x > deep/x; cat note";
  assert.equal(sh(person, script, ["--ephemeral"]).stdout, "changed\n");
  const listed = sh(person, script, ["--diff"]);
  assert.deepEqual(listed.stderr.trim().split("\n"), [`A ${person.project}/deep`, `A ${person.project}/deep/x`, `C ${file}`]);
  sh(person, `${script}; exit 1`, ["--commit"]);
  assert.equal(readFileSync(file, "utf8"), "note\n");
  assert.equal(existsSync(join(person.project, "deep")), false);
  const kept = sh(person, `${script}; ln -s /etc/passwd link; chmod 0 deep/x; mkdir locked; chmod 0 locked`, ["--commit"]);
  assert.equal(kept.status, 0, kept.stderr);
  assert.equal(readFileSync(file, "utf8"), "changed\n");
  assert.equal(statSync(join(person.project, "deep/x")).uid, person.ids.uid ?? process.geteuid?.());
  assert.ok(lstatSync(join(person.project, "link")).isSymbolicLink());
  for (const name of ["deep", "link", "locked"]) rmSync(join(person.project, name), { recursive: true });
  writeFileSync(file, "note\n");
});

eachPerson("a replaced folder hides what was in it, and commit removes just that", (person) => {
  const folder = join(person.project, "folder");
  assert.equal(sh(person, "mkdir folder && echo 1 > folder/one && echo 2 > folder/two", ["--write", "."]).status, 0);
  const { stderr } = sh(person, "rm -r folder && mkdir folder && echo 3 > folder/three", ["--diff"]);
  assert.deepEqual(stderr.trim().split("\n"), [`D ${folder}/one`, `D ${folder}/two`, `A ${folder}/three`]);
  assert.equal(sh(person, "rm -r folder && mkdir folder && echo 3 > folder/three", ["--commit"]).status, 0);
  assert.deepEqual(["one", "two", "three"].map((name) => existsSync(join(folder, name))), [false, false, true]);
  rmSync(folder, { recursive: true });
});

eachPerson("a reader that goes away ends a printing command quietly", (person, t) => {
  try {
    accessSync("/bin/bash", constants.X_OK);
  } catch {
    return t.skip("needs bash");
  }
  const { stderr, status } = spawnSync("bash", ["-c", `set -o pipefail; ${brig} spec -- true | head -c 1 >/dev/null`], { cwd: person.project, env: { PATH: process.env["PATH"] ?? "", HOME: person.home }, encoding: "utf8", ...person.ids });
  assert.equal(stderr, "");
  assert.ok(status === 0 || status === 141);
});
