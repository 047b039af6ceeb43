import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, listOpen, openStage, runProcess, type Stage } from "./stage.js";

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

const NO_FILTER = ["--seccomp", "none", "--landlock", "none"];

for (const who of identities)
  describe(`what the kernel is asked for, as ${who.name}`, { concurrency: 3 }, () => {
    it("nothing can be mounted, unmounted or turned into the root", async () => {
      assert.deepEqual(listOpen(await stage.ask(who, [], "mount")), []);
    });

    it("nothing can be mounted without the filter either: there is no capability for it", async () => {
      const answers = await stage.ask(who, NO_FILTER, "mount");
      assert.deepEqual(listOpen(answers), []);
      assert.equal(answers["mount tmpfs"], "EPERM");
    });

    it("no namespace can be made or joined, whatever the upper bits of the flags", async () => {
      const answers = await stage.ask(who, [], "namespace");
      assert.deepEqual(listOpen(answers), []);
      assert.equal(answers["clone user"], "EPERM");
      assert.equal(answers["clone3 user"], "ENOSYS");
      assert.equal(answers["unshare high bits user"], "EPERM");
    });

    it("--seccomp none opens user namespaces of its own, and still no mount of the host's", async () => {
      const answers = await stage.ask(who, ["--seccomp", "none"], "namespace");
      assert.equal(answers["unshare user"], "ok");
      const ran = await stage.sh(who, NO_FILTER, "unshare -Urm sh -c 'umount -l /proc/sys; mount -o remount,bind,rw /usr; touch /usr/made; mount -o remount,rw /usr; touch /usr/made' 2>&1; [ -e /usr/made ] || echo closed");
      assert.match(ran.stdout, /closed$/m);
    });

    it("words cannot be put into a terminal, with bits set that the kernel ignores neither", async () => {
      const ran = await stage.ask(who, ["--tty"], "type-ahead");
      assert.equal(ran["is a terminal"], "ok");
      assert.deepEqual(listOpen(ran), ["is a terminal"]);
      assert.equal(ran["ioctl 5412"], "EPERM");
      assert.equal(ran["ioctl ffffffff00005412"], "EPERM");
      assert.equal(ran["ioctl 541c"], "EPERM");
    });

    it("nor through the caller's own terminal, whose words the caller's shell would read", async () => {
      const program = await stage.fixture("type-ahead");
      const line = `${stage.brig} run --read ${stage.folder}/bin -- ${program}`;
      const env = { PATH: process.env["PATH"] ?? "", HOME: stage.home(who), XDG_RUNTIME_DIR: join(stage.folder, `runtime-${who.name}`) };
      const ran = await runProcess(["script", "-qec", line, "/dev/null"], who, { cwd: stage.project(who), env }, {});
      assert.match(ran.stdout, /is a terminal: ok/);
      assert.match(ran.stdout, /ioctl 5412: EPERM/);
      assert.doesNotMatch(ran.stdout, /ioctl [0-9a-f]+: ok/);
    });

    it("sockets are those of programs: no raw, no packet, none that loads a module", async () => {
      assert.deepEqual(listOpen(await stage.ask(who, [], "socket")), ["inet"]);
    });

    it("without the filter there is still no right to raw and packet sockets", async () => {
      const answers = await stage.ask(who, ["--seccomp", "none"], "socket");
      assert.deepEqual([answers["raw"], answers["packet"], answers["raw 6"]], ["EPERM", "EPERM", "EPERM"]);
    });

    it("--cap-add net_raw opens raw and packet sockets, of its own network alone", async () => {
      const answers = await stage.ask(who, ["--cap-add", "net_raw"], "socket");
      assert.deepEqual([answers["raw"], answers["packet"], answers["alg"], answers["vsock"]], ["ok", "ok", "EPERM", "EPERM"]);
      const links = await stage.sh(who, ["--cap-add", "net_raw"], "cat /proc/net/dev | tail -n +3 | cut -d: -f1");
      assert.equal(links.stdout.trim().split(/\s+/).includes("lo"), true);
      assert.doesNotMatch(links.stdout, /eth|ens|wlan/);
      const status = await stage.sh(who, ["--cap-add", "net_raw"], "grep CapEff /proc/self/status");
      assert.match(status.stdout, /0000000000002000/);
    });

    it("calls for the host's root alone, and those that are seldom tried, are refused", async () => {
      const answers = await stage.ask(who, [], "calls");
      assert.deepEqual(listOpen(answers), []);
      assert.deepEqual([...new Set(Object.values(answers))].sort().filter((answer) => answer !== "EPERM" && answer !== "ENOSYS"), []);
    });

    it("the filter holds for x32 and i386 numbers", async () => {
      for (const abi of ["x32", "i386"]) {
        const ran = await stage.run(who, [], [await stage.fixture("other-abi"), abi]);
        assert.doesNotMatch(ran.stdout, /: ok/);
        assert.ok(ran.code === 159 || /ENOSYS|EPERM/.test(ran.stdout), `${abi}: status ${ran.code} ${ran.stdout}`);
      }
    });

    it("time cannot be set, only asked", async () => {
      assert.deepEqual(listOpen(await stage.ask(who, [], "set-time")), ["adjtimex asking"]);
      assert.deepEqual(listOpen(await stage.ask(who, NO_FILTER, "set-time")), ["adjtimex asking"]);
    });

    it("names and kernel settings cannot be set", async () => {
      assert.deepEqual(listOpen(await stage.ask(who, [], "set-name")).filter((name) => name !== "timer list"), []);
      assert.deepEqual(listOpen(await stage.ask(who, NO_FILTER, "set-name")).filter((name) => name !== "timer list"), []);
      const named = await stage.sh(who, ["--hostname", "given"], "cat /proc/sys/kernel/hostname");
      assert.equal(named.stdout, "given\n");
      assert.notEqual(hostname(), "given");
    });

    it("/proc/sys is read-only and there is no /sys", async () => {
      const ran = await stage.sh(who, NO_FILTER, "find /proc/sys -type f -writable 2>/dev/null | while read f; do (cat $f >/dev/null && : >> $f) 2>/dev/null && echo $f; done | head -3; ls /sys 2>/dev/null; echo end");
      assert.equal(ran.stdout, "end\n");
    });

    it("device nodes cannot be made, and the host's are not there", async () => {
      assert.deepEqual(listOpen(await stage.ask(who, ["--write", "."], "node", [stage.project(who)])), []);
      assert.deepEqual(listOpen(await stage.ask(who, [...NO_FILTER, "--write", "."], "node", [stage.project(who)])), []);
      assert.deepEqual(readdirSync(stage.project(who)).filter((name) => name !== "file" && statSync(join(stage.project(who), name)).isCharacterDevice()), []);
    });

    it("with every capability it still makes no device and mounts no disk", async () => {
      const answers = await stage.ask(who, ["--cap-add", "all", "--write", "."], "node", [stage.project(who)]);
      assert.deepEqual(listOpen(answers), []);
    });

    it("the kernel's log cannot be read", async () => {
      const ran = await stage.sh(who, ["--seccomp", "none"], "dmesg 2>&1 | head -1; cat /dev/kmsg 2>&1 | head -1");
      assert.match(ran.stdout, /not permitted|denied/);
    });

    it("no core file is left, and the limit cannot be raised", async () => {
      const folder = join(stage.folder, `core-${who.name}`);
      mkdirSync(folder);
      chownSync(folder, who.uid, who.uid);
      const ran = await stage.run(who, ["--write", "."], [await stage.fixture("dump-core")], { cwd: folder });
      assert.equal(ran.code, 134);
      assert.equal(ran.stdout, "setrlimit: EPERM\n");
      assert.deepEqual(readdirSync(folder), []);
    });

    it("a setuid program gains nothing", async (t) => {
      if (process.getuid?.() !== 0) return t.skip("making a setuid program takes root");
      const program = join(stage.folder, `bin/setuid-${who.name}`);
      cpSync(await stage.fixture("who-am-i"), program);
      chmodSync(program, 0o6755);
      const plain = await stage.run(who, [], [program]);
      assert.match(plain.stdout, new RegExp(`^uid=${who.uid} euid=${who.uid} egid=${who.uid} caps=0$`, "m"));
      const open = await stage.run(who, [...NO_FILTER, "--new-privileges"], [program]);
      assert.match(open.stdout, new RegExp(`^uid=${who.uid} .* caps=0$`, "m"), "mounts are nosuid whatever the process may");
      const sudo = await stage.sh(who, [], "su -c id 2>&1; sudo -n id 2>&1; true");
      assert.doesNotMatch(sudo.stdout, /^uid=0\(root\) gid=0\(root\) groups/m);
    });

    it("no setuid file stays in a writable folder of root's", async (t) => {
      if (who.name !== "root") return t.skip("an ordinary user's setuid file gives that user's own rights");
      const folder = join(stage.folder, "modes");
      mkdirSync(folder);
      const answers = await stage.run(who, ["--write", folder], [await stage.fixture("set-mode"), folder]);
      assert.match(answers.stdout, /^chmod: clean$/m);
      assert.doesNotMatch(answers.stdout, /kept/);
      assert.deepEqual(readdirSync(folder), []);
    });

    it("files of root's payload belong to root, and the payload itself is nobody on the host", async (t) => {
      if (who.name !== "root") return t.skip("for root");
      const folder = join(stage.folder, "owned");
      mkdirSync(folder);
      writeFileSync(join(folder, "others"), "");
      chownSync(join(folder, "others"), 1234, 1234);
      const ran = await stage.sh(who, ["--write", folder], `cd ${folder}; touch made; chown 1:1 others 2>&1; chown 4321 made 2>&1; stat -c '%u %n' made others; readlink /proc/self/ns/user`);
      assert.deepEqual([statSync(join(folder, "made")).uid, statSync(join(folder, "others")).uid], [0, 1234], ran.stdout);
      assert.equal(ran.stdout.match(/not permitted/g)?.length, 2);
    });

    it("the host's keys are not found, nor its user keyring", async () => {
      const holder = await stage.fixture("hold-key");
      const without = await stage.brigAs(who, ["run", "--read", join(stage.folder, "bin"), "--", holder], { through: [holder] });
      assert.doesNotMatch(without.stdout, /: ok/, without.stderr);
      const ran = await stage.brigAs(who, ["run", "--read", join(stage.folder, "bin"), "--seccomp", "none", "--", holder], { through: [holder] });
      assert.match(ran.stdout, /^session key: E/m, ran.stderr);
      assert.match(ran.stdout, /^user key: E/m);
      assert.doesNotMatch(ran.stdout, /: ok/);
      assert.ok(spawnSync(holder, [holder]).stdout.toString().includes("session key: ok"), "the fixture finds its key outside");
    });

    it("--landlock none and --seccomp none each open just that", async () => {
      const seccomp = await stage.sh(who, ["--seccomp", "none"], "grep -E '^(Seccomp|NoNewPrivs|CapEff|CapBnd):' /proc/self/status");
      assert.equal(seccomp.stdout.replace(/\s+/g, " "), "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 0 ");
      const landlock = await stage.sh(who, ["--landlock", "none"], "grep -E '^(Seccomp|NoNewPrivs|CapEff|CapBnd):' /proc/self/status; touch /usr/x 2>/dev/null || echo closed");
      assert.equal(landlock.stdout.replace(/\s+/g, " "), "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 closed ");
    });

    it("Landlock is a second wall: the root's own tmpfs cannot be written beyond the private folders", async () => {
      const program = "touch /made 2>/dev/null && echo open; mkdir /opt2 2>/dev/null && echo open; echo end";
      assert.equal((await stage.sh(who, [], program)).stdout, "end\n");
      assert.ok(!existsSync("/made"));
    });
  });
