import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { CAPABILITY_NAMES, decodeCapabilities } from "../../src/host/capabilities.js";
import { parseKernelVersion, readHostFacts } from "../../src/host/facts.js";
import { findLandlockAbi, readLandlock } from "../../src/host/landlock.js";
import { readLazily } from "../../src/host/lazily.js";
import { findUserName, parseSubordinateIds } from "../../src/host/subordinate-ids.js";
import { findTool } from "../../src/host/tools.js";
import { findUserNamespaceBlock } from "../../src/host/user-namespaces.js";
import { plantTree } from "./plant-tree.js";

test("facts of this host agree with what its own tools say", (t) => {
  const facts = readHostFacts();
  const run = (file: string, ...args: string[]): string => spawnSync(file, args, { encoding: "utf8" }).stdout.trim();
  assert.equal(String(facts.euid), run("id", "-u"));
  assert.equal(facts.kernel.join("."), /^\d+\.\d+/.exec(run("uname", "-r"))?.[0]);
  assert.deepEqual(facts.groups, run("id", "-G").split(" ").map(Number).sort((a, b) => a - b));
  const shown = run("capsh", `--decode=${/CapEff:\s*(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]}`);
  if (shown === "") return t.diagnostic("capsh is not installed");
  assert.deepEqual([...facts.capabilities], shown.replace(/^[^=]*=/, "").toUpperCase().split(",").filter(Boolean));
});

test("the user namespaces that the facts promise can be made", () => {
  const made = spawnSync("unshare", ["--user", "true"]).status === 0;
  assert.equal(readHostFacts().userNamespaces, made);
});

test("all facts together cost less than ten milliseconds once warm", () => {
  const read = (): number => {
    const start = performance.now();
    for (const value of Object.values(readHostFacts())) void value;
    return performance.now() - start;
  };
  const times = Array.from({ length: 15 }, read).toSorted((a, b) => a - b);
  assert.ok(times[0]! < 10, `the quickest of 15 took ${times[0]} ms`);
});

test("a fact is read once, and only when it is asked for", () => {
  let reads = 0;
  const facts = readLazily<{ a: number; b: number }>({ a: () => ++reads, b: () => assert.fail("nobody asked") });
  assert.deepEqual([facts.a, facts.a, reads], [1, 1, 1]);
});

test("a recorded host is read by its files alone", (t) => {
  const facts = readHostFacts(plantTree(t, "v2-user-session"), {});
  assert.deepEqual(facts.kernel, [6, 1]);
  assert.equal(facts.landlockAbi, 2);
  assert.equal(facts.kernelLockdown, "integrity");
  assert.equal(facts.capabilities.size, 0);
  assert.equal(facts.capLast, 40);
  assert.ok(facts.seccompActions.has("user_notif"));
  assert.equal(facts.hasTool("sh"), undefined);
});

test("kernel versions are read whatever stands behind them", () => {
  assert.deepEqual(parseKernelVersion("6.1.0-18-amd64"), [6, 1]);
  assert.deepEqual(parseKernelVersion("5.15-rc2"), [5, 15]);
  assert.deepEqual(parseKernelVersion("nonsense"), [0, 0]);
});

test("capability masks become names, also of those that have none yet", () => {
  assert.deepEqual(decodeCapabilities("0000000000003000"), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
  assert.deepEqual(decodeCapabilities("0000020000000000"), ["CAP_41"]);
  assert.deepEqual(decodeCapabilities("000001ffffffffff"), CAPABILITY_NAMES);
  assert.deepEqual(decodeCapabilities("hostile"), []);
});

test("subordinate ids are found by name and by number, and nonsense gives none", () => {
  const text = "alice:100000:65536\n1000:300000:10\nbob:1:2\nalice:x:9\nalice:4294967290:65536\nalice:5:0\n";
  assert.deepEqual(parseSubordinateIds(text, { name: "alice", uid: 1000 }), [{ start: 100000, count: 65536 }, { start: 300000, count: 10 }]);
  assert.deepEqual(parseSubordinateIds(text, { name: undefined, uid: 7 }), []);
  assert.equal(findUserName("root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n", 1000), "alice");
});

test("every range that is accepted can be mapped", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(), (junk, start, count) => {
      for (const range of parseSubordinateIds(`${junk}\nu:${start}:${count}\n`, { name: "u", uid: 0 })) assert.ok(range.count > 0 && range.start + range.count <= 0xffffffff);
    }),
  );
});

