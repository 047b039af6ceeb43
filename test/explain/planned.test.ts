import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { completePosture, explainPosture, explainSpec } from "../../src/explain/explain-posture.js";
import { predictPosture } from "../../src/explain/predict-posture.js";
import { readHostFacts } from "../../src/host/facts.js";
import { defaultSeccomp } from "../../src/plan/seccomp/default.js";
import { compileSeccomp } from "../../src/plan/seccomp/compile.js";
import { buildSpec } from "../../src/policy/build-spec.js";
import { type Extension, writeExtension } from "../../src/spec/extension.js";
import type { NamespaceType, Spec } from "../../src/spec/oci.js";

const ALL: NamespaceType[] = ["user", "pid", "mount", "network", "ipc", "uts", "cgroup", "time"];

function makeSpec(changes: Partial<Spec> = {}, extension: Extension = {}): Spec {
  const spec: Spec = {
    ociVersion: "1.2.0",
    process: { cwd: "/", args: ["true"], user: { uid: 0, gid: 0 }, noNewPrivileges: true },
    linux: { namespaces: ALL.map((type) => ({ type })), uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }], gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }] },
    ...changes,
  };
  return writeExtension(spec, { rootTmpfs: {}, ...extension });
}

function stateOf(spec: Spec, wall: string): string | undefined {
  return explainSpec(spec).find((candidate) => candidate.wall === wall)?.state;
}

test("the safe default leaves no wall open on this host", () => {
  const spec = buildSpec({}, ["true"], { cwd: "/usr", env: {}, home: "/root", host: readHostFacts() });
  const open = explainSpec(spec, { landlockAbi: 7 }).filter((wall) => wall.state === "open");
  assert.deepEqual(open, []);
});

test("a default limit that the host cannot hold is told as an open wall", () => {
  const spec = makeSpec({ linux: { resources: { memory: { limit: 1 << 30 }, pids: { limit: 64 } } } });
  const states = explainPosture(predictPosture(spec, { unset: ["/linux/resources/memory/limit"] })).map(({ wall, state }) => [wall, state]);
  assert.deepEqual(states.filter(([wall]) => wall === "memory" || wall === "process count"), [["memory", "open"], ["process count", "closed"]]);
});

test("a planned and a running sandbox are explained by the same walls in the same order", () => {
  const names = (spec: Spec): string[] => explainSpec(spec).map((wall) => wall.wall);
  assert.deepEqual(names(makeSpec()), names({ ociVersion: "1.2.0" }));
  assert.ok(names(makeSpec()).length >= 20);
});

test("each namespace that a spec leaves out opens its wall, one that it joins narrows it", () => {
  const walls: Partial<Record<NamespaceType, string>> = { pid: "processes", network: "network", ipc: "IPC", mount: "root" };
  for (const [type, wall] of Object.entries(walls)) {
    const without = makeSpec({ linux: { namespaces: ALL.filter((other) => other !== type).map((other) => ({ type: other })) } }, { rootTmpfs: undefined as never });
    assert.equal(stateOf(without, wall), "open", `without ${type}`);
    assert.equal(stateOf(makeSpec(), wall), "closed", `with ${type}`);
    if (type === "mount") continue;
    const joined = makeSpec({ linux: { namespaces: ALL.map((other) => (other === type ? { type: other, path: "/proc/7/ns/x" } : { type: other })) } });
    assert.equal(stateOf(joined, wall), "narrow", `joining ${type}`);
  }
});

test("who the payload is outside follows from the maps", () => {
  assert.equal(predictPosture(makeSpec()).identity.outsideUid, 100000);
  assert.equal(stateOf(makeSpec(), "identity"), "closed");
  const asRoot = makeSpec({ linux: { namespaces: [{ type: "user" }], uidMappings: [{ containerID: 0, hostID: 0, size: 1 }], gidMappings: [] } });
  assert.equal(stateOf(asRoot, "identity"), "open");
  const hidden = makeSpec({ process: { cwd: "/", user: { uid: 5, gid: 5 } }, linux: { namespaces: [{ type: "user" }], uidMappings: [{ containerID: 0, hostID: 0, size: 10 }] } });
  assert.equal(stateOf(hidden, "identity"), "open", "uid 0 of the host is within reach of setuid(2)");
  assert.equal(stateOf(makeSpec({ linux: { namespaces: [{ type: "user" }] } }), "identity"), "closed");
});

