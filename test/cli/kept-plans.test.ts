import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { findLauncher } from "../../src/launch/find-launcher.js";

interface Home {
  home: string;
  /** Starts brig; without `node` only a kept plan can answer. */
  start(words: string[], how?: { node?: boolean; env?: Record<string, string>; cwd?: string }): { status: number | null; stdout: string; stderr: string };
}

/** A user's home with a cache of plans and a folder of programs of its own. */
function makeHome(t: TestContext): Home {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "brig-kept-")));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  for (const folder of [".config/firejail", "bin", "cache"]) mkdirSync(join(home, folder), { recursive: true });
  const base = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), PATH: `${join(home, "bin")}:/usr/bin:/bin`, SHELL: "/bin/sh", LC_ALL: "C.UTF-8" };
  return {
    home,
    start: (words, { node = false, env = {}, cwd = home } = {}) =>
      spawnSync(findLauncher(), words, { argv0: "brig", cwd, encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "pipe"], env: { ...base, BRIG_NODE: node ? process.execPath : "/nowhere/node", ...env } }),
  };
}

/** Longer than the time within which a change leaves a file's times as they are. */
const settle = (): Promise<void> => sleep(130);

function isKept({ status, stderr }: { status: number | null; stderr: string }): boolean {
  if (status === 0) return true;
  assert.match(stderr, /node is missing/);
  return false;
}

const PROFILE = [
  "include kept-part.inc", "include kept.local", "noblacklist ${HOME}/secret-not*", "blacklist ${HOME}/secret*", "blacklist ${HOME}/hidden", "read-only ${DOWNLOADS}",
  "read-only ${HOME}/link", "mkdir ${HOME}/made", "hostname kept", "machine-id", "private-etc hostname,machine-id,passwd,ld.so.cache",
];

test("a kept firejail plan is used until one of the things that it was made from changes, and then no more", async (t) => {
  const { home, start } = makeHome(t);
  const at = (name: string): string => join(home, name);
  const write = (name: string, text = ""): void => writeFileSync(at(name), text);
  write(".config/firejail/kept.profile", `${PROFILE.join("\n")}\n`);
  write(".config/firejail/kept-part.inc", "env PART=one\n");
  mkdirSync(at("one"));
  mkdirSync(at("two"));
  symlinkSync("one", at("link"));
  const words = ["firejail", "--quiet", "--profile=kept", "sh", "-c", "echo $PART $VALUE $(hostname)"];
  const changes: [what: string, change: () => void][] = [
    ["the profile's text", () => write(".config/firejail/kept.profile", `${[...PROFILE, "nodvd"].join("\n")}\n`)],
    ["a file that it includes", () => write(".config/firejail/kept-part.inc", "env PART=two\n")],
    ["a .local file that was not there", () => write(".config/firejail/kept.local", "nosound\n")],
    ["that .local file's end", () => unlinkSync(at(".config/firejail/kept.local"))],
    ["a new name that a pattern matches", () => write("secret-new")],
    ["the end of one", () => unlinkSync(at("secret-new"))],
    ["a path that was not there to be hidden", () => write("hidden")],
    ["where a link leads", () => (unlinkSync(at("link")), symlinkSync("two", at("link")))],
    ["the user's folders", () => (mkdirSync(at("Load")), write(".config/user-dirs.dirs", 'XDG_DOWNLOAD_DIR="$HOME/Load"\n'))],
    ["such a folder that is gone", () => rmdirSync(at("Load"))],
    ["a program of that name earlier on PATH", () => (write("bin/sh", "#!/bin/dash\nexec /bin/dash \"$@\"\n"), chmodSync(at("bin/sh"), 0o755))],
    ["a program that cannot be executed any more", () => chmodSync(at("bin/sh"), 0o644)],
    ["a folder that the profile makes", () => rmdirSync(at("made"))],
    ["a file made for the sandbox", () => readdirSync(at("cache/brig/firejail")).forEach((name) => unlinkSync(at(`cache/brig/firejail/${name}`)))],
    ["the folder of such files opened to others", () => chmodSync(at("cache/brig/firejail"), 0o777)],
    ["the home replaced by another folder", () => (renameSync(home, `${home}-old`), symlinkSync(`${home}-old`, home))],
  ];
  t.after(() => rmSync(`${home}-old`, { recursive: true, force: true }));
  for (const [what, change] of changes) {
    await settle();
    const first = start(words, { node: true });
    assert.equal(first.status, 0, `before ${what}: ${first.stderr}`);
    assert.ok(isKept(start(words)), `before ${what}`);
    change();
    assert.equal(isKept(start(words)), false, what);
  }
});

