import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type CgroupReader, makeCgroupReader, parseCgroupPaths, readCgroupFacts } from "../../src/host/cgroup-facts.js";
import { placeCgroup } from "../../src/host/cgroup.js";
import { plantTree } from "./plant-tree.js";

const ALICE = 1000;
const OWN = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service";

/** As a user who may write below one folder alone, which a test that runs as root cannot find out by access(2). */
function limitWrites(root: string, folder: string): CgroupReader {
  return { root, canWrite: (path) => path === folder || path.startsWith(`${folder}/`) };
}

test("a user session's sandbox goes to the nearest delegated cgroup that holds no processes", (t) => {
  const reader = limitWrites(plantTree(t, "v2-user-session"), OWN);
  const facts = readCgroupFacts(reader);
  assert.equal(facts.layout, "v2");
  assert.equal(facts.unified?.folder, `${OWN}/app.slice/run-r1.scope`);
  assert.equal(facts.controllers["memory"]?.delegated, true);
  assert.equal(facts.controllers["cpu"]?.delegated, false);
  const { places, problem } = placeCgroup(facts, ["memory", "pids"], reader, ALICE);
  assert.equal(problem, undefined);
  assert.deepEqual(places, [
    { version: 2, parent: `${OWN}/app.slice`, makeParent: false, controllers: ["memory", "pids"], controllersToEnable: [], initialise: [] },
  ]);
});

test("a controller that only a cgroup further up gives is looked for further up", (t) => {
  const reader = limitWrites(plantTree(t, "v2-user-session"), OWN);
  const { places } = placeCgroup(readCgroupFacts(reader), ["cpu"], reader, ALICE);
  assert.equal(places[0]?.parent, OWN);
});

test("a controller that is not delegated is a problem with a way out", (t) => {
  const reader = limitWrites(plantTree(t, "v2-user-session"), OWN);
  const { problem } = placeCgroup(readCgroupFacts(reader), ["memory", "cpuset"], reader, ALICE);
  assert.deepEqual(problem?.controllers, ["memory", "cpuset"]);
  assert.match(problem?.hint ?? "", /systemd-run --user --scope -p Delegate=yes/);
});

test("an ordinary user in a session outside of his service cannot move a process into it", (t) => {
  const reader = limitWrites(plantTree(t, "v2-ssh-session"), OWN);
  const { places, problem } = placeCgroup(readCgroupFacts(reader), ["memory"], reader, ALICE);
  assert.deepEqual(places, []);
  assert.deepEqual(problem?.controllers, ["memory"]);
});

test("controllers are enabled in a delegated cgroup that is empty", (t) => {
  const app = `${OWN.slice(1)}/app.slice`;
  const reader = limitWrites(plantTree(t, "v2-user-session", { [`${app}/cgroup.subtree_control`]: "memory\n" }), OWN);
  const { places } = placeCgroup(readCgroupFacts(reader), ["memory", "pids"], reader, ALICE);
  assert.deepEqual(places[0]?.controllersToEnable, [{ file: `/${app}/cgroup.subtree_control`, value: "+pids" }]);
});

test("a cgroup with processes of its own gives no controllers to children, nor does a threaded one", (t) => {
  const app = `${OWN.slice(1)}/app.slice`;
  const busy = limitWrites(plantTree(t, "v2-user-session", { [`${app}/cgroup.subtree_control`]: "", [`${app}/cgroup.procs`]: "9\n" }), OWN);
  assert.equal(placeCgroup(readCgroupFacts(busy), ["pids"], busy, ALICE).places[0]?.parent, OWN);
  const threaded = limitWrites(plantTree(t, "v2-user-session", { [`${app}/cgroup.type`]: "threaded\n" }), OWN);
  assert.equal(placeCgroup(readCgroupFacts(threaded), ["pids"], threaded, ALICE).places[0]?.parent, OWN);
});

test("root in the host's root cgroup gets a folder of brig's, with controllers enabled on the way", (t) => {
  const reader = makeCgroupReader(plantTree(t, "v2-bare-root"));
  const { places, problem } = placeCgroup(readCgroupFacts(reader), ["memory", "cpu"], reader, 0);
  assert.equal(problem, undefined);
  assert.deepEqual(places, [
    {
      version: 2,
      parent: "/sys/fs/cgroup/brig",
      makeParent: true,
      controllers: ["memory", "cpu"],
      controllersToEnable: [
        { file: "/sys/fs/cgroup/cgroup.subtree_control", value: "+memory" },
        { file: "/sys/fs/cgroup/brig/cgroup.subtree_control", value: "+memory +cpu" },
      ],
      initialise: [],
    },
  ]);
});

test("a folder of brig's that is there already is used as it is", (t) => {
  const brig = "sys/fs/cgroup/brig";
  const files = { "sys/fs/cgroup/cgroup.subtree_control": "cpu memory", [`${brig}/cgroup.controllers`]: "cpu memory", [`${brig}/cgroup.subtree_control`]: "cpu memory", [`${brig}/cgroup.procs`]: "", [`${brig}/cgroup.type`]: "domain" };
  const reader = makeCgroupReader(plantTree(t, "v2-bare-root", files));
  const { places } = placeCgroup(readCgroupFacts(reader), ["memory"], reader, 0);
  assert.equal(places[0]?.makeParent, false);
  assert.deepEqual(places[0]?.controllersToEnable, []);
});

