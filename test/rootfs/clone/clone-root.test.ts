import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { findLauncher } from "../../../src/launch/find-launcher.js";

const isRoot = process.geteuid?.() === 0;

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-clone-"));
  t.after(() => spawnSync("rm", ["-rf", folder]));
  return folder;
}

const run = (program: string, ...words: string[]) => spawnSync(program, words, { encoding: "utf8" });
const brig = (...words: string[]) => run(findLauncher(), ...words);

/** All that a file can have. */
function makeTree(folder: string): string {
  const root = join(folder, "root");
  mkdirSync(join(root, "usr/bin"), { recursive: true, mode: 0o755 });
  mkdirSync(join(root, "tmp"));
  chmodSync(join(root, "tmp"), 0o1777);
  writeFileSync(join(root, "usr/bin/one"), "one", { mode: 0o755 });
  linkSync(join(root, "usr/bin/one"), join(root, "usr/bin/two"));
  symlinkSync("/outside/nowhere", join(root, "link"));
  writeFileSync(join(root, "holes"), "x");
  truncateSync(join(root, "holes"), 64 * 2 ** 20);
  run("setfattr", "-n", "user.note", "-v", "kept", join(root, "usr/bin/one"));
  run("setfacl", "-m", "u:1:rw", join(root, "holes"));
  run("mkfifo", join(root, "pipe"));
  if (!isRoot) return root;
  chownSync(join(root, "tmp"), 7, 8);
  writeFileSync(join(root, "capable"), "", { mode: 0o755 });
  run("setcap", "cap_net_raw+ep", join(root, "capable"));
  run("mknod", join(root, "null"), "c", "1", "3");
  writeFileSync(join(root, "setuid"), "", { mode: 0o755 });
  chmodSync(join(root, "setuid"), 0o4755);
  return root;
}

/** Name, type, mode, owner, time, size, links, device, target; attributes apart. */
function describe(root: string): string {
  const stat = spawnSync("find", [".", "-printf", "%p %y %m %U:%G %T@ %s %n %l\\n"], { cwd: root, encoding: "utf8" }).stdout;
  const files = stat.split("\n").filter((line) => line !== "").map((line) => (/ d /.test(line) ? line.replace(/ \d+ (\d+) $/, " $1 ") : line)).sort();
  const attributes = spawnSync("getfattr", ["-R", "-h", "-d", "-m", "-", "."], { cwd: root, encoding: "utf8" }).stdout ?? "";
  return `${files.join("\n")}\n${attributes.split("\n\n").sort().join("\n")}`;
}

test("a clone has all that the root has", (t) => {
  const folder = makeFolder(t);
  const root = makeTree(folder);
  const cloned = brig("clone", root, join(folder, "copy"));
  assert.equal(cloned.status, 0, cloned.stderr);
  assert.match(cloned.stdout, /shares its blocks|copied whole/);
  assert.equal(describe(join(folder, "copy")), describe(root));
  const [one, two] = ["one", "two"].map((name) => statSync(join(folder, "copy/usr/bin", name)).ino);
  assert.equal(one, two);
  const holes = statSync(join(folder, "copy/holes"));
  assert.ok(holes.blocks * 512 < 2 ** 20, `${holes.blocks} blocks`);
  if (isRoot) assert.equal(statSync(join(folder, "copy/null")).rdev, statSync("/dev/null").rdev);
  assert.deepEqual(readdirSync(folder).sort(), ["copy", "root"]);
});

test("a taken place, a place within and a root that is none are refused", (t) => {
  const folder = makeFolder(t);
  const root = makeTree(folder);
  mkdirSync(join(folder, "taken"));
  writeFileSync(join(folder, "taken/file"), "");
  const failures: [string[], RegExp][] = [
    [[root, join(folder, "taken")], /there already/], [[root, join(root, "in")], /would hold itself/], [[join(folder, "none"), join(folder, "x")], /is no folder/],
    [[root, join(folder, "no/such/x")], /there is no folder/], [[join(root, "usr/bin/one"), join(folder, "x")], /is no folder/],
  ];
  for (const [words, why] of failures) {
    const refused = brig("clone", ...words);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, why);
  }
  assert.deepEqual(readdirSync(folder).sort(), ["root", "taken"]);
  assert.equal(brig("clone", root, join(folder, "taken")).status, 125);
});

/** A tree that takes a while. */
function makeLargeTree(folder: string): string {
  const root = join(folder, "root");
  for (let at = 0; at < 60; at++) {
    mkdirSync(join(root, `${at}`), { recursive: true });
    for (let file = 0; file < 60; file++) writeFileSync(join(root, `${at}/${file}`), "x".repeat(9000));
  }
  return root;
}