test("what does not matter to a firejail plan leaves it kept, and its program has the environment of its own start", async (t) => {
  const { home, start } = makeHome(t);
  writeFileSync(join(home, ".config/firejail/kept.profile"), `${PROFILE.join("\n")}\n`);
  writeFileSync(join(home, ".config/firejail/kept-part.inc"), "env PART=one\nrmenv GONE\n");
  const words = ["firejail", "--quiet", "--profile=kept", "sh", "-c", "echo $PART,$VALUE,$GONE,$BRIG_NODE,$(cat /etc/machine-id)"];
  await settle();
  const first = start(words, { node: true, env: { VALUE: "1" } });
  assert.match(first.stdout, /^one,1,,,[0-9a-f]{32}\n$/, first.stderr);
  writeFileSync(join(home, "secre"), "");
  writeFileSync(join(home, "other"), "");
  const second = start(words, { env: { VALUE: "2", GONE: "x", UNKNOWN: "y" } });
  assert.match(second.stdout, /^one,2,,,[0-9a-f]{32}\n$/, second.stderr);
  assert.notEqual(second.stdout.slice(-33), first.stdout.slice(-33), "a machine-id is another one at each start");
  for (const env of [{ PATH: "/bin" }, { HOME: "/" }, { SHELL: "/bin/bash" }, { XDG_CACHE_HOME: join(home, "else") }] as Record<string, string>[])
    assert.equal(isKept(start(words, { env })), false, JSON.stringify(env));
  assert.ok(isKept(start(words)));
  assert.equal(isKept(start(words, { cwd: "/" })), false, "another working folder");
});

test("a profile that was changed a moment ago is not depended on", async (t) => {
  const { home, start } = makeHome(t);
  const words = ["firejail", "--quiet", "--profile=kept", "true"];
  await settle();
  writeFileSync(join(home, ".config/firejail/kept.profile"), "nodvd\n");
  let tries = 0;
  // only a start within the clock's tick says anything; the machine may be slow
  for (; tries < 3; tries++) {
    const begin = Date.now();
    writeFileSync(join(home, ".config/firejail/kept.profile"), `nodvd\n# ${tries}\n`);
    assert.equal(start(words, { node: true }).status, 0);
    if (Date.now() - begin > 100) continue;
    assert.equal(isKept(start(words)), false);
    return;
  }
  t.skip("the machine was too slow to see it");
});

test("what a command says or leaves undone is not lost by keeping its plan", async (t) => {
  const { home, start } = makeHome(t);
  writeFileSync(join(home, ".config/firejail/loud.profile"), "whitelist ${DOWNLOADS}\n");
  const loud = ["firejail", "--profile=loud", "true"];
  await settle();
  const said = start(loud, { node: true }).stderr;
  assert.match(said, /cannot whitelist \$\{DOWNLOADS\}/);
  assert.deepEqual([start(loud).status, start(loud).stderr], [0, said]);
  const named = ["firejail", "--quiet", "--noprofile", `--name=kept-${process.pid}`, "true"];
  assert.equal(start(named, { node: true }).status, 0);
  assert.equal(isKept(start(named)), false, "a name is freed by whoever compiles");
});

