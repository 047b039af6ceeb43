import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, type Identity, listOpen, openStage, type Stage } from "./stage.js";

let stage: Stage;
const victims: ChildProcess[] = [];
const servers: Server[] = [];
let port = 0;
const abstract = `brig-walls-${process.pid}`;

before(async () => {
  stage = openStage();
  for (const who of identities) victims.push(spawn("sleep", ["300"], process.getuid?.() === 0 ? { uid: who.uid, gid: who.uid } : {}));
  port = (await listen(0, "127.0.0.1")) as number;
  await listen(`\0${abstract}`);
  await listen(join(stage.folder, "outside/socket"));
});

after(() => {
  for (const victim of victims) victim.kill("SIGKILL");
  for (const server of servers) server.close();
  stage.close();
});

function listen(at: number | string, host?: string): Promise<number | string> {
  const server = createServer((socket) => void socket.on("error", () => undefined).end("reached"));
  servers.push(server);
  return new Promise((done, fail) => {
    server.on("error", fail);
    server.listen(typeof at === "number" ? { port: at, host } : at.startsWith("\0") ? { path: at } : { path: at, readableAll: true, writableAll: true }, () => {
      const address = server.address();
      done(typeof address === "object" && address ? address.port : at);
    });
  });
}

function victimOf(who: Identity): number {
  return victims[identities.indexOf(who)]?.pid ?? 0;
}

