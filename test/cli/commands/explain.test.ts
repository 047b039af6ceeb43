import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findLauncher } from "../../../src/launch/find-launcher.js";
import { startSleep } from "../../explain/start-process.js";

const entry = fileURLToPath(new URL("../../../src/cli/entry.js", import.meta.url));

function brig(...words: string[]): { status: number | null; out: string; err: string } {
  const { BRIG_ENTRY_FD: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  const ran = spawnSync(process.execPath, [entry, ...words], { encoding: "utf8", env, cwd: "/usr" });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

function readWalls(...words: string[]): Map<string, string> {
  const ran = brig("explain", "--json", ...words);
  assert.equal(ran.status, 0, ran.err);
  const { walls } = JSON.parse(ran.out) as { walls: { wall: string; state: string }[] };
  return new Map(walls.map(({ wall, state }) => [wall, state]));
}

test("what brig run would start has no open wall, and each word opens the one it is for", () => {
  const plain = readWalls("--", "true");
  assert.deepEqual([...plain].filter(([, state]) => state === "open"), []);
  const opened = readWalls("--net", "host", "--share", "pid", "--seccomp", "none", "--", "true");
  assert.deepEqual([opened.get("network"), opened.get("processes"), opened.get("system calls")], ["open", "open", "open"]);
  assert.equal(opened.get("IPC"), "closed");
});

test("a running process is explained by the same walls, with a summary", () => {
  const ran = brig("explain", "--pid", String(process.pid));
  assert.equal(ran.status, 0, ran.err);
  assert.match(ran.out, /^root +open +mount namespace the host's \(mnt:\[\d+\]\), the host's root folder$/m);
  assert.match(ran.out, /\n\d+ closed, \d+ narrow, \d+ open/);
  assert.deepEqual([...readWalls("--pid", String(process.pid)).keys()], [...readWalls("--", "true").keys()]);
});

test("an OCI document is explained as it stands", (t) => {
  const folder = mkdtempSync("/tmp/brig-explain-spec-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify({ ociVersion: "1.2.0", root: { path: "/srv" }, process: { cwd: "/", args: ["sh"], user: { uid: 0, gid: 0 } }, linux: { namespaces: [{ type: "mount" }] } }));
  const walls = readWalls("--spec", file);
  assert.deepEqual([walls.get("root"), walls.get("network"), walls.get("gaining privileges")], ["closed", "open", "narrow"]);
});

test("nonsense is refused with one clear error", () => {
  const refused = (words: string[], code: string): void => {
    const ran = brig("explain", "--json", ...words);
    assert.equal(ran.status, 125);
    assert.equal((JSON.parse(ran.err) as { error: { code: string } }).error.code, code, words.join(" "));
  };
  refused(["--pid", "x"], "BRIG_BAD_USAGE");
  refused(["--pid", "1", "--", "ls"], "BRIG_BAD_USAGE");
  refused(["--pid", "1", "--write", "/tmp"], "BRIG_BAD_USAGE");
  refused(["--pid", "4194305"], "BRIG_NO_PROCESS");
  refused(["--nonsense"], "BRIG_BAD_OPTION");
});

test("a sandbox that runs has the walls that were foretold", async (t) => {
  const launcher = findLauncher();
  const options = ["--project", "none", "--memory", "256MiB", "--pids", "50", "--read", "/usr/share"];
  if (spawnSync(launcher, ["run", ...options, "--", "true"], { cwd: "/usr", stdio: "ignore" }).status !== 0) return t.skip("brig run does not work here");
  const pid = await startSleep(t, launcher, ["run", ...options, "--", "sleep", "60"]);
  const foretold = readWalls(...options, "--", "sleep", "60");
  const seen = readWalls("--pid", String(pid));
  assert.equal(seen.get("system calls"), "closed");
  assert.equal(seen.get("memory"), "closed");
  assert.deepEqual([...seen], [...foretold]);
});