test("unshare, chroot and bwrap start without Node the second time, with the environment of that start", (t) => {
  const { home, start } = makeHome(t);
  const isRoot = process.geteuid?.() === 0;
  const commands = [
    ["unshare", ...(isRoot ? ["--uts"] : ["--user", "--map-root-user"]), "sh", "-c", "echo $VALUE"],
    ["bwrap", "--ro-bind", "/", "/", "sh", "-c", "echo $VALUE"],
    ...(isRoot ? [["chroot", "--userspec=0:0", "/", "sh", "-c", "echo $VALUE"]] : []),
  ];
  for (const words of commands) {
    assert.equal(start(words, { node: true, env: { VALUE: "1" } }).stdout, "1\n", words.join(" "));
    const again = start(words, { env: { VALUE: "2" } });
    assert.equal(again.stdout, "2\n", `${words.join(" ")}: ${again.stderr}`);
    assert.equal(isKept(start(words, { env: { PATH: "/bin" } })), false, "candidates are those of another PATH");
    assert.equal(isKept(start(words, { cwd: join(home, "bin") })), false);
  }
});

test("a warning of chroot is told at each start", (t) => {
  if (process.geteuid?.() !== 0) return t.skip("chroot is for root");
  const { start } = makeHome(t);
  const words = ["chroot", "--userspec=0.0", "/", "true"];
  const first = start(words, { node: true }).stderr;
  assert.match(first, /warning/);
  assert.equal(isKept(start(words)), false);
});

test("netns exec joins what the name stands for now: a namespace made anew is compiled for anew", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("network namespaces with names are for root");
  const { start } = makeHome(t);
  const name = `brigkept${process.pid}`;
  const words = ["netns", "exec", name, "readlink", "/proc/self/ns/net"];
  const change = (verb: string): void => assert.equal(start(["netns", verb, name], { node: true }).status, 0, verb);
  t.after(() => start(["netns", "delete", name], { node: true }));
  const seen: string[] = [];
  for (const round of ["the first", "the second"]) {
    change("add");
    await settle();
    assert.equal(isKept(start(words)), false, `${round} is not compiled for yet`);
    const first = start(words, { node: true });
    assert.match(first.stdout, /^net:\[\d+\]\n$/, first.stderr);
    assert.deepEqual([start(words).stdout, start(words, { cwd: "/" }).status], [first.stdout, 125], round);
    seen.push(first.stdout);
    change("delete");
    assert.equal(isKept(start(words)), false, `${round} is gone`);
    assert.match(start(words, { node: true }).stderr, /Cannot open network namespace/);
  }
  assert.ok(seen.every((each) => each !== `${readlinkSync("/proc/self/ns/net")}\n`));
});

test("nsenter starts without Node the second time, and never into a process that has ended", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("another's namespaces are for root");
  const { start } = makeHome(t);
  const holder = spawn("unshare", ["--uts", "sleep", "60"], { stdio: "ignore" });
  t.after(() => holder.kill("SIGKILL"));
  const link = `/proc/${holder.pid}/ns/uts`;
  while (readlinkSync(link) === readlinkSync("/proc/self/ns/uts")) await sleep(10);
  await settle();
  const inside = `${readlinkSync(link)}\n`;
  const program = ["readlink", "/proc/self/ns/uts"];
  const ways = [["nsenter", "--target", String(holder.pid), "--uts", ...program], ["nsenter", `--uts=${link}`, ...program]];
  for (const words of ways) {
    const first = start(words, { node: true });
    assert.equal(first.stdout, inside, first.stderr);
    assert.equal(start(words).stdout, inside, words.join(" "));
  }
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  for (const words of ways) {
    assert.notEqual(start(words).status, 0);
    const { status, stderr } = start(words, { node: true });
    assert.notEqual(status, 0);
    assert.match(stderr, /No such file or directory|No such process/);
  }
});
