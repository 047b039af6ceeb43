import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { translateWords } from "../../../src/cli/called-as.js";

const brig = resolve("dist/brig");
const skip = process.geteuid?.() === 0 && existsSync(brig) ? false : "needs root and a built launcher";

/** A home with a folder for links and one for programs, which come in this order on PATH. */
function makePlaces(t: TestContext): { home: string; links: string; programs: string; env: NodeJS.ProcessEnv } {
  const home = mkdtempSync(join(tmpdir(), "brig-links-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const [links, programs] = [join(home, "links"), join(home, "programs")];
  for (const folder of [links, programs, join(home, ".config"), join(home, ".config/firejail")]) mkdirSync(folder);
  writeFileSync(join(programs, "showme"), '#!/bin/sh\necho "$container|$0|$*|$(hostname)"\n');
  chmodSync(join(programs, "showme"), 0o755);
  writeFileSync(join(home, ".config/firejail/showme.profile"), "quiet\nhostname ofshowme\n");
  const env = { HOME: home, PATH: `${links}:${programs}:/usr/bin:/bin`, SHELL: "/bin/sh", BRIG_NO_CACHE: "1" };
  return { home, links, programs, env };
}

test("a link of a program's name to brig is that program in its sandbox, with its own profile", { skip }, (t) => {
  const { home, links, programs, env } = makePlaces(t);
  symlinkSync(brig, join(links, "showme"));
  const called = spawnSync("sh", ["-c", "showme one 'two three'"], { cwd: home, env, encoding: "utf8" });
  assert.equal(called.stdout, `firejail|${programs}/showme|one two three|ofshowme\n`, called.stderr);
  const whole = spawnSync(join(links, "showme"), ["--help"], { cwd: home, env, encoding: "utf8" });
  assert.equal(whole.stdout, `firejail|${programs}/showme|--help|ofshowme\n`);
  const named = spawnSync(brig, ["firejail", "showme"], { cwd: home, env, encoding: "utf8" });
  assert.equal(named.stdout, `firejail|${programs}/showme||ofshowme\n`, named.stderr);
  // in a sandbox the link is the program: no second one is made
  const nested = spawnSync(brig, ["firejail", "--quiet", "--noprofile", "sh", "-c", "showme nested"], { cwd: home, env, encoding: "utf8" });
  assert.match(nested.stdout, /^firejail\|.*\/programs\/showme\|nested\|/, nested.stderr);
});

test("brig under another name, without a program of that name, is brig", () => {
  const caller = { launcher: "/nowhere/brig", path: "/usr/bin", isJailed: false };
  assert.deepEqual(translateWords("/opt/b", ["run"], caller), ["run"]);
  assert.deepEqual(translateWords("brig", ["run"], caller), ["run"]);
  assert.deepEqual(translateWords("-firejail", [], caller), ["firejail", "-l"]);
});

test("--symlinks makes links for what is installed and in Firejail's list, and --symlinks-clean takes them away", { skip }, (t) => {
  if (!existsSync("/etc/firejail/firecfg.config")) return t.skip("firejail-profiles is not installed");
  const { home, programs, env } = makePlaces(t);
  const own = join(home, ".local/bin");
  const name = readFileSync("/etc/firejail/firecfg.config", "utf8").split("\n").find((line) => /^[a-z]{6,}$/.test(line));
  assert.ok(name);
  writeFileSync(join(programs, name), "#!/bin/sh\necho real\n");
  chmodSync(join(programs, name), 0o755);
  spawnSync("chown", ["-R", "4717:4717", home]);
  const run = (word: string): string => spawnSync("setpriv", ["--reuid=4717", "--regid=4717", "--clear-groups", brig, "firejail", word], { cwd: home, env, encoding: "utf8" }).stdout;
  t.after(() => rmSync("/tmp/brig-4717", { recursive: true, force: true }));
  assert.match(run("--symlinks"), new RegExp(`^${own}/${name} for ${programs}/${name}$`, "m"));
  assert.ok(lstatSync(join(own, name)).isSymbolicLink());
  assert.match(run("--symlinks-clean"), new RegExp(`^${own}/${name} removed$`, "m"));
  assert.ok(!existsSync(join(own, name)));
});

test("as the shell of a real account it serves su, a command, a login, and scp", { skip }, (t) => {
  const { home, links } = makePlaces(t);
  const shell = join(links, "firejail");
  symlinkSync(brig, shell);
  const user = `briglogin${process.pid % 10000}`;
  const made = spawnSync("useradd", ["--no-create-home", "--home-dir", home, "--shell", shell, user], { encoding: "utf8" });
  if (made.status !== 0) return t.skip(`useradd: ${made.stderr}`);
  t.after(() => spawnSync("userdel", [user]));
  const uid = spawnSync("id", ["-u", user], { encoding: "utf8" }).stdout.trim();
  t.after(() => rmSync(`/tmp/brig-${uid}`, { recursive: true, force: true }));
  chmodSync(home, 0o755);
  spawnSync("chown", ["-R", user, home]);
  const su = (words: string[], input = ""): { stdout: string; stderr: string; status: number | null } => spawnSync("su", words, { encoding: "utf8", input, cwd: "/" });
  const command = su([user, "-c", "echo $container $(id -un); exit 6"]);
  assert.deepEqual([command.stdout, command.status], [`firejail ${user}\n`, 6], command.stderr);
  const login = su(["-", user], "echo $container $SHELL; pwd; exit 4\n");
  assert.match(login.stdout, new RegExp(`^firejail /bin/bash\\n${home}$`, "m"), login.stderr);
  assert.equal(login.status, 4);
  if (spawnSync("sh", ["-c", "command -v scp"]).status !== 0) return;
  // what sshd does for scp: the account's shell with -c
  const ssh = join(home, "ssh");
  writeFileSync(ssh, `#!/bin/sh\nfor last; do :; done\ncd ${home} && exec su ${user} -c "$last"\n`);
  chmodSync(ssh, 0o755);
  writeFileSync(join(home, "sent"), "what is sent");
  const copied = spawnSync("scp", ["-O", "-q", "-S", ssh, join(home, "sent"), `${user}@nowhere:arrived`], { encoding: "utf8", cwd: "/" });
  assert.deepEqual([copied.status, copied.stderr], [0, ""]);
  assert.equal(readFileSync(join(home, "arrived"), "utf8"), "what is sent");
});