test("capabilities count by whose user namespace they are in", () => {
  const process = { cwd: "/", capabilities: { effective: ["CAP_SYS_ADMIN"] } };
  assert.equal(stateOf(makeSpec({ process }), "capabilities"), "narrow");
  assert.equal(stateOf(makeSpec({ process, linux: {} }), "capabilities"), "open");
  assert.equal(stateOf(makeSpec({ process: { cwd: "/", capabilities: { effective: ["CAP_NET_RAW"] } }, linux: {} }), "capabilities"), "narrow");
});

test("a filter is shown with the number of calls that its compiled form lets through", () => {
  const seccomp = defaultSeccomp();
  const spec = makeSpec({ linux: { seccomp } });
  const wall = explainSpec(spec).find((candidate) => candidate.wall === "system calls");
  assert.equal(wall?.state, "closed");
  assert.ok(wall?.what.includes(`${compileSeccomp(seccomp).allowed} calls allowed`), wall?.what);
  assert.equal(stateOf(makeSpec(), "system calls"), "open");
});

test("binds count by where they come from, whether they are read-only, and what covers them", () => {
  const bind = (source: string, destination: string, ...options: string[]) => ({ source, destination, type: "bind", options: ["rbind", ...options] });
  const spec = makeSpec({ mounts: [bind("/usr", "/usr", "ro"), bind("/srv/w", "/w"), bind("/srv/r", "/w/r", "rro"), bind("/etc", "/gone"), { destination: "/gone", type: "tmpfs" }, bind("/dev/null", "/dev/null")] });
  const posture = predictPosture(spec);
  assert.deepEqual(posture.writable, [{ path: "/w", host: "/srv/w" }]);
  assert.deepEqual(posture.readable?.map((reach) => reach.path), ["/usr", "/w/r"]);
  assert.equal(stateOf(spec, "files it can write"), "narrow");
  assert.equal(stateOf(makeSpec({ mounts: [bind("/etc", "/etc")] }), "files it can write"), "open");
  assert.equal(stateOf(makeSpec({ mounts: [bind("/home/alice", "/home/alice", "ro")] }), "files it can read"), "open");
  assert.equal(stateOf(makeSpec({ mounts: [bind("/home/alice/project", "/p", "ro")] }), "files it can read"), "narrow");
});

