import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, type Identity, openStage, type Stage } from "../walls/stage.js";

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];
const MAPPED_BASE = 0x7272_0000;

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

/** The three processes of a sandbox that runs: as they stand on the host. */
interface Running {
  child: ChildProcess;
  supervisor: number;
  init: number;
  payload: number;
  ended: Promise<number>;
}

async function start(who: Identity): Promise<Running> {
  const child = spawn(stage.brig, ["run", "--", "sh", "-c", "echo ready; exec sleep 300"], {
    stdio: ["pipe", "pipe", "pipe", "ignore", "ignore", "ignore"], cwd: stage.project(who),
    env: { PATH: process.env["PATH"], HOME: stage.home(who), XDG_RUNTIME_DIR: join(stage.folder, `runtime-${who.name}`), SECRET_TOKEN: "x" },
    ...(process.getuid?.() === 0 ? { uid: who.uid, gid: who.uid } : {}),
  });
  const ended = new Promise<number>((done) => child.on("close", (code) => done(code ?? -1)));
  await new Promise<void>((done, fail) => {
    child.stdout?.once("data", () => done());
    child.stderr?.once("data", (text: Buffer) => fail(new Error(text.toString())));
  });
  const supervisor = child.pid ?? 0;
  const [init = 0, ...others] = listChildren(supervisor);
  assert.deepEqual(others, []);
  const [payload = 0] = listChildren(init);
  for (let tries = 0; readFileSync(`/proc/${payload}/comm`, "utf8") !== "sleep\n" && tries < 100; tries++) await new Promise((done) => setTimeout(done, 10));
  return { child, supervisor, init, payload, ended };
}

