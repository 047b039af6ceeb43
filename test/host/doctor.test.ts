import assert from "node:assert/strict";
import { test } from "node:test";
import { canRunSafeDefault, diagnose, type Finding } from "../../src/host/doctor.js";
import { parseProbe, runProbe } from "../../src/host/probe.js";
import { renderFindings, wrapText } from "../../src/host/render-findings.js";
import { plantTree } from "./plant-tree.js";

function find(findings: Finding[], topic: string): Finding {
  const finding = findings.find((candidate) => candidate.topic === topic);
  assert.ok(finding, `nothing is said of ${topic}`);
  return finding;
}

test("every finding says what it means, and every one that is not well what to do", () => {
  const findings = diagnose();
  assert.ok(findings.length > 25);
  assert.equal(new Set(findings.map((finding) => finding.topic)).size, findings.length, "topics are unique");
  for (const finding of findings) {
    assert.ok(finding.what && finding.means, finding.topic);
    if (finding.state !== "ok") assert.ok(finding.fix, finding.topic);
  }
});

test("an old host without overlay is told what to load and which kernel to boot", (t) => {
  const findings = diagnose({ root: plantTree(t, "v1-container"), env: {}, probe: {} });
  assert.equal(find(findings, "overlay").fix?.startsWith("modprobe overlay"), true);
  assert.equal(find(findings, "kernel calls").state, "missing");
  assert.match(find(findings, "kernel calls").what, /Linux 4\.19 lacks mount API, clone3/);
  assert.equal(find(findings, "Landlock").state, "missing");
  assert.match(find(findings, "core dumps").what, /systemd-coredump, which runs as root outside/);
  assert.equal(find(findings, "kernel log").state, "limited");
  assert.equal(find(findings, "ptrace scope").state, "limited");
  assert.equal(find(findings, "time namespaces").state, "limited");
  assert.equal(find(findings, "cgroup layout").state, "limited");
  assert.equal(canRunSafeDefault(findings), false);
  assert.match(renderFindings(findings), /brig run does not work here with its safe default, for want of: .*kernel calls/);
});

test("a kernel that refuses a user namespace when tried outweighs files that allow them", (t) => {
  const root = plantTree(t, "v2-user-session", { "run/keep": "" });
  const good = diagnose({ root, env: { XDG_RUNTIME_DIR: "/run" }, probe: { user_namespace: 0 } });
  assert.equal(find(good, "user namespaces").state, "ok");
  const bad = diagnose({ root, env: { XDG_RUNTIME_DIR: "/run" }, probe: { user_namespace: 1 } });
  assert.equal(find(bad, "user namespaces").state, "missing");
  assert.match(find(bad, "user namespaces").what, /EPERM/);
  assert.equal(canRunSafeDefault(bad), false);
});

test("without a pids cgroup the limit is by process limits, where the kernel counts them for each namespace", (t) => {
  const files = { "sys/fs/cgroup/cgroup.controllers": "cpu\n", "sys/fs/cgroup/cgroup.subtree_control": "cpu\n" };
  const state = (changes: Record<string, string>): string => find(diagnose({ root: plantTree(t, "v2-bare-root", { ...files, ...changes }), env: {}, probe: {} }), "pids limit").state;
  assert.equal(state({}), "missing");
  assert.equal(state({ "proc/sys/kernel/osrelease": "5.15.0\n" }), "ok");
});

test("Landlock's missing rights are named with their ABI and kernel", (t) => {
  const finding = find(diagnose({ root: plantTree(t, "v2-user-session"), env: {}, probe: { landlock: 4 } }), "Landlock");
  assert.equal(finding.state, "limited");
  assert.match(finding.what, /^ABI 4; without ioctl on devices \(ABI 5, Linux 6\.10\)/);
});

test("a probe's output is read line by line, and nothing is known without a launcher", () => {
  assert.deepEqual(parseProbe("landlock 7\nuser_namespace 1\njunk\noverlay x\n"), { landlock: 7, user_namespace: 1 });
  assert.deepEqual(runProbe(undefined), {});
  assert.deepEqual(runProbe("/nonexistent"), {});
});

test("the list keeps its columns and its width, and lets no control character through", () => {
  const findings: Finding[] = [
    { topic: "a", state: "ok", what: "short", means: "nothing" },
    { topic: "longer", state: "limited", what: "evil\u001b[2J", means: "word ".repeat(40).trim(), fix: "do it" },
  ];
  const text = renderFindings(findings, { width: 60 });
  assert.match(text, /^a {7}ok {6}short$/m);
  assert.ok(text.split("\n").slice(0, -2).every((line) => line.length <= 60), text);
  assert.equal(text.includes("\u001b"), false);
  assert.match(text, /^1 ok, 1 limited, 0 missing\. brig run works here/m);
  assert.ok(renderFindings(findings, { color: true }).includes("\u001b[33mlimited"));
  assert.deepEqual(wrapText("aa bb cc", 5), ["aa bb", "cc"]);
});
