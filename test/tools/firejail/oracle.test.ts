import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test, type TestContext } from "node:test";

const UID = 4711;
const brig = resolve("dist/brig");
let home = "";

before(() => {
  if (process.geteuid?.() !== 0) return;
  home = mkdtempSync("/home/brig-oracle-");
  for (const folder of [".ssh", ".mozilla", "Downloads", ".cache"]) mkdirSync(join(home, folder));
  for (const file of [".ssh/id", ".mozilla/prefs", "Downloads/a", "plain"]) writeFileSync(join(home, file), file);
  spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
  chownSync(home, UID, UID);
});
after(() => rmSync(home, { recursive: true, force: true }));

interface Outcome {
  status: number | null;
  stdout: string;
}

/** As an ordinary user; firejail wants one that is in /etc/passwd, so both tools get the same throw-away account. */
function runBoth(options: string[], script: string): { firejail: Outcome; brig: Outcome } {
  const run = (tool: string[]): Outcome => {
    const { status, stdout } = spawnSync("setpriv", [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", ...tool, "--quiet", ...options, "/bin/sh", "-c", script], {
      cwd: home, encoding: "utf8", timeout: 60_000, env: { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/bash", USER: "brigoracle", BRIG_NO_CACHE: "1" },
    });
    return { status, stdout };
  };
  return { firejail: run(["firejail"]), brig: run([brig, "firejail"]) };
}

function check(t: TestContext): boolean {
  if (process.geteuid?.() === 0 && existsSync("/usr/bin/firejail") && existsSync("/etc/firejail/firefox.profile")) return true;
  t.skip("needs root, firejail and firejail-profiles");
  return false;
}

/** Which of these can be read, which written; what cannot be seen and what is empty are the same to a program. */
const PROBE = `
for p in "$HOME/.ssh/id" "$HOME/.mozilla/prefs" "$HOME/Downloads/a" "$HOME/plain" /etc/passwd /etc/hosts /usr/bin/ls /usr/share/doc/bash/copyright /boot /var/lib/dpkg/status; do
  if [ -d "$p" ]; then [ -n "$(ls -A "$p" 2>/dev/null)" ] && echo "full $p" || echo "hidden $p"
  elif [ -s "$p" ] && [ -r "$p" ] && [ -n "$(head -c1 "$p" 2>/dev/null)" ]; then echo "full $p"; else echo "hidden $p"; fi
done
for d in "$HOME" "$HOME/Downloads" /tmp /var/tmp /etc /usr /usr/bin /var /opt /home /dev/shm; do
  f="$d/.brig-probe-$$"; if (: > "$f") 2>/dev/null; then echo "writes $d"; rm -f "$f"; else echo "refused $d"; fi
done
grep -E "^(Uid|CapPrm|CapEff|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"
ls /sys/class/net 2>/dev/null | wc -l >/dev/null; ls -A /proc | grep -c "^[0-9]" | sed 's/[1-9][0-9]*/some/'
`;

/** /dev/shm aside, whatever stands here is what both show. */
const FLAGS: string[][] = [
  ["--noprofile"],
  ["--noprofile", "--private"],
  ["--noprofile", "--whitelist=~/Downloads"],
  ["--noprofile", "--blacklist=~/.ssh", "--read-only=~/Downloads"],
  ["--noprofile", "--blacklist=~/.*", "--noblacklist=~/.mozilla"],
  ["--noprofile", "--noblacklist=~/.mozilla", "--blacklist=~/.*"],
  ["--noprofile", "--private-tmp", "--private-dev", "--seccomp", "--caps.drop=all", "--nonewprivs"],
  ["--noprofile", "--private-etc=passwd", "--net=none"],
  ["--noprofile", "--private-bin=sh,ls,grep,tr,head,rm,wc,sed,cat"],
  ["--noprofile", "--whitelist=/usr/share/doc/bash", "--tmpfs=~/Downloads"],
  ["--noprofile", "--read-only=~", "--read-write=~/Downloads"],
  ["--profile=default"],
  // without a session bus firejail ends where it would filter one
  ["--ignore=dbus-user", "--profile=firefox"],
  ["--ignore=dbus-user", "--ignore=private-bin", "--profile=vlc"],
  ...["curl", "git", "gpg", "less", "ssh", "tar", "w3m", "node"].map((name) => ["--ignore=dbus-user", "--ignore=private-bin", "--ignore=include disable-shell.inc", `--profile=${name}`]),
];

for (const options of FLAGS)
  test(`${options.join(" ")} shows, hides and lets write what firejail does`, (t) => {
    if (!check(t)) return;
    const account = spawnSync("useradd", ["--no-create-home", "--home-dir", home, "--uid", String(UID), "--shell", "/bin/bash", "brigoracle"]);
    t.after(() => account.status === 0 && spawnSync("userdel", ["brigoracle"]));
    const { firejail, brig } = runBoth(options, PROBE);
    assert.match(firejail.stdout, /^refused \/usr$/m);
    assert.deepEqual(brig.stdout.split("\n"), firejail.stdout.split("\n"));
    assert.equal(brig.status, firejail.status);
  });

test("exit statuses are firejail's", (t) => {
  if (!check(t)) return;
  const account = spawnSync("useradd", ["--no-create-home", "--home-dir", home, "--uid", String(UID), "--shell", "/bin/bash", "brigoracle"]);
  t.after(() => account.status === 0 && spawnSync("userdel", ["brigoracle"]));
  for (const [options, script] of [[["--noprofile"], "exit 7"], [["--noprofile"], "kill -9 $$"], [["--noprofile"], "(sleep 0.2; exit 5) & exit 7"], [["--noprofile", "--deterministic-exit-code"], "(sleep 0.2; exit 5) & exit 7"],
    [["--noprofile", "--deterministic-shutdown"], "(sleep 0.2; exit 5) & exit 7"], [["--bogus"], "true"], [["--profile=/nonexistent.profile"], "true"], [["--noprofile", "--whitelist=/proc/self"], "true"]] as [string[], string][]) {
    const { firejail, brig } = runBoth(options, script);
    assert.equal(brig.status, firejail.status, `${options.join(" ")} ${script}`);
  }
});

test("what is hidden cannot be opened, as with firejail, and neither mode nor content can be changed", (t) => {
  if (!check(t)) return;
  const account = spawnSync("useradd", ["--no-create-home", "--home-dir", home, "--uid", String(UID), "--shell", "/bin/bash", "brigoracle"]);
  t.after(() => account.status === 0 && spawnSync("userdel", ["brigoracle"]));
  const script = 'for p in "$HOME/.ssh" "$HOME/plain"; do ls "$p/" 2>&1; cat "$p" 2>&1; (: > "$p") 2>/dev/null || echo kept; chmod 777 "$p" 2>/dev/null || echo kept; done | grep -oE "Permission denied|kept|id|Is a directory"';
  const { firejail, brig } = runBoth(["--noprofile", "--blacklist=~/.ssh", "--blacklist=~/plain"], script);
  assert.match(firejail.stdout, /Permission denied/);
  assert.equal(brig.stdout.replaceAll("Is a directory", "Permission denied"), firejail.stdout.replaceAll("Is a directory", "Permission denied"));
});