test("a bind of a folder that holds a socket of a service outside is an open wall, unless it is masked", async (t) => {
  const folder = mkdtempSync("/tmp/brig-plan-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = createServer().listen(join(folder, "docker.sock"));
  t.after(() => server.close());
  await once(server, "listening");
  const mounts = [{ destination: "/run", source: folder, type: "bind", options: ["ro"] }];
  assert.deepEqual(predictPosture(makeSpec({ mounts })).sockets?.map((socket) => socket.path), ["/run/docker.sock"]);
  assert.equal(stateOf(makeSpec({ mounts }), "sockets"), "open");
  assert.equal(stateOf(makeSpec({ mounts, linux: { namespaces: ALL.map((type) => ({ type })), maskedPaths: ["/run/docker.sock"] } }), "sockets"), "closed");
  const moved = [{ destination: "/tmp/.X11-unix/X3", source: join(folder, "docker.sock"), type: "bind" }];
  assert.deepEqual(predictPosture(makeSpec({ mounts: moved })).sockets?.map((socket) => socket.path), ["/tmp/.X11-unix/X3"]);
});

test("a display is narrow, and says what of the host's it shows; the host's own socket is an open wall", async (t) => {
  const folder = mkdtempSync("/tmp/brig-plan-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = createServer().listen(join(folder, "X0"));
  t.after(() => server.close());
  await once(server, "listening");
  const own = makeSpec({}, { display: { folder: "/run/x", server: makeSpec() } });
  const hosts = makeSpec({}, { display: { folder: "/run/x", host: { socket: "/tmp/.X11-unix/X0", number: 0 } } });
  const mounts = [{ destination: "/tmp/.X11-unix", source: folder, type: "bind" }];
  const tell = (spec: Spec): string[] => explainSpec(spec).filter(({ wall }) => wall === "sockets").flatMap(({ state, what, means }) => [state, what, means ?? ""]);
  assert.deepEqual(tell(own), ["narrow", "/tmp/.X11-unix/X200", "X11, an X server of its own: no windows but those of the sandbox"]);
  assert.match(tell(hosts).join(" "), /^narrow .*does not trust: the clipboard, titles and places of other windows/);
  assert.match(tell(makeSpec({ mounts })).join(" "), /^open \/tmp\/.X11-unix\/X0 X11: reads the keyboard/);
  assert.equal(tell(makeSpec({ mounts }, { display: { folder: "/run/x", server: makeSpec() } }))[0], "narrow", "the display covers it");
});

test("limits are read from both forms of a spec, and minus one is none", () => {
  const linux = { resources: { memory: { limit: 1 << 20 }, pids: { limit: 7 }, cpu: { quota: 50_000, period: 100_000 } } };
  assert.deepEqual(predictPosture(makeSpec({ linux })).limits, { memory: 1 << 20, pids: 7, cpus: 0.5 });
  const unified = { resources: { unified: { "memory.max": "4096", "pids.max": "max", "cpu.max": "200000 100000" } } };
  assert.deepEqual(predictPosture(makeSpec({ linux: unified })).limits, { memory: 4096, pids: undefined, cpus: 2 });
  assert.deepEqual(predictPosture(makeSpec({ linux: { resources: { memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1 } } } })).limits, { memory: undefined, pids: undefined, cpus: undefined });
});

test("the extension's terminal, network, descriptors and chroot are walls too", () => {
  assert.equal(stateOf(makeSpec({}, { terminal: "plain" }), "terminal"), "open");
  assert.equal(stateOf(makeSpec({}, { terminal: "auto" }), "terminal"), "closed");
  assert.equal(stateOf(makeSpec({}, { network: { mode: "user" } }), "network"), "narrow");
  assert.equal(stateOf(makeSpec({}, { keepFds: [7] }), "descriptors"), "narrow");
  assert.equal(stateOf(makeSpec({ linux: {} }, { chroot: { path: "/srv/jail" } }), "root"), "narrow");
  assert.deepEqual(predictPosture(makeSpec({}, { notes: ["a decision"] })).notes, ["a decision"]);
});

test("Landlock is told by its rules, and an optional one on a host without it is none", () => {
  const landlock = { read: ["/usr"], connectTcp: [], optional: true };
  assert.equal(stateOf(makeSpec({}, { landlock }), "Landlock"), "closed");
  assert.equal(predictPosture(makeSpec({}, { landlock }), { landlockAbi: 0 }).landlock.state, "none");
  assert.match(predictPosture(makeSpec({}, { landlock })).landlock.what ?? "", /^reads 1 path, connects to no TCP ports$/);
  assert.match(predictPosture(makeSpec({}, { landlock }), { landlockAbi: 3 }).landlock.what ?? "", /ABI 3 does not hold it to: TCP ports/);
});

test("a running process's record fills in what cannot be seen, and only where it agrees with what can", () => {
  const spec = makeSpec({ linux: { seccomp: defaultSeccomp() } }, { landlock: { read: ["/"] } });
  const seen = { ...predictPosture(makeSpec()), landlock: { state: "unknown" as const }, seccomp: { mode: "filter" as const, filters: 1 } };
  const full = completePosture(seen, spec);
  assert.equal(full.landlock.state, "restricted");
  assert.equal(full.seccomp.allowed, compileSeccomp(defaultSeccomp()).allowed);
  assert.equal(completePosture({ ...seen, seccomp: { mode: "none" } }, spec).seccomp.mode, "none", "a filter that is not there is not invented");
  assert.equal(explainPosture({ ...seen, seccomp: { mode: "filter", filters: 2 } }).find((wall) => wall.wall === "system calls")?.state, "narrow");
});
