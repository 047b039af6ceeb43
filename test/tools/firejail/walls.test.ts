import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";

const brig = resolve("dist/brig");
const UID = 4712;

/** A home of an unprivileged user, and a way to run the command as that user. */
function makeUser(t: TestContext): { home: string; run(...words: string[]): { status: number | null; stdout: string; stderr: string } } {
  const home = mkdtempSync(join(tmpdir(), "brig-jail-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, ".config/firejail"), { recursive: true });
  writeFileSync(join(home, "secret"), "s3cret");
  chmodSync(home, 0o755);
  const env = { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/sh", BRIG_NO_CACHE: "1" };
  const run = (...words: string[]): ReturnType<typeof spawnSync> & { stdout: string; stderr: string } => {
    spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
    return spawnSync("setpriv", [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", brig, "firejail", ...words], { cwd: home, encoding: "utf8", env, timeout: 60_000 }) as never;
  };
  t.after(() => rmSync(`/tmp/brig-${UID}`, { recursive: true, force: true }));
  return { home, run };
}

function needsRoot(t: TestContext): boolean {
  if (process.geteuid?.() === 0 && existsSync(brig)) return false;
  t.skip("needs root to act as an ordinary user, and a built launcher");
  return true;
}

test("brig's own sockets, plans and staged files are not there for the payload, from the first sandbox on", (t) => {
  if (needsRoot(t)) return;
  const { home, run } = makeUser(t);
  const { stdout, status } = run("--noprofile", "sh", "-c", `ls -A /tmp/brig-${UID} "$HOME/.cache/brig" /run/brig 2>/dev/null | grep -v : ; (: > "$HOME/.cache/brig/plan") 2>/dev/null && echo WROTE; (: > /tmp/brig-${UID}/x) 2>/dev/null && echo WROTE; true`);
  assert.equal(stdout.trim(), "");
  assert.equal(status, 0);
  assert.ok(existsSync(join(home, ".cache/brig")));
});

test("what is hidden cannot be read through a link or /proc either", (t) => {
  if (needsRoot(t)) return;
  const { run } = makeUser(t);
  const { stdout } = run("--noprofile", "--blacklist=~/secret", "sh", "-c", 'cat "$HOME/secret"; ln -s "$HOME/secret" /tmp/l$$; cat /tmp/l$$; rm /tmp/l$$; cat /proc/self/root"$HOME"/secret');
  assert.equal(stdout, "");
});

test("a blacklist through a link hides what the link leads to", (t) => {
  if (needsRoot(t)) return;
  const { home, run } = makeUser(t);
  spawnSync("ln", ["-s", "secret", join(home, "link")]);
  assert.equal(run("--noprofile", "--blacklist=~/link", "sh", "-c", 'cat "$HOME/secret"').stdout, "");
});

test("system calls are refused with the answers that were asked for", (t) => {
  if (needsRoot(t)) return;
  const { run } = makeUser(t);
  const mkdir = ["mkdir", "x"];
  assert.match(run("--noprofile", "--seccomp=mkdir:ENOSPC", ...mkdir).stderr, /No space left/);
  assert.match(run("--noprofile", "--seccomp.drop=mkdir", ...mkdir).stderr, /Operation not permitted/);
  assert.equal(run("--noprofile", "--seccomp=mkdir,!mkdir", ...mkdir).status, 0);
  assert.notEqual(run("--noprofile", "--restrict-namespaces", "unshare", "--user", "true").status, 0);
  assert.equal(run("--noprofile", "--restrict-namespaces=net", "unshare", "--user", "true").status, 0);
  const socket = 'import socket,sys\ntry: socket.socket(getattr(socket, sys.argv[1])); print("made")\nexcept OSError as e: print(e.errno)';
  assert.equal(run("--noprofile", "--protocol=unix", "/usr/bin/python3", "-c", socket, "AF_INET").stdout.trim(), "95");
  assert.equal(run("--noprofile", "--protocol=unix", "/usr/bin/python3", "-c", socket, "AF_UNIX").stdout.trim(), "made");
  const memory = 'import mmap\ntry: mmap.mmap(-1, 4096, prot=7); print("made")\nexcept OSError as e: print(e.errno)';
  assert.equal(run("--noprofile", "--memory-deny-write-execute", "/usr/bin/python3", "-c", memory).stdout.trim(), "1");
});

test("what brig cannot enforce is an error with a way to go on", (t) => {
  if (needsRoot(t)) return;
  const { home, run } = makeUser(t);
  writeFileSync(join(home, ".config/firejail/mine.profile"), "quiet\n\nnet eth7\n");
  const cases: [string[], RegExp][] = [
    [["--noprofile", "--net=eth0", "true"], /Error: .*eth0[^]*--net=none/],
    [["--noprofile", "--x11=xpra", "true"], /Error: .*[^]*x11/],
    [["--noprofile", "--apparmor", "true"], /AppArmor/],
    [["--noprofile", "--overlay", "true"], /--ephemeral/],
    [["--noprofile", "--chroot=/x", "true"], /brig run --root/],
    [["--noprofile", "--seccomp=@nosuch", "true"], /no group @nosuch/],
    [["--noprofile", "--whitelist=/etc/../root", "true"], /no absolute path/],
  ];
  for (const [words, said] of cases) {
    const { status, stderr } = run(...words);
    assert.equal(status, 1, words.join(" "));
    assert.match(stderr, said);
  }
});

test("name, environment, host name, limits, time and working folder are as asked", (t) => {
  if (needsRoot(t)) return;
  const { run } = makeUser(t);
  const { stdout } = run("--noprofile", "--hostname=elsewhere", "--env=A=b c", "--rmenv=SHELL", "--rlimit-nofile=77", "--private-cwd=/usr", "--nice=5", "--cpu=0", "sh", "-c", 'hostname; cat /etc/hostname; echo "$A$SHELL"; ulimit -n; pwd; nice; nproc; echo $container');
  assert.deepEqual(stdout.trim().split("\n"), ["elsewhere", "elsewhere", "b c", "77", "/usr", "5", "1", "firejail"]);
  const started = performance.now();
  assert.notEqual(run("--noprofile", "--timeout=00:00:01", "sleep", "30").status, 0);
  assert.ok(performance.now() - started < 20_000);
});

test("as a login shell it runs the shell's command", (t) => {
  if (needsRoot(t)) return;
  const { run } = makeUser(t);
  const { stdout, status } = run("--noprofile", "-c", "echo from $0; exit 3");
  assert.equal(stdout, "from /bin/sh\n");
  assert.equal(status, 3);
});

test("as a link named firejail, and as a login shell of that name, it is firejail", (t) => {
  if (needsRoot(t)) return;
  const { home } = makeUser(t);
  const link = join(home, "firejail");
  symlinkSync(brig, link);
  const env = { HOME: home, PATH: "/usr/bin:/bin", SHELL: link, BRIG_NO_CACHE: "1" };
  const plain = spawnSync(link, ["--noprofile", "sh", "-c", "echo $container"], { cwd: home, env, encoding: "utf8" });
  assert.equal(plain.stdout, "firejail\n");
  const login = spawnSync(link, [], { cwd: home, env, encoding: "utf8", argv0: "-firejail", input: "echo $container; exit 4\n" });
  assert.match(login.stdout, /^firejail$/m);
  assert.equal(login.status, 4);
  const command = spawnSync(link, ["-c", "echo $container"], { cwd: home, env, encoding: "utf8", argv0: "-firejail" });
  assert.equal(command.stdout, "firejail\n");
});

test("a running sandbox is listed, joined, read and shut down by its name", async (t) => {
  if (needsRoot(t)) return;
  const { home, run } = makeUser(t);
  const { spawn } = await import("node:child_process");
  spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
  const child = spawn("setpriv", [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", brig, "firejail", "--noprofile", "--private", "--name=fjtest", "sh", "-c", 'echo inside > "$HOME/made"; echo up; sleep 60'], { cwd: home, env: { HOME: home, PATH: "/usr/bin:/bin" }, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  assert.match(run("--list").stdout, /^\d+:[^:]*:fjtest:sh -c/m);
  assert.match(run("--tree").stdout, /sleep 60/);
  assert.equal(run("--join=fjtest", "cat", join(home, "made")).stdout, "inside\n");
  assert.equal(run("--cat=fjtest", join(home, "made")).stdout, "inside\n");
  assert.equal(run("--get=fjtest", join(home, "made")).status, 0);
  assert.equal(readFileSync(join(home, "made"), "utf8"), "inside\n");
  assert.equal(run("--put=fjtest", join(home, "secret"), join(home, "put")).status, 0);
  assert.equal(run("--cat=fjtest", join(home, "put")).stdout, "s3cret");
  assert.equal(run("--shutdown=fjtest").status, 0);
  assert.equal(run("--list").stdout.trim(), "");
});
