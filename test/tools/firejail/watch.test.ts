import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";

const brig = resolve("dist/brig");
const UID = 4714;

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A home of an ordinary user with a few files, and brig firejail as that user. */
function makeUser(t: TestContext): { home: string; run(...words: string[]): Outcome } {
  const home = mkdtempSync(join(tmpdir(), "brig-watch-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  t.after(() => rmSync(`/tmp/brig-${UID}`, { recursive: true, force: true }));
  for (const folder of [".ssh", ".config", ".config/prog"]) mkdirSync(join(home, folder));
  for (const file of [".ssh/id", ".config/prog/rc", "data", "other"]) writeFileSync(join(home, file), `${file}\n`);
  spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
  const env = { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/sh", BRIG_NO_CACHE: "1" };
  const run = (...words: string[]): Outcome => spawnSync("setpriv", [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", brig, "firejail", ...words], { cwd: home, encoding: "utf8", env, timeout: 60_000 });
  return { home, run };
}

const skip = process.geteuid?.() === 0 && existsSync(brig) ? false : "needs root to act as an ordinary user, and a built launcher";

test("--trace tells each call as firejail does, with the sandbox's pids, on standard error or in a file", { skip }, (t) => {
  const { home, run } = makeUser(t);
  const script = 'cat data nowhere; mkdir made; exec /usr/bin/true';
  const { stderr, stdout } = run("--noprofile", "--quiet", "--trace", "sh", "-c", script);
  assert.equal(stdout, "data\n");
  assert.match(stderr, new RegExp(`^\\d{1,3}:cat:open ${home}/data:0$`, "m"));
  // cat says its own words in pieces on the same standard error
  assert.match(stderr, new RegExp(`\\d{1,3}:cat:open ${home}/nowhere:-1$`, "m"));
  assert.match(stderr, new RegExp(`^\\d{1,3}:mkdir:mkdir ${home}/made:0$`, "m"));
  assert.match(stderr, /^2:sh:exec \/usr\/bin\/true:0$/m);
  const log = join(home, "log");
  assert.equal(run("--noprofile", "--quiet", `--trace=${log}`, "sh", "-c", "exit 4").status, 4);
  assert.match(readFileSync(log, "utf8"), /:exec \/(usr\/)?bin\/sh:0$/m);
});

test("--tracelog tells what was refused, by which rule, and the option that would allow it; and that option does", { skip }, (t) => {
  const { run } = makeUser(t);
  const words = ["--noprofile", "--quiet", "--blacklist=~/.ssh", "--read-only=~/data", "--seccomp=mkdir"];
  const script = "cat .ssh/id; echo more >> data; mkdir made";
  const { stderr } = run(...words, "--tracelog", "sh", "-c", script);
  assert.match(stderr, /cat could not read \S+\/\.ssh\/id: .*--blacklist=~\/\.ssh.*--noblacklist=~\/\.ssh allows it/);
  const allow = /^to allow all of it: (.*)$/m.exec(stderr)?.[1]?.split(" ") ?? [];
  assert.deepEqual([...allow].sort(), ["--noblacklist=~/.ssh", "--read-write=~/data", "--seccomp=!mkdir"]);
  const [, other = ""] = allow;
  assert.match(other, /^--/);
  const again = run("--noprofile", "--quiet", ...allow.filter((word) => !word.startsWith("--seccomp")), ...words.slice(2, -1), ...allow.filter((word) => word.startsWith("--read")), "sh", "-c", "cat .ssh/id; echo more >> data");
  assert.equal(again.stderr, "");
  assert.equal(again.stdout, ".ssh/id\n");
});

test("--build writes a profile under which the program does the same, and sees no more than it used", { skip }, (t) => {
  if (!existsSync("/etc/firejail/disable-common.inc")) return t.skip("firejail-profiles is not installed");
  const { home, run } = makeUser(t);
  const profile = join(home, "my.profile");
  const script = 'cat data .config/prog/rc; echo new > made; getent passwd root | cut -d: -f1; read line < other 2>/dev/null && echo "read $line"; true';
  const first = run("--quiet", `--build=${profile}`, "sh", "-c", script.replace("read line < other", "false"));
  assert.equal(first.stdout, "data\n.config/prog/rc\nroot\n");
  const text = readFileSync(profile, "utf8");
  for (const line of ["whitelist ${HOME}/.config/prog", "whitelist ${HOME}/data", "mkfile ${HOME}/made", "net none", "include disable-common.inc", "caps.drop all"]) assert.ok(text.split("\n").includes(line), line);
  const second = run("--quiet", `--profile=${profile}`, "sh", "-c", script);
  assert.equal(second.stdout, first.stdout, second.stderr);
  assert.equal(second.status, 0);
});

test("--output keeps what the program says in files of 500 KB, and --output-stderr its errors too", { skip }, (t) => {
  const { home, run } = makeUser(t);
  const file = join(home, "log");
  const first = run("--noprofile", "--quiet", `--output=${file}`, "sh", "-c", "echo said; echo wrong >&2; echo again > /dev/stdout; exit 3");
  assert.deepEqual([first.stdout, first.stderr, first.status], ["said\nagain\n", "wrong\n", 3]);
  assert.equal(readFileSync(file, "utf8"), "said\nagain\n");
  const long = run("--noprofile", "--quiet", `--output-stderr=${file}`, "sh", "-c", "echo wrong >&2; seq 100000");
  assert.ok(long.stdout.endsWith("100000\n") && long.stdout.startsWith("wrong\n"));
  assert.ok(statSync(`${file}.1`).size <= 512_000);
  assert.equal(readFileSync(`${file}.1`, "utf8") + readFileSync(file, "utf8"), long.stdout);
  assert.equal(readFileSync(`${file}.2`, "utf8"), "said\nagain\n");
  const { status, stderr } = run("--noprofile", "--quiet", "--output=/nowhere/log", "true");
  assert.equal(status, 1);
  assert.match(stderr, /cannot write \/nowhere\/log/);
});

/** The ELF program's header and nothing else, with a squashfs behind it, as an AppImage of type 2 has them. */
function makeImage(home: string, script: string): string {
  const tree = join(home, "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "AppRun"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  writeFileSync(join(tree, "data"), "from the image\n");
  const squashfs = join(home, "image.squashfs");
  assert.equal(spawnSync("mksquashfs", [tree, squashfs, "-quiet", "-no-progress", "-all-root"], { stdio: "ignore" }).status, 0);
  const elf = Buffer.alloc(64);
  elf.write("\x7fELF\x02\x01\x01\0AI\x02", 0, "latin1");
  elf.writeBigUInt64LE(64n, 0x28);
  elf.writeUInt16LE(64, 0x3a);
  const image = join(home, "prog.AppImage");
  writeFileSync(image, Buffer.concat([elf, readFileSync(squashfs)]), { mode: 0o755 });
  return image;
}

test("--appimage runs an AppImage's program from its own files, read-only, and leaves none of them", { skip }, (t) => {
  if (spawnSync("sh", ["-c", "command -v mksquashfs unsquashfs"]).status !== 0) return t.skip("squashfs-tools is not installed");
  const { home, run } = makeUser(t);
  const image = makeImage(home, 'cat "$APPDIR/data"; echo "$1 $container $APPIMAGE"; (: > "$APPDIR/new") 2>/dev/null || echo kept; exit 7');
  spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("brig-appimage-"));
  for (const options of [["--noprofile"], ["--noprofile", "--private-tmp", "--private", "--noexec=/tmp"]]) {
    const { stdout, stderr, status } = run("--quiet", ...options, "--appimage", image, "word");
    assert.deepEqual([stdout, status], [`from the image\nword firejail ${image}\nkept\n`, 7], stderr);
  }
  assert.deepEqual(readdirSync(tmpdir()).filter((name) => name.startsWith("brig-appimage-") && !before.includes(name)), []);
  for (const [file, said] of [["data", /no AppImage/], ["nothing", /cannot read/]] as const) assert.match(run("--noprofile", "--appimage", join(home, file)).stderr, said);
});

test("--debug tells what is mounted and hidden, and by which rule", { skip }, (t) => {
  const { run, home } = makeUser(t);
  const { stderr, stdout } = run("--noprofile", "--debug", "--blacklist=~/.ssh", "echo", "done");
  assert.match(stderr, new RegExp(`^blacklist ${home}/\\.ssh \\(--blacklist=~/\\.ssh\\)$`, "m"));
  assert.match(stderr, /^bind \/usr rbind,ro/m);
  assert.equal(stdout, "done\n");
});

test("--keep-fd=all lets the program have the caller's descriptors, which it has not without", { skip }, (t) => {
  const { home, run } = makeUser(t);
  assert.match(run("--noprofile", "--keep-fd=all", "--trace", "true").stderr, /descriptors cannot be kept/);
  writeFileSync(join(home, "open"), "through the descriptor");
  const words = (option: string[]): string => `exec 7< ${home}/open; ${brig} firejail --noprofile --quiet ${option.join(" ")} sh -c 'cat <&7'`;
  const env = { HOME: home, PATH: "/usr/bin:/bin", BRIG_NO_CACHE: "1", XDG_CACHE_HOME: join(home, "cache-of-root") };
  const shell = (script: string): string => spawnSync("sh", ["-c", script], { encoding: "utf8", env, cwd: home }).stdout;
  assert.equal(shell(words(["--keep-fd=all"])), "through the descriptor");
  assert.equal(shell(words(["--keep-fd=7"])), "through the descriptor");
  assert.equal(shell(words([])), "");
});
