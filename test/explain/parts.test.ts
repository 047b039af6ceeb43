import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fc } from "../fast-check.js";
import { findAbstractSockets } from "../../src/explain/find-exposed.js";
import { matchesPart } from "../../src/explain/known-sockets.js";
import { mapInside, mapOutside } from "../../src/explain/posture.js";
import { readLimits } from "../../src/explain/read-limits.js";
import { parseIdMap, readInterfaces } from "../../src/explain/read-posture.js";
import { readRecord } from "../../src/explain/read-record.js";
import { readStartTime } from "../../src/explain/read-start-time.js";
import { RootView } from "../../src/explain/view-of-root.js";
import { parseMountinfo } from "../../src/host/mountinfo.js";
import { plantTree } from "../host/plant-tree.js";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync("/tmp/brig-parts-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function readRecorded(root: string): ReturnType<typeof readLimits> {
  const mounts = parseMountinfo(readFileSync(join(root, "proc/self/mountinfo"), "utf8"));
  return readLimits(readFileSync(join(root, "proc/self/cgroup"), "utf8"), mounts, root);
}

test("a limit of version 2 is the tightest on the way up", (t) => {
  assert.deepEqual(readRecorded(plantTree(t, "v2-user-session")), { memory: 268435456, pids: 9000, cpus: 1.5 });
});

test("a limit of version 1 is found in each controller's tree, and its largest number is none", (t) => {
  assert.deepEqual(readRecorded(plantTree(t, "v1-container")), { memory: undefined, pids: 64, cpus: undefined });
  const quota = { "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "25000\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1048576\n" };
  assert.deepEqual(readRecorded(plantTree(t, "v1-container", quota)), { memory: 1048576, pids: 64, cpus: 0.25 });
});

test("ids map outside and back, and one without a place maps nowhere", () => {
  const map = parseIdMap("         0     100000      65536\n     65536       1000          1\n");
  assert.deepEqual([mapOutside(5, map), mapOutside(65536, map), mapOutside(65537, map)], [100005, 1000, undefined]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65536 }), (id) => {
      assert.equal(mapInside(mapOutside(id, map)!, map), id);
    }),
  );
});

test("the files of a root are found without its links leading outside or going round", (t) => {
  const root = makeFolder(t);
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/hosts"), "");
  symlinkSync("/etc", join(root, "absolute"));
  symlinkSync("../../../../../etc", join(root, "etc/up"));
  symlinkSync("round", join(root, "round"));
  const view = new RootView(root, []);
  assert.equal(view.stat("/absolute/hosts")?.path, "/etc/hosts");
  assert.equal(view.stat("/etc/up/up/hosts")?.path, "/etc/hosts");
  assert.equal(view.stat("/absolute/passwd"), undefined, "the host's /etc/passwd is not looked at");
  assert.equal(view.stat("/round"), undefined);
  assert.equal(view.stat("/../../etc/hosts")?.path, "/etc/hosts");
  assert.deepEqual(view.list("/absolute").map((entry) => entry.name).sort(), ["hosts", "up"]);
});

test("a FUSE mount is not touched, since its owner decides when it answers", (t) => {
  const root = makeFolder(t);
  mkdirSync(join(root, "trap"));
  const view = new RootView(root, parseMountinfo("1 0 8:1 / / rw - ext4 d rw\n2 1 0:9 / /trap rw - fuse.sshfs d rw\n"));
  assert.equal(view.stat("/trap/x"), undefined);
  assert.deepEqual([...view.untouched], ["/trap"]);
});

test("a pattern's star stands for part of a name, empty included, and for no more than fits", () => {
  assert.deepEqual([matchesPart("agent.12", "agent.*"), matchesPart("wayland-", "wayland-*"), matchesPart("x", "agent.*"), matchesPart("bus", "bus")], [true, true, false, true]);
  assert.equal(matchesPart("aa", "aaa*"), false);
  assert.equal(matchesPart("ab", "ab*b"), false);
});

test("abstract sockets are read by name, each once", (t) => {
  const file = join(makeFolder(t), "unix");
  writeFileSync(file, "Num RefCount\n0: 2 0 10000 1 1 7 @/tmp/.X11-unix/X0\n0: 2 0 10000 1 1 8 @/tmp/.X11-unix/X0\n0: 2 0 1 1 1 9 /run/x\n0: 3 0 0 1 3 10\n");
  assert.deepEqual(findAbstractSockets(file).map((socket) => socket.path), ["@/tmp/.X11-unix/X0"]);
});

test("interfaces are read without the headings", (t) => {
  const file = join(makeFolder(t), "dev");
  writeFileSync(file, "Inter-|   Receive  |\n face |bytes packets|\n    lo:  1 2\n veth0@if3:1 2\n");
  assert.deepEqual(readInterfaces(file), ["lo", "veth0@if3"]);
  assert.equal(readInterfaces(`${file}x`), undefined);
});

test("a sandbox's record is believed when it names this very process and nobody else can have written it", (t) => {
  const run = makeFolder(t);
  chmodSync(run, 0o700);
  const write = (name: string, start: number | undefined, config: string, mode = 0o700): void => {
    mkdirSync(join(run, name), { mode });
    chmodSync(join(run, name), mode);
    writeFileSync(join(run, name, "process"), `${process.pid} ${start} 1 1\n`);
    writeFileSync(join(run, name, "config.json"), config);
  };
  const start = readStartTime("/proc/self");
  const read = (): string | undefined => readRecord("/proc/", process.pid, run)?.hostname;
  assert.equal(read(), undefined);
  write("reused", (start ?? 0) + 1, '{"ociVersion":"1.2.0","hostname":"of another that had this pid"}');
  assert.equal(read(), undefined);
  write("open", start, '{"ociVersion":"1.2.0","hostname":"forged"}', 0o777);
  assert.equal(read(), undefined);
  write("right", start, '{"spec":{"ociVersion":"1.2.0","hostname":"right"}}');
  assert.equal(read(), "right");
  assert.equal(readRecord("/proc/", process.ppid, run), undefined, "another process of the host is in no sandbox");
  chmodSync(run, 0o777);
  assert.equal(read(), undefined);
  assert.equal(readRecord("/proc/", process.pid, "/nonexistent"), undefined);
});

test("a record that is no spec is none", (t) => {
  const run = makeFolder(t);
  mkdirSync(join(run, "x"), { mode: 0o700 });
  writeFileSync(join(run, "x/process"), `${process.pid} ${readStartTime("/proc/self")} 1 1\n`);
  for (const config of ["", "{", "[]", "7", '{"a":1}', '{"spec":[]}']) {
    writeFileSync(join(run, "x/config.json"), config);
    assert.equal(readRecord("/proc/", process.pid, run), undefined, config);
  }
});