test("killed at any moment, no half of a clone or snapshot is taken for whole, and the next one clears it away", async (t) => {
  const folder = makeFolder(t);
  const root = makeLargeTree(folder);
  const data = join(folder, "data");
  const env = isRoot ? process.env : { ...process.env, XDG_DATA_HOME: data };
  const name = `brig-test-${process.pid}`;
  t.after(() => spawnSync(findLauncher(), ["snapshot", "--remove", name], { env }));
  for (const [index, words] of [["clone", root, join(folder, "copy")], ["snapshot", root, name], ["clone", root, join(folder, "copy")]].entries()) {
    const child = spawn(findLauncher(), words, { stdio: "ignore", detached: true, env });
    await new Promise((resolve) => setTimeout(resolve, 220 + index * 130));
    const ended = child.exitCode !== null;
    if (!ended) process.kill(-child.pid!, "SIGKILL");
    await new Promise((resolve) => (ended ? resolve(0) : child.on("exit", resolve)));
    const copy = join(folder, "copy");
    if (existsSync(copy)) assert.equal(describe(copy), describe(root));
    const listed = JSON.parse(spawnSync(findLauncher(), ["snapshot", "--list", "--json"], { encoding: "utf8", env }).stdout) as { name: string; root: string }[];
    const taken = listed.find((snapshot) => snapshot.name === name);
    if (taken) assert.equal(describe(taken.root), describe(root));
    spawnSync("rm", ["-rf", copy]);
  }
  assert.equal(brig("clone", root, join(folder, "last")).status, 0);
  assert.deepEqual(readdirSync(folder).filter((left) => left.includes(".brig-part-")), []);
  assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(folder));
});

test("a snapshot is compared with what became of its root, becomes a root again, and goes", (t) => {
  const folder = makeFolder(t);
  const root = makeTree(folder);
  const name = `brig-test-${process.pid}-diff`;
  const env = isRoot ? process.env : { ...process.env, XDG_DATA_HOME: join(folder, "data") };
  const mine = (...words: string[]) => spawnSync(findLauncher(), words, { encoding: "utf8", env });
  t.after(() => mine("snapshot", "--remove", name));
  assert.equal(mine("snapshot", root, name).status, 0);
  assert.match(mine("snapshot", root, name).stderr, /there is a snapshot/);
  assert.match(mine("snapshot", root, "../x").stderr, /is no name for a snapshot/);
  assert.equal(mine("diff", name).stdout, "");
  writeFileSync(join(root, "usr/bin/new\u001b[2J"), "");
  rmSync(join(root, "link"));
  assert.equal(mine("diff", name).stdout, "D /link\nC /usr\nC /usr/bin\nA /usr/bin/new\\x1b[2J\n");
  assert.equal(mine("diff", root).stdout, mine("diff", name).stdout);
  assert.deepEqual((JSON.parse(mine("diff", "--json", name).stdout) as { changes: object[] }).changes[0], { kind: "deleted", path: "/link", type: "link" });
  assert.equal(mine("clone", name, join(folder, "again")).status, 0);
  assert.equal(mine("diff", name, join(folder, "again")).stdout, "");
  assert.equal(mine("snapshot", "--remove", name).stdout, `${name}\n`);
  assert.match(mine("diff", name).stderr, /no sandbox|no folder/);
});

test("where the file system can, blocks are shared", (t) => {
  if (!isRoot || run("mkfs.btrfs", "--version").status !== 0) return t.skip("needs root and btrfs-progs");
  const folder = makeFolder(t);
  writeFileSync(join(folder, "disk"), "");
  truncateSync(join(folder, "disk"), 256 * 2 ** 20);
  if (run("mkfs.btrfs", "-q", join(folder, "disk")).status !== 0) return t.skip("no btrfs can be made");
  mkdirSync(join(folder, "on"));
  // the mount is in a namespace of its own, and goes with it
  const script = 'mount -o loop "$1/disk" "$1/on" || exit 77; mkdir "$1/on/root"; head -c 67108864 /dev/urandom > "$1/on/root/large"; for n in 1 2 3; do "$0" clone "$1/on/root" "$1/on/copy$n" || exit; done; cmp "$1/on/root/large" "$1/on/copy3/large"';
  const ran = run("unshare", "--mount", "--propagation", "private", "sh", "-c", script, findLauncher(), folder);
  if (ran.status === 77) return t.skip(`no loop mount: ${ran.stderr}`);
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(ran.stdout.match(/which shares its blocks/g)?.length, 3);
});