test("a Landlock ABI comes from the launcher first, then from the active modules, then from the version", (t) => {
  assert.equal(findLandlockAbi([5, 12]), 0);
  assert.equal(findLandlockAbi([5, 13]), 1);
  assert.equal(findLandlockAbi([6, 9]), 4);
  assert.equal(findLandlockAbi([7, 3]), 7);
  const active = plantTree(t, "v2-user-session");
  assert.deepEqual(readLandlock(active, [6, 12], {}), { abi: 6, source: "lsm" });
  assert.deepEqual(readLandlock(active, [6, 12], { BRIG_LANDLOCK_ABI: "3" }), { abi: 3, source: "probe" });
  assert.deepEqual(readLandlock(active, [6, 12], { BRIG_LANDLOCK_ABI: "-3" }), { abi: 6, source: "lsm" });
  assert.deepEqual(readLandlock(plantTree(t, "v2-bare-root"), [6, 12], {}), { abi: 0, source: "lsm" });
  assert.deepEqual(readLandlock(plantTree(t, "v1-container"), [6, 12], {}), { abi: 6, source: "version" });
  const silent = plantTree(t, "v1-container", { "proc/cmdline": "quiet lsm=yama,apparmor ro\n" });
  assert.deepEqual(readLandlock(silent, [6, 12], {}), { abi: 0, source: "config" });
  const built = plantTree(t, "v1-container", { "boot/config-4.19.0-26-amd64": 'CONFIG_LSM="yama,landlock"\n' });
  assert.deepEqual(readLandlock(built, [6, 12], {}), { abi: 6, source: "config" });
});

test("what forbids user namespaces is named with the command that allows them", (t) => {
  const block = (changes: Record<string, string | null>, privileged = false) => findUserNamespaceBlock(plantTree(t, "v2-user-session", changes), privileged)?.fix;
  assert.equal(block({}), undefined);
  assert.match(block({ "proc/sys/user/max_user_namespaces": "0\n" }, true) ?? "", /sysctl user.max_user_namespaces=/);
  assert.match(block({ "proc/sys/kernel/unprivileged_userns_clone": "0\n" }) ?? "", /unprivileged_userns_clone=1/);
  assert.equal(block({ "proc/sys/kernel/unprivileged_userns_clone": "0\n" }, true), undefined);
  const apparmor = { "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n", "proc/self/attr/current": "unconfined\n" };
  assert.match(block(apparmor) ?? "", /userns,/);
  assert.equal(block({ ...apparmor, "etc/apparmor.d/brig": "profile brig {}" }), undefined);
  assert.equal(block({ ...apparmor, "proc/self/attr/current": "brig (unconfined)\n" }), undefined);
});

test("a tool is never taken from a relative folder of PATH, a folder or a file without execute permission", (t) => {
  const root = plantTree(t, "v2-bare-root");
  for (const [folder, mode] of [["a", 0o644], ["b", 0o755]] as const) {
    mkdirSync(join(root, folder));
    writeFileSync(join(root, folder, "nft"), "");
    chmodSync(join(root, folder, "nft"), mode);
  }
  mkdirSync(join(root, "c/nft"), { recursive: true });
  assert.equal(findTool("nft", "b:.:", root), undefined);
  assert.equal(findTool("nft", "/c:/a:/b", root), "/b/nft");
  assert.equal(findTool("sh", ""), findTool("sh", "/usr/sbin"), "the system's folders are searched without PATH");
});
