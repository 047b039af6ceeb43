import assert from "node:assert/strict";
import { existsSync, mkdirSync, chownSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, openStage, type Stage } from "./stage.js";

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

for (const who of identities)
  describe(`a wall opened by its word, as ${who.name}`, { concurrency: 3 }, () => {
    it("--cap-add sys_admin gives no way to what is shown read-only", async () => {
      const folder = join(stage.folder, `kept-${who.name}`);
      mkdirSync(folder);
      chownSync(folder, who.uid, who.uid);
      const script = 'mount -o remount,bind,rw "$PWD"; touch escaped; mount -o remount,bind,rw /usr; touch /usr/escaped; umount /proc/sys; echo x > /proc/sys/kernel/core_pattern; grep CapEff /proc/self/status';
      const ran = await stage.sh(who, ["--cap-add", "sys_admin"], script, { cwd: folder });
      assert.match(ran.stdout, /0000000000200000/);
      assert.deepEqual([readdirSync(folder), existsSync("/usr/escaped")], [[], false]);
    });

    it("--cap-add sys_admin without Landlock opens mounts, and none of the system's folders or the kernel's settings", async () => {
      const script = "mount -t tmpfs none /run && touch /run/x && echo mounted; mount -o remount,bind,rw /usr; touch /usr/escaped; umount /proc/sys; (echo x > /proc/sys/kernel/core_pattern) 2>/dev/null && echo set; echo end";
      const ran = await stage.sh(who, ["--cap-add", "sys_admin", "--landlock", "none"], script);
      assert.equal(ran.stdout, "mounted\nend\n", ran.stderr);
      assert.ok(!existsSync("/usr/escaped"));
    });

    it("--landlock none alone opens only the root's own memory", async () => {
      const ran = await stage.sh(who, ["--landlock", "none"], "touch /made && echo made; touch /usr/made file 2>/dev/null; echo end");
      assert.equal(ran.stdout, "made\nend\n");
      assert.ok(!existsSync("/made"));
    });

    it("--seccomp FILE is that filter and no other", async () => {
      const file = join(stage.project(who), `filter-${who.name}.json`);
      writeFileSync(file, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }] }));
      const ran = await stage.sh(who, ["--seccomp", file], "mkdir /tmp/x; touch /tmp/y && echo touched; grep Seccomp: /proc/self/status");
      assert.match(ran.stderr, /No space left on device/);
      assert.match(ran.stdout, /^touched\nSeccomp:\s2\n$/);
    });

    it("--device shows just that device", async (t) => {
      if (!existsSync("/dev/fuse")) return t.skip("the host has no /dev/fuse");
      const ran = await stage.sh(who, ["--device", "/dev/fuse"], "ls /dev");
      const plain = await stage.sh(who, [], "ls /dev");
      assert.deepEqual(ran.stdout.split("\n").filter((name) => !plain.stdout.split("\n").includes(name)), ["fuse"]);
    });

    it("--sysctl sets the sandbox's own setting, and not the host's", async () => {
      const ran = await stage.sh(who, ["--sysctl", "net.ipv4.ip_unprivileged_port_start=81"], "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; echo 1 > /proc/sys/net/ipv4/ip_unprivileged_port_start");
      assert.equal(ran.stdout, "81\n");
      const { stdout } = await stage.sh(who, [], "cat /proc/sys/net/ipv4/ip_unprivileged_port_start");
      assert.notEqual(stdout, "81\n");
    });

    it("--no-init makes the payload the first process, with the same walls", async () => {
      const ran = await stage.sh(who, ["--no-init"], "echo $$; grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status");
      assert.equal(ran.stdout.replace(/\s+/g, " "), "1 CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 ");
    });

    it("--user gives another identity inside, and none outside", async () => {
      const ran = await stage.sh(who, ["--user", "1234:2345"], "id -u; id -g; cat /proc/self/uid_map; cat /etc/shadow 2>/dev/null");
      assert.match(ran.stdout, who.name === "root" ? /^1234\n2345\n\s+0 1920073728\s+65536\n$/ : new RegExp(`^1234\\n2345\\n\\s+1234\\s+${who.uid}\\s+1\\n$`));
    });

    it("--share user leaves the caller's identity, without a capability", async (t) => {
      const ran = await stage.sh(who, ["--share", "user"], "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; touch /usr/made /etc/made 2>/dev/null && echo written; cat /etc/shadow 2>/dev/null");
      if (who.name === "user") {
        assert.deepEqual([ran.code, ran.stdout], [125, ""], "an ordinary user makes no other namespace without one of users");
        assert.match(ran.stderr, /hint: /);
        return;
      }
      t.diagnostic("root of the host, with files of root's own in reach of what is shown");
      assert.equal(ran.stdout.replace(/\s+/g, " "), "0 CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 ");
    });
  });