for (const who of identities)
  describe(`other processes and the network, as ${who.name}`, { concurrency: 3 }, () => {
    it("processes of the host are not seen and not reached", async () => {
      const ran = await stage.sh(who, [], "ls /proc | grep -c '^[0-9]'; ps -e -o comm= | grep -c sleep");
      const [count, sleeps] = ran.stdout.trim().split("\n").map(Number);
      assert.ok((count ?? 99) <= 6, `${count} processes`);
      assert.equal(sleeps, 0);
      const answers = await stage.ask(who, [], "reach-process", [String(victimOf(who))]);
      assert.deepEqual(listOpen(answers), []);
      assert.equal(answers["kill 0"], "ESRCH");
      assert.doesNotThrow(() => process.kill(victimOf(who), 0));
    });

    it("without the filter neither", async () => {
      const answers = await stage.ask(who, ["--seccomp", "none", "--landlock", "none"], "reach-process", [String(victimOf(who))]);
      assert.deepEqual(listOpen(answers), []);
    });

    it("--share pid shows the host's processes, and other walls keep them from being reached", async () => {
      const answers = await stage.ask(who, ["--share", "pid"], "reach-process", [String(victimOf(who))]);
      assert.notEqual(answers["pidfd_open"], "ESRCH", "it is seen");
      for (const name of ["seize", "attach", "mem", "root", "exe", "environ", "maps", "fd", "pidfd_getfd", "process_vm_readv"]) assert.notEqual(answers[name], "ok", name);
      assert.notEqual(answers["kill 0"], "ok", "Landlock's scope keeps signals inside");
      assert.doesNotThrow(() => process.kill(victimOf(who), 0));
    });

    it("init's memory, program, descriptors and root are closed to the payload", async () => {
      for (const options of [[], ["--seccomp", "none", "--landlock", "none"]]) {
        const answers = await stage.ask(who, options, "reach-process", ["1"]);
        for (const name of ["process_vm_readv", "seize", "attach", "mem", "environ", "maps", "exe", "root", "cwd", "fd", "fds", "ns", "pidfd_getfd", "oom"]) assert.notEqual(answers[name], "ok", `${name} with ${options.join(" ")}`);
      }
    });

    it("init cannot be killed or stopped from inside", async () => {
      const ran = await stage.sh(who, [], "kill -9 1; kill -STOP 1; kill -SEGV 1; sleep 0.1; echo alive");
      assert.deepEqual([ran.stdout, ran.code], ["alive\n", 0]);
    });

    it("what listens on the host is not reached: TCP, abstract and path sockets", async () => {
      for (const [kind, name] of [["tcp", String(port)], ["abstract", abstract], ["unix", join(stage.folder, "outside/socket")]]) {
        const answers = await stage.ask(who, [], "connect", [kind ?? "", name ?? ""]);
        assert.notEqual(answers[kind ?? ""], "ok", kind);
      }
      const loose = ["--seccomp", "none", "--landlock", "none"];
      assert.equal((await stage.ask(who, loose, "connect", ["tcp", String(port)]))["tcp"], "ECONNREFUSED");
      assert.equal((await stage.ask(who, loose, "connect", ["abstract", abstract]))["abstract"], "ECONNREFUSED");
    });

    it("--net host opens the network and nothing else", async () => {
      assert.equal((await stage.ask(who, ["--net", "host"], "connect", ["tcp", String(port)]))["tcp"], "ok");
      assert.notEqual((await stage.ask(who, ["--net", "host"], "connect", ["abstract", abstract]))["abstract"], "ok", "Landlock's scope holds");
      const raw = await stage.ask(who, ["--net", "host"], "socket");
      assert.deepEqual(listOpen(raw), ["inet"]);
      const status = await stage.sh(who, ["--net", "host"], `cat ${stage.secret} 2>&1; grep CapEff /proc/self/status`);
      assert.match(status.stdout, /No such file.*\nCapEff:\s+0+\n/s);
    });

    it("the loopback inside is its own, and up", async () => {
      const script = "exec 3<>/dev/tcp/127.0.0.1/9 2>&1 || true";
      const ran = await stage.run(who, [], ["/bin/bash", "-c", script]);
      assert.match(ran.stdout + ran.stderr, /Connection refused/, "up and empty");
      const links = await stage.sh(who, [], "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '");
      assert.deepEqual(links.stdout.trim().split("\n").filter((link) => !/^(lo|.*(tunl|gre|erspan|vti|sit|ip6tnl|teql).*)$/.test(link)), []);
    });

    it("each --share opens its namespace and no other", async () => {
      const own = async (options: string[]): Promise<string[]> => {
        const ran = await stage.sh(who, options, "for n in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$n; done");
        return ran.stdout.trim().split("\n");
      };
      const { readlinkSync } = await import("node:fs");
      const host = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"].map((name) => readlinkSync(`/proc/self/ns/${name}`));
      const sharedWith = (seen: string[]): string[] => seen.filter((namespace) => host.includes(namespace)).map((namespace) => namespace.replace(/:.*/, ""));
      assert.deepEqual(sharedWith(await own([])), []);
      for (const name of ["ipc", "uts", "net", "cgroup", "pid", "time"]) assert.deepEqual(sharedWith(await own(["--share", name])), [name]);
    });

    it("the payload's end is its own: nothing it left behind goes on", async () => {
      const mark = String(61_000 + who.uid % 1000);
      const ran = await stage.sh(who, [], `setsid sleep ${mark} & (sleep ${mark} &) ; echo gone`);
      assert.equal(ran.stdout, "gone\n");
      assert.equal(await countProcesses(`sleep ${mark}`), 0);
    });

    it("it dies with the process that started it", async () => {
      const mark = String(62_000 + who.uid % 1000);
      const child = spawn("/bin/sh", ["-c", `"${stage.brig}" run -- sh -c 'sleep ${mark} & sleep ${mark}' & echo started; wait`], {
        stdio: ["ignore", "pipe", "inherit"], cwd: stage.project(who), env: { PATH: process.env["PATH"], HOME: stage.home(who), XDG_RUNTIME_DIR: join(stage.folder, `runtime-${who.name}`) },
        ...(process.getuid?.() === 0 ? { uid: who.uid, gid: who.uid } : {}),
      });
      await waitFor(async () => (await countProcesses(`sleep ${mark}`)) === 2);
      child.kill("SIGKILL");
      await waitFor(async () => (await countProcesses(`sleep ${mark}`)) === 0);
    });
  });

async function countProcesses(words: string): Promise<number> {
  const { readdirSync, readFileSync } = await import("node:fs");
  const wanted = `${words.replaceAll(" ", "\0")}\0`;
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1") === wanted;
    } catch {
      return false;
    }
  }).length;
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, "not within 5 s");
    await new Promise((done) => setTimeout(done, 20));
  }
}
