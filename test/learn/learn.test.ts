import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadProfile } from "../../src/policy/profile.js";
import { type Identity, identities, openStage, type Ran, type Stage } from "../walls/stage.js";

let stage: Stage;
before(() => {
  stage = openStage();
});
after(() => stage.close());

interface Taught extends Ran {
  file: string;
  profile: string;
}

/** `brig learn` of a shell script, and the profile that it wrote. */
async function learn(who: Identity, script: string, options: string[] = [], input = ""): Promise<Taught> {
  const folder = join(stage.home(who), "profiles");
  if (!existsSync(folder)) mkdirSync(folder);
  chownSync(folder, who.uid, who.uid);
  const file = join(folder, "learned.toml");
  rmSync(file, { force: true });
  const ran = await stage.brigAs(who, ["learn", "-o", file, ...options, "--", "/bin/sh", "-c", script], { input, timeoutMs: 60_000 });
  return { ...ran, file, profile: existsSync(file) ? readFileSync(file, "utf8") : "" };
}

const runUnder = (who: Identity, file: string): Promise<Ran> => stage.brigAs(who, ["run", "--profile", file]);

function plant(who: Identity, path: string, text: string): string {
  writeFileSync(path, text);
  chownSync(path, who.uid, who.uid);
  return path;
}

for (const who of identities) {
  test(`${who.name}: a program does the same under its profile, and no more than it used is open`, async () => {
    plant(who, join(stage.home(who), "settings"), "settings\n");
    const taught = await learn(who, "cat ~/settings && echo x > made && rm made", ["--net", "none"]);
    assert.equal(taught.code, 0, taught.stderr);
    const { options } = loadProfile(taught.file);
    assert.deepEqual(options, { project: "write", read: ["~/settings"] });
    const ran = await runUnder(who, taught.file);
    assert.deepEqual([ran.code, ran.stdout], [0, "settings\n"]);
    const other = await stage.brigAs(who, ["run", "--profile", taught.file, "--", "cat", join(stage.home(who), ".secret")]);
    assert.equal(other.code, 1);
  });

  test(`${who.name}: without any one of its lines a minimized profile does not do`, async () => {
    for (const name of ["one", "two", "three"]) plant(who, join(stage.home(who), name), `${name}\n`);
    const { file, profile } = await learn(who, "cat ~/one ~/two && { cat ~/three > /dev/null 2>&1 || true; } ; test -d ~/.config; echo x >> file", ["--minimize", "--net", "none"]);
    const lines = profile.split("\n");
    const rules = lines.filter((line) => /^(project|net|seccomp) = |^ {2}"/.test(line));
    assert.deepEqual(rules.map((line) => line.replace(/ #.*/, "")), ['  "~/one",', '  "~/two",', `  ${JSON.stringify(join(stage.project(who), "file"))},`]);
    assert.match(profile, /^# {3}read ~\/three: read$/m);
    assert.equal((await runUnder(who, file)).code, 0);
    for (const rule of rules) {
      writeFileSync(file, lines.filter((line) => line !== rule).join("\n"));
      const { code, stdout } = await runUnder(who, file);
      assert.ok(code !== 0 || stdout !== "one\ntwo\n", rule);
    }
  });

  test(`${who.name}: neither what is learned from nor the trials change anything on the host`, async () => {
    const file = plant(who, join(stage.project(who), "counted"), "");
    const outside = join(stage.home(who), "outside");
    const { code, stderr } = await learn(who, "echo more >> counted; echo x > other; echo x > ~/outside; mkdir ~/folder", ["--minimize", "--net", "none"]);
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(file, "utf8"), "");
    assert.deepEqual([existsSync(outside), existsSync(join(stage.project(who), "other")), existsSync(join(stage.home(who), "folder"))], [false, false, false]);
    assert.deepEqual(readdirSync("/var/tmp").filter((name) => name.startsWith("brig-ephemeral-")), []);
  });

  test(`${who.name}: what it only looked for is left out, and what it needs of that comes back`, async () => {
    mkdirSync(join(stage.home(who), "looked"), { recursive: true });
    chownSync(join(stage.home(who), "looked"), who.uid, who.uid);
    const idle = await learn(who, "test -d ~/looked; exit 0", ["--net", "none"]);
    assert.deepEqual(loadProfile(idle.file).options, { project: "none" });
    const needed = await learn(who, "test -d ~/looked", ["--net", "none"]);
    assert.deepEqual(loadProfile(needed.file).options.read, ["~/looked"]);
    assert.equal((await runUnder(who, needed.file)).code, 0);
  });

  test(`${who.name}: a refused call comes back as a filter of its own, when it is needed`, async () => {
    const taught = await learn(who, "unshare --user true", ["--net", "none"]);
    assert.equal(taught.code, 0, taught.stderr);
    assert.equal(loadProfile(taught.file).options.seccomp, join(stage.home(who), "profiles/learned.seccomp.json"));
    assert.equal((await runUnder(who, taught.file)).code, 0);
    const mount = await stage.brigAs(who, ["run", "--profile", taught.file, "--", "chroot", "/", "true"]);
    assert.notEqual(mount.code, 0);
  });

  test(`${who.name}: the host's loopback is asked for when it is used`, async () => {
    const server = createServer((_, response) => response.end("hello\n")).listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as { port: number };
    try {
      const taught = await learn(who, `exec 3<> /dev/tcp/127.0.0.1/${port}`.replace(/^/, "exec bash -c '").concat("'"), ["--net", "host"]);
      assert.equal(loadProfile(taught.file).options.net, "host", taught.stderr);
    } finally {
      server.close();
    }
  });

  test(`${who.name}: a program that does something else in its trial is not called learned`, async () => {
    const { code, stderr, profile } = await learn(who, "read -r line && test \"$line\" = word", ["--net", "none"], "word\n");
    assert.equal(code, 125);
    assert.match(stderr, /under the profile the program ends with status 1, and not with 0/);
    assert.match(profile, /^command = /m);
  });

  test(`${who.name}: what is hidden stays hidden while it is learned from`, async () => {
    const { stdout } = await learn(who, "cat ~/.secret; true", ["--net", "none", "--hide", join(stage.home(who), ".secret")]);
    assert.equal(stdout, "");
  });

  test(`${who.name}: names that a program chooses cannot write rules of their own`, async () => {
    const name = 'a"\nnet = "host"\n#';
    const path = plant(who, join(stage.home(who), name), "odd\n");
    chmodSync(path, 0o644);
    const taught = await learn(who, `cat ~/a*`, ["--net", "none"]);
    const { options } = loadProfile(taught.file);
    assert.equal(options.net, undefined);
    rmSync(path);
  });
}

test("without -o the profile is all that stands on standard output", async () => {
  const [who] = identities;
  const { stdout, stderr } = await stage.brigAs(who!, ["learn", "--net", "none", "--no-verify", "--", "echo", "said"]);
  assert.match(stdout, /^# Learned by brig from one run of: echo said\ncommand = \["echo", "said"\]\n/);
  assert.match(stderr, /^said$/m);
});