test("the root of a cgroup namespace is not the host's root: its processes forbid controllers", (t) => {
  const reader = makeCgroupReader(plantTree(t, "v2-container"));
  const { problem } = placeCgroup(readCgroupFacts(reader), ["memory"], reader, 0);
  assert.deepEqual(problem?.controllers, ["memory"]);
  assert.match(problem?.hint ?? "", /cgroup of its own/);
});

test("version 1 has a place in each controller's tree, found below what a container has mounted", (t) => {
  const reader = makeCgroupReader(plantTree(t, "v1-container"));
  const facts = readCgroupFacts(reader);
  assert.equal(facts.layout, "v1");
  assert.equal(facts.controllers["pids"]?.folder, "/sys/fs/cgroup/pids/job 7");
  assert.equal(facts.controllers["cpu"]?.folder, "/sys/fs/cgroup/cpu,cpuacct", "a cgroup outside of the mount falls back to the mount");
  assert.equal("name=systemd" in facts.controllers, false);
  const { places, problem } = placeCgroup(facts, ["memory", "pids", "cpu", "cpuacct", "cpuset"], reader, 0);
  assert.equal(problem, undefined);
  assert.deepEqual(
    places.map((place) => [place.parent, place.controllers]),
    [
      ["/sys/fs/cgroup/memory", ["memory"]],
      ["/sys/fs/cgroup/pids/job 7", ["pids"]],
      ["/sys/fs/cgroup/cpu,cpuacct", ["cpu", "cpuacct"]],
      ["/sys/fs/cgroup/cpuset", ["cpuset"]],
    ],
  );
  assert.deepEqual(places[3]?.initialise, [{ file: "cpuset.cpus", value: "0-3" }, { file: "cpuset.mems", value: "0" }]);
});

test("a controller that the host lacks is a problem, never passed over", (t) => {
  const reader = makeCgroupReader(plantTree(t, "v1-container"));
  const { problem } = placeCgroup(readCgroupFacts(reader), ["memory", "rdma"], reader, 0);
  assert.deepEqual(problem?.controllers, ["rdma"]);
  assert.match(problem?.what ?? "", /no cgroup controller rdma/);
});

test("a host without any cgroups says so", () => {
  const reader = makeCgroupReader("/nonexistent");
  const facts = readCgroupFacts(reader);
  assert.deepEqual(facts, { layout: "none", controllers: {} });
  assert.match(placeCgroup(facts, ["memory"], reader, 0).problem?.what ?? "", /no cgroup hierarchy is mounted/);
});

test("names of cgroups may hold colons and blanks", () => {
  assert.equal(parseCgroupPaths("3:cpu,cpuacct:/a:b c\n0::/x\n").get("cpuacct"), "/a:b c");
});

/** The kernel empties a cgroup a moment behind the death of what was in it. */
function removeEmptied(folder: string): void {
  for (let tries = 0; ; tries++) {
    try {
      return rmdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || tries === 200) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

test("on this host a cgroup made in the places takes a limit and a process", (t) => {
  const reader = makeCgroupReader();
  const facts = readCgroupFacts(reader);
  if (process.geteuid?.() !== 0 || !facts.controllers["pids"]?.writable) return t.skip("needs root and a pids controller");
  const { places, problem } = placeCgroup(facts, ["pids", "cpuset"], reader, 0);
  assert.equal(problem, undefined);
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const made: string[] = [];
  const release = (): void => {
    child.kill("SIGKILL");
    for (const folder of made.reverse()) removeEmptied(folder);
  };
  t.after(release);
  for (const place of places.filter((entry) => !entry.makeParent)) {
    for (const { file, value } of place.controllersToEnable) writeFileSync(file, value);
    const folder = join(place.parent, `brig-test-${process.pid}`);
    mkdirSync(folder);
    made.push(folder);
    for (const { file, value } of place.initialise) writeFileSync(join(folder, file), value);
    if (place.controllers.includes("pids")) writeFileSync(join(folder, "pids.max"), "7");
    writeFileSync(join(folder, "cgroup.procs"), String(child.pid));
    assert.match(readFileSync(`/proc/${child.pid}/cgroup`, "utf8"), /brig-test/);
  }
  assert.ok(made.length > 0);
});

test("an ordinary user on this host is told when he cannot set limits", (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root to become somebody else");
  const script = `const { makeCgroupReader: m, readCgroupFacts: r } = await import(process.argv[1] + "-facts.js"); const { placeCgroup: p } = await import(process.argv[1] + ".js");
    const reader = m(); console.log(JSON.stringify(p(r(reader), ["memory"], reader, 65534)));`;
  const module = new URL("../../src/host/cgroup", import.meta.url).href;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script, module], { uid: 65534, gid: 65534, encoding: "utf8", cwd: "/" });
  if (ran.status !== 0 && /EACCES|ERR_MODULE_NOT_FOUND/.test(ran.stderr)) return t.skip("the build folder cannot be read by others");
  assert.equal(ran.status, 0, ran.stderr);
  const answer = JSON.parse(ran.stdout) as ReturnType<typeof placeCgroup>;
  const writable = existsSync("/sys/fs/cgroup/cgroup.controllers");
  if (!writable) assert.deepEqual(answer.problem?.controllers, ["memory"]);
});