function listChildren(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

function readStatus(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").trim().split("\n").map((line) => /^(\w+):\s*(.*)$/.exec(line));
  return Object.fromEntries(lines.map((match) => [match?.[1] ?? "", match?.[2]?.trim() ?? ""]));
}

function listNamespaces(pid: number | "self"): string[] {
  return NAMESPACES.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
}

/** What descriptors lead to, with numbers of pipes and sockets left out. */
function listDescriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[\d+\]/, "")}`);
}

/** "PLACE TYPE ro,nosuid,nodev,noexec" of each mount. */
function listMounts(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trim().split("\n");
  return lines.map((line) => {
    const fields = line.split(" ");
    const flags = (fields[5] ?? "").split(",").filter((flag) => ["ro", "rw", "nosuid", "nodev", "noexec"].includes(flag));
    return `${fields[4]} ${fields[fields.indexOf("-") + 1]} ${flags.join(",")}`;
  }).sort();
}

/** The safe default's mounts on this host. */
function expectMounts(who: Identity): string[] {
  const typeOf = (path: string): string => {
    const { dev } = statSync(path);
    const lines = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n").map((line) => line.split(" "));
    const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
    const fields = lines.find((each) => each[2] === number) ?? [];
    return fields[fields.indexOf("-") + 1] ?? "";
  };
  const folders = ["/usr", "/etc", "/opt", "/nix", "/gnu", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
  const system = folders.filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink());
  const secrets = listReadableSecrets(who);
  return [
    "/ tmpfs rw,nosuid,nodev",
    ...system.map((path) => `${path} ${typeOf(path)} ro,nosuid,nodev`),
    "/proc proc rw,nosuid,nodev,noexec",
    "/proc/sys proc ro,nosuid,nodev,noexec",
    ...["/proc/keys", "/proc/sched_debug", "/proc/latency_stats"].filter((path) => existsSync(path)).map((path) => `${path} devtmpfs rw`),
    ...["/proc/acpi", "/proc/scsi"].filter((path) => existsSync(path)).map((path) => `${path} tmpfs ro,nosuid,nodev,noexec`),
    ...["null", "zero", "full", "random", "urandom", "tty"].map((name) => `/dev/${name} devtmpfs rw,nosuid,noexec`),
    "/dev/pts devpts rw,nosuid,noexec",
    `${stage.project(who)} ${typeOf(stage.project(who))} ro,nosuid,nodev`,
    ...secrets,
  ].sort();
}

function listReadableSecrets(who: Identity): string[] {
  // Those that everybody may read on this host would be masked; on a well-kept one there are none.
  return ["/etc/shadow", "/etc/gshadow"].filter((path) => who.uid !== 0 && existsSync(path) && (statSync(path).mode & 0o004) !== 0).map((path) => `${path} devtmpfs rw`);
}

for (const who of identities)
  describe(`a sandbox seen from outside, as ${who.name}`, () => {
    let running: Running;
    before(async () => void (running = await start(who)));
    after(async () => {
      running.child.kill("SIGTERM");
      await running.ended;
    });

    it("is three processes, none of them Node", () => {
      assert.deepEqual(listChildren(running.supervisor), [running.init]);
      assert.deepEqual(listChildren(running.init), [running.payload]);
      assert.deepEqual(listChildren(running.payload), []);
      const programs = [running.supervisor, running.init].map((pid) => readlinkSync(`/proc/${pid}/exe`));
      assert.deepEqual(programs, [stage.brig, stage.brig]);
    });

    it("has namespaces of its own, all eight, which its init is in too", () => {
      const host = listNamespaces("self");
      assert.deepEqual(listNamespaces(running.payload).filter((namespace) => host.includes(namespace)), []);
      assert.deepEqual(listNamespaces(running.init), listNamespaces(running.payload));
      assert.deepEqual(listNamespaces(running.supervisor), host);
    });

    it("has no capability, no way to one, and a filter; init neither has one", () => {
      for (const pid of [running.payload, running.init]) {
        const status = readStatus(pid);
        for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) assert.match(status[set] ?? "", /^0{16}$/, `${set} of ${pid}`);
        assert.equal(status["NoNewPrivs"], "1");
      }
      assert.deepEqual([readStatus(running.payload)["Seccomp"], readStatus(running.payload)["Seccomp_filters"]], ["2", "1"]);
    });

    it("is nobody on the host, or the caller", () => {
      const uid = who.name === "root" ? MAPPED_BASE : who.uid;
      const status = readStatus(running.payload);
      assert.deepEqual([status["Uid"], status["Gid"], status["Groups"]], [Array(4).fill(uid).join("\t"), Array(4).fill(uid).join("\t"), ""]);
      const map = readFileSync(`/proc/${running.payload}/uid_map`, "utf8").trim().split(/\s+/).map(Number);
      assert.deepEqual(map, who.name === "root" ? [0, MAPPED_BASE, 65_536] : [who.uid, who.uid, 1]);
      if (who.name === "user") assert.equal(readFileSync(`/proc/${running.payload}/setgroups`, "utf8").trim(), "deny");
    });

    it("holds descriptors 0 to 2 and nothing else", () => {
      assert.deepEqual(listDescriptors(running.payload).map((line) => line.split(" ")[0]), ["0", "1", "2"]);
    });

    it("has an init that holds nothing of the host's files, nor of the payload's pipes", () => {
      const held = listDescriptors(running.init).map((line) => line.replace(/^\d+ /, ""));
      assert.deepEqual([...new Set(held)].filter((what) => !["socket", "anon_inode:[signalfd]", "anon_inode:[pidfd]"].includes(what)), []);
      assert.ok(held.length <= 4, held.join(", "));
    });

    it("has a supervisor that kept none of the caller's other descriptors", () => {
      const held = listDescriptors(running.supervisor);
      for (const line of held) assert.match(line, /^\d+ (\/dev\/null|pipe|socket|anon_inode:.*|pidfd|.*\/brig\/[0-9a-f]{12}|.*\/brig|\/sys\/fs\/cgroup\/.*)$/);
      assert.ok(held.length <= 20, held.join("\n"));
    });

    it("has just these mounts", () => {
      assert.deepEqual(listMounts(running.payload), expectMounts(who));
    });

    it("has another root than the host, and its working folder in it", () => {
      const inside = statSync(`/proc/${running.payload}/root/`);
      assert.notEqual(inside.dev, statSync("/").dev);
      assert.ok(!existsSync(`/proc/${running.payload}/root${stage.secret}`));
      assert.equal(readlinkSync(`/proc/${running.payload}/cwd`), stage.project(who));
      assert.equal(readlinkSync(`/proc/${running.init}/root`), "/");
    });

    it("has a short environment and a session without a terminal", () => {
      const environment = readFileSync(`/proc/${running.payload}/environ`, "utf8");
      assert.doesNotMatch(environment, /SECRET_TOKEN|XDG_RUNTIME_DIR|BRIG_/);
      const fields = readFileSync(`/proc/${running.payload}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
      assert.deepEqual([fields[3], fields[4]], [String(running.payload), "0"], "session and terminal");
    });

    it("can be followed by its state folder, which only its owner reads", () => {
      const folder = who.name === "root" ? "/run/brig" : join(stage.folder, `runtime-${who.name}`, "brig");
      const own = readdirSync(folder).find((id) => existsSync(join(folder, id, "process")) && readFileSync(join(folder, id, "process"), "utf8").startsWith(`${running.init} `));
      assert.ok(own, `a folder for ${running.init} in ${folder}`);
      assert.equal(statSync(join(folder, own)).mode & 0o777, 0o700);
      assert.equal(statSync(join(folder, own)).uid, who.uid);
    });
  });

describe("the end of a sandbox, seen from outside", () => {
  for (const who of identities)
    it(`leaves no process, mount, cgroup and folder, as ${who.name}`, async () => {
      const mounts = readFileSync("/proc/self/mountinfo", "utf8");
      const running = await start(who);
      const cgroups = readFileSync(`/proc/${running.payload}/cgroup`, "utf8").trim().split("\n").flatMap((line) => {
        const [, names = "", path = ""] = line.split(":");
        return path.includes("brig-") ? [join("/sys/fs/cgroup", names.replace("name=", "") || "unified", path)] : [];
      });
      for (const cgroup of cgroups) assert.ok(existsSync(cgroup), cgroup);
      running.child.kill("SIGTERM");
      assert.equal(await running.ended, 143);
      assert.deepEqual(cgroups.filter((cgroup) => existsSync(cgroup)), []);
      for (const pid of [running.supervisor, running.init, running.payload]) assert.ok(!existsSync(`/proc/${pid}`));
      assert.equal(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
      if (who.name === "user") assert.deepEqual(readdirSync(join(stage.folder, "runtime-user/brig")).filter((name) => name !== "names"), []);
    });
});
