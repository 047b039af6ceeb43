import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Denial } from "../../src/denials/denial.js";
import { type Identity, identities, openStage, type Ran, type Stage } from "../walls/stage.js";

let stage: Stage;
before(() => {
  stage = openStage();
});
after(() => stage.close());

interface Told extends Ran {
  denials: Denial[];
}

/** A shell script that is watched, and what was told of it. */
async function tell(who: Identity, script: string, options: string[] = []): Promise<Told> {
  return tellCommand(who, ["/bin/sh", "-c", script], options);
}

async function tellCommand(who: Identity, command: string[], options: string[] = []): Promise<Told> {
  const file = join(stage.project(who), "told.jsonl");
  const ran = await stage.run(who, ["--denials-file", file, ...options], command);
  const lines = readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
  rmSync(file);
  return { ...ran, denials: lines.map((line) => JSON.parse(line) as Denial) };
}

const find = (told: Told, what: string): Denial => {
  const found = told.denials.find((denial) => denial.what === what);
  assert.ok(found, `${what} is not among ${JSON.stringify(told.denials)}\n${told.stderr}`);
  return found;
};

/** As typed in a shell. */
function splitWords(words: string, home: string): string[] {
  return words.split(" ").map((word) => word.replace(/^~/, home));
}

for (const who of identities) {
  test(`${who.name}: a hidden file is told with the rule, and the words show it`, async () => {
    const told = await tell(who, "cat ~/.secret");
    const denial = find(told, join(stage.home(who), ".secret"));
    assert.deepEqual([denial.kind, denial.want, denial.program, denial.rule, denial.origin?.kind, denial.allow], ["hidden", "read", "cat", "the home is private", "default", "--read ~/.secret"]);
    assert.equal(told.code, 1);
    const again = await tell(who, "cat ~/.secret", splitWords(denial.allow!, stage.home(who)));
    assert.deepEqual([again.code, again.denials], [0, []]);
  });

  test(`${who.name}: a write to what is read-only is told, and the words allow it`, async () => {
    const told = await tell(who, "echo x > made; echo y >> file; rm file; mkdir folder");
    assert.deepEqual(told.denials.map(({ kind, want }) => [kind, want]), [["read-only", "write"], ["read-only", "write"], ["read-only", "remove"], ["read-only", "create"]]);
    const { allow, origin } = find(told, join(stage.project(who), "made"));
    assert.equal(allow, `--write ${stage.project(who)}`);
    assert.equal(origin?.text, "the working folder, read-only");
    const again = await tell(who, "echo x > made && rm made && mkdir folder && rmdir folder", allow!.split(" "));
    assert.deepEqual([again.code, again.denials], [0, []]);
  });

  test(`${who.name}: what is on the host neither, or refused there too, was not blocked`, async () => {
    const told = await tell(who, "cat /nowhere ~/nothing; command -v no-such-program; test -e /etc/nothing; ls /usr/bin/nothing; readlink /proc/self/exe; cat /proc/self/status /etc/mtab > /dev/null; echo x > /tmp/x; echo x > ~/x; cat ~/x");
    assert.deepEqual(told.denials, []);
  });

  test(`${who.name}: a call that the filter refuses gets the same errno, and is told with the word that opens the filter`, async () => {
    const plain = await stage.sh(who, [], "unshare --user true");
    const told = await tell(who, "unshare --user true");
    assert.equal(told.stderr, plain.stderr);
    const denial = find(told, "unshare(CLONE_NEWUSER)");
    assert.deepEqual([denial.kind, denial.allow], ["call", "--cap-add SYS_ADMIN"]);
    const again = await tell(who, "unshare --user true", denial.allow!.split(" "));
    assert.deepEqual(again.denials, []);
  });

  test(`${who.name}: a port of the host's loopback is told when somebody listens there, and only then`, async () => {
    const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as { port: number };
    try {
      const told = await tellCommand(who, ["/bin/bash", "-c", `: < /dev/tcp/127.0.0.1/${port}; : < /dev/tcp/127.0.0.1/1; : < /dev/tcp/203.0.113.9/443`]);
      assert.deepEqual(told.denials.map(({ what, allow }) => [what, allow]), [[`127.0.0.1:${port}`, "--net host"], ["203.0.113.9:443", "--net user"]]);
      const again = await tellCommand(who, ["/bin/bash", "-c", `read -r word < /dev/tcp/127.0.0.1/${port}; echo $word`], ["--net", "host"]);
      assert.deepEqual([again.stdout, again.denials], ["hello\n", []]);
    } finally {
      server.close();
    }
  });

  test(`${who.name}: a socket that is hidden is told, and the words show it`, async () => {
    const path = join(stage.home(who), "listens");
    const server = createServer((socket) => socket.end("hello")).listen({ path, writableAll: true });
    await new Promise((done) => server.once("listening", done));
    const connect = `require("net").connect(${JSON.stringify(path)}).on("error", (error) => console.log(error.code)).on("data", (data) => console.log(String(data)))`;
    try {
      const told = await tellCommand(who, [process.execPath, "-e", connect], ["--read", process.execPath]);
      assert.equal(told.stdout, "ENOENT\n");
      assert.deepEqual([find(told, path).want, find(told, path).allow], ["connect", "--read ~/listens"]);
      const again = await tellCommand(who, [process.execPath, "-e", connect], ["--read", process.execPath, "--read", path]);
      assert.equal(again.stdout, "hello\n");
    } finally {
      server.close();
    }
  });

  test(`${who.name}: a rule of a profile is told by file and line`, async () => {
    const profile = join(stage.project(who), "rules.toml");
    writeFileSync(profile, 'umask = "022"\nhide = [\n  "/usr/share",\n]\n');
    chmodSync(profile, 0o644);
    const told = await tell(who, "ls /usr/share/doc", ["--profile", profile]);
    const denial = find(told, "/usr/share/doc");
    assert.deepEqual([denial.kind, denial.origin?.file, denial.origin?.line], ["masked", profile, 3]);
    rmSync(profile);
  });

  test(`${who.name}: the walls are the same with a watcher`, async () => {
    for (const fixture of ["walls", "mount", "calls", "set-mode", "node", "set-name"]) {
      const plain = await stage.run(who, [], [await stage.fixture(fixture)]);
      const watched = await stage.run(who, ["--explain-denials"], [await stage.fixture(fixture)]);
      const steady = (text: string): string => text.replaceAll(/\d+/g, "N");
      assert.equal(steady(watched.stdout), steady(plain.stdout));
      assert.equal(watched.code, plain.code);
    }
  });

  test(`${who.name}: a payload cannot become its own watcher`, async () => {
    assert.deepEqual(await stage.ask(who, ["--explain-denials"], "listener"), { listener: "EBUSY", filter: "ok", unshare: "ENOSYS" });
  });

  test(`${who.name}: when the watcher is killed nothing opens`, async () => {
    const running = stage.sh(who, ["--explain-denials"], "echo started; sleep 2; read -r line < file; echo \"read $line\"; unshare --user true && echo opened");
    process.kill(await findWatcher(), "SIGKILL");
    const { stdout } = await running;
    assert.equal(stdout, "started\nread \n");
  });

  test(`${who.name}: statuses are the payload's, and nothing is left`, async () => {
    assert.equal((await tell(who, "exit 3")).code, 3);
    assert.equal((await tell(who, "kill -TERM $$")).code, 143);
    assert.equal((await stage.run(who, ["--explain-denials"], ["/nowhere/program"])).code, 127);
    const running = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n").filter((line) => line.includes(stage.brig));
    assert.deepEqual(running, []);
  });

  test(`${who.name}: many at once are all seen, each thing once`, async () => {
    const told = await tell(who, "for i in $(seq 40); do (for j in $(seq 10); do test -e ~/.secret; done) & done; wait");
    assert.equal(told.code, 0);
    assert.deepEqual(told.denials.map(({ what }) => what), [join(stage.home(who), ".secret")]);
    const summary = await stage.sh(who, ["--explain-denials"], "for i in $(seq 40); do (for j in $(seq 10); do test -e ~/.secret; done) & done; wait");
    assert.match(summary.stderr, /400 times/);
  });

  test(`${who.name}: the summary says what would allow all of it, as JSON too`, async () => {
    const text = await stage.sh(who, ["--explain-denials"], "cat ~/.secret 2> /dev/null; echo x 2> /dev/null > made");
    assert.match(text.stderr, new RegExp(`^brig: blocked \\(2\\):$[^]*^to allow all of it: --read ~/.secret --write ${stage.project(who)}$`, "m"));
    const { stderr } = await stage.sh(who, ["--explain-denials", "--json"], "cat ~/.secret 2> /dev/null");
    assert.deepEqual((JSON.parse(stderr) as { allow: string[] }).allow, ["--read ~/.secret"]);
    const nothing = await stage.sh(who, ["--explain-denials"], "true");
    assert.equal(nothing.stderr, "brig: nothing was blocked\n");
  });

  test(`${who.name}: names that a payload chooses steer no terminal`, async () => {
    mkdirSync(join(stage.home(who), "a\u001b[2J"), { recursive: true });
    const { stderr } = await stage.sh(who, ["--explain-denials", "--denials-live"], "ls ~/a$(printf '\\033')'[2J' 2> /dev/null");
    assert.match(stderr, /\\x1b\[2J/);
    assert.ok(!stderr.includes("\u001b[2J"));
  });
}

test("root: what takes a capability is told", { skip: process.getuid?.() !== 0 }, async () => {
  const [root] = identities;
  const told = await tell(root!, "echo x > /tmp/x; chown 5 /tmp/x");
  const denial = told.denials.find(({ kind }) => kind === "capability");
  assert.equal(denial?.allow, "--cap-add CHOWN");
  const again = await tell(root!, "echo x > /tmp/x; chown 5 /tmp/x && stat -c %u /tmp/x", ["--cap-add", "CHOWN"]);
  assert.deepEqual([again.stdout, again.denials], ["5\n", []]);
});

test("a detached sandbox has nobody who could tell", async () => {
  const { code, stderr } = await stage.run(identities[0]!, ["--explain-denials", "--detach"], ["true"]);
  assert.equal(code, 125);
  assert.match(stderr, /detached sandbox has nobody/);
});

test("a file that cannot be written is an error before anything is run", async () => {
  const { code, stderr, stdout } = await stage.sh(identities[0]!, ["--denials-file", "/nowhere/file"], "echo ran");
  assert.deepEqual([code, stdout], [125, ""]);
  assert.match(stderr, /cannot write \/nowhere\/file/);
});

/** The process that holds a seccomp listener, of the launcher whose payload sleeps. */
async function findWatcher(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const found = readdirSync("/proc").map(Number).find((pid) => pid > 0 && isWatcher(pid));
    if (found !== undefined && execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes("\nsleep 2\n")) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("the sandbox did not start");
}

function isWatcher(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(stage.brig) && readlinkSync(`/proc/${pid}/fd/0`) === "anon_inode:seccomp notify";
  } catch {
    return false;
  }
}

for (const who of identities) {
  test(`${who.name}: what a list of hosts refuses is told with the words that add to it`, async (t) => {
    if (!existsSync("/usr/bin/pasta")) return t.skip("pasta is not installed");
    const told = await tellCommand(who, ["getent", "hosts", "other.invalid"], ["--allow-host", "good.invalid:443"]);
    assert.deepEqual(told.denials.map(({ kind, what, program, allow }) => [kind, what, program, allow]), [["network", "the name other.invalid", "getent", "--allow-host other.invalid"]]);
    assert.deepEqual(readdirSync("/tmp").filter((name) => name.startsWith("brig-attempts-")), []);
  });
}
