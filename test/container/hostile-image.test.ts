import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makePerson, people } from "../sandbox/stage.js";
import { busyboxRoot } from "./busybox-root.js";

for (const who of people) {
  test(`${who}: links of an image lead nowhere outside, wherever brig mounts, writes or looks`, (t) => {
    const root = busyboxRoot(t);
    if (root === undefined) return;
    const person = makePerson(t, who);
    const victim = join(person.home, "victim");
    mkdirSync(victim, { mode: 0o777 });
    chmodSync(victim, 0o777);
    writeFileSync(join(victim, "passwd"), "evil:x:0:0::/:/bin/sh\n");
    writeFileSync(join(victim, "note"), "as it was");
    const state = (): string => JSON.stringify(readdirSync(victim).sort().map((name) => [name, readFileSync(join(victim, name), "utf8")]));
    const before = state();
    const run = (...words: string[]) => {
      if (process.getuid?.() === 0) spawnSync("chown", ["-hR", `${person.uid}:${person.uid}`, root]);
      return person.brig("docker", "run", "--rm", "--rootfs", "--network", "none", ...words);
    };
    /** Each with the link in place, and what was there back afterwards. */
    const tries: [path: string, words: string[], target?: string][] = [
      ["dev", [root, "sh", "-c", "echo x >/dev/null; ls /dev"]],
      ["proc", [root, "cat", "/proc/self/status"]],
      ["sys", [root, "ls", "/sys"]],
      ["etc", [root, "sh", "-c", "echo x >/etc/hosts; echo x >/etc/other"]],
      ["etc/hosts", [root, "sh", "-c", "echo x >/etc/hosts"], join(victim, "note")],
      ["etc/resolv.conf", [root, "sh", "-c", "echo x >/etc/resolv.conf"], join(victim, "note")],
      ["etc/passwd", ["-u", "evil", root, "id"], join(victim, "passwd")],
      ["work", ["-w", "/work/deep", root, "touch", "made"]],
      ["data", ["-v", `${person.home}:/data/in:ro`, root, "ls", "/data/in"]],
      ["tmp", ["--tmpfs", "/tmp", root, "touch", "/tmp/made"]],
      ["up", ["-w", "/up", root, "touch", "made"], `../../../../../../..${victim}`],
      ["magic", ["-w", "/magic", root, "touch", "made"], `/proc/self/root/proc/self/cwd${victim}`],
      ["fd", ["-w", "/fd", root, "sh", "-c", "ls /proc/self/fd/; touch made"], "/proc/self/fd/3"],
    ];
    for (const [path, words, target = victim] of tries) {
      const place = join(root, path);
      const kept = `${place}.kept`;
      if (existsSync(place)) spawnSync("mv", [place, kept]);
      symlinkSync(target, place);
      const { status, stdout, signal } = run(...words);
      assert.equal(signal, null, path);
      assert.notEqual(status, null, path);
      assert.equal(state(), before, `${path} changed something outside`);
      assert.doesNotMatch(stdout, /as it was/, path);
      rmSync(place, { force: true });
      if (existsSync(kept)) spawnSync("mv", [kept, place]);
    }
    rmSync(join(root, "etc/passwd"), { force: true });
    symlinkSync(join(victim, "passwd"), join(root, "etc/passwd"));
    assert.equal(run("-u", "evil", root, "id").status, 125, "a user of the host's file is nobody inside");
  });

  test(`${who}: the runtime's program and descriptors cannot be had from inside, by run and by exec`, (t) => {
    const root = busyboxRoot(t);
    if (root === undefined) return;
    let end = (): void => undefined;
    t.after(() => end());
    const person = makePerson(t, who);
    if (process.getuid?.() === 0) spawnSync("chown", ["-hR", `${person.uid}:${person.uid}`, root]);
    const name = `hostile-${who}-${process.pid}`;
    end = () => void person.brig("docker", "rm", "-f", name);
    const docker = (...words: string[]) => person.brig("docker", ...words);
    // a shell that starts /proc/self/exe is what a runtime would be tricked into executing (CVE-2019-5736)
    symlinkSync("/proc/self/exe", join(root, "bin/self"));
    const made = docker("run", "-d", "--rootfs", "--network", "none", "--name", name, root, "sh", "-c", "while :; do for p in /proc/[0-9]*; do cat $p/exe 2>/dev/null | grep -c BRIG_ENTRY_FD >>/found; ls $p/root/../ >/dev/null 2>&1; done; done");
    assert.equal(made.status, 0, made.stderr);
    for (let count = 0; count < 5; count++) {
      const { stdout, status } = docker("exec", name, "sh", "-c", "ls /proc/self/fd | wc -l; cat /proc/self/exe | wc -c");
      assert.equal(status, 0);
      assert.match(stdout, /^[4-5]\n\d+\n$/, "standard streams and what ls opens");
      docker("exec", name, "/bin/self", "true");
      docker("cp", `${name}:/etc/passwd`, join(person.home, "passwd"));
    }
    const seen = docker("exec", name, "sh", "-c", "cat /found | grep -v '^0$' | wc -l; ls -l /proc/*/exe 2>/dev/null | grep -c brig").stdout.split("\n");
    assert.deepEqual(seen.slice(0, 2), ["0", "0"], "no process inside is brig's for who looks");
  });
}
