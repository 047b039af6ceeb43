import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, type Identity, openStage, type Stage } from "../walls/stage.js";

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

function findRunFolder(who: Identity): string {
  return who.name === "root" ? "/run/brig" : join(stage.folder, `runtime-${who.name}`, "brig");
}

/** The state folder of the sandbox whose supervisor this is. */
function findState(who: Identity, supervisor: number): string | undefined {
  const folder = findRunFolder(who);
  const name = readdirSync(folder).find((id) => {
    try {
      return readFileSync(join(folder, id, "process"), "utf8").split(" ")[2] === String(supervisor);
    } catch {
      return false;
    }
  });
  return name === undefined ? undefined : join(folder, name);
}

function listCgroups(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n").flatMap((line) => {
    const [, names = "", path = ""] = line.split(":");
    return path.includes("brig-") ? [join("/sys/fs/cgroup", names.replace("name=", "") || "unified", path)] : [];
  });
}

/** Whoever adopted it may be slow to reap it. */
function isGone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").startsWith("Z");
  } catch {
    return true;
  }
}

async function waitUntil(what: string, condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !condition(); await new Promise((done) => setTimeout(done, 10))) assert.ok(Date.now() < end, what);
}

describe("what a killed supervisor leaves", () => {
  for (const who of identities)
    it(`is no process, and the next command removes its folder and cgroups, as ${who.name}`, async () => {
      const child = spawn(stage.brig, ["run", "--name", `swept-${who.name}-${process.pid}`, "--", "sh", "-c", "echo ready; exec sleep 300"], {
        stdio: ["ignore", "pipe", "inherit"], cwd: stage.project(who),
        env: { PATH: process.env["PATH"], HOME: stage.home(who), XDG_RUNTIME_DIR: join(stage.folder, `runtime-${who.name}`) },
        ...(process.getuid?.() === 0 ? { uid: who.uid, gid: who.uid } : {}),
      });
      await new Promise((done) => child.stdout?.once("data", done));
      const supervisor = child.pid ?? 0;
      const init = Number(readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, "utf8"));
      const state = findState(who, supervisor);
      const cgroups = listCgroups(init);
      assert.ok(state !== undefined);
      child.kill("SIGKILL");
      await waitUntil("init goes with its supervisor", () => isGone(init));
      assert.ok(existsSync(state), "nobody is left who could remove it");
      const next = await stage.brigAs(who, ["ps", "--json"]);
      assert.equal(next.code, 0, next.stderr);
      assert.doesNotMatch(next.stdout, new RegExp(`swept-${who.name}`));
      assert.ok(!existsSync(state), "the state folder is swept");
      assert.deepEqual(cgroups.filter((cgroup) => existsSync(cgroup)), []);
      const again = await stage.brigAs(who, ["run", "--name", `swept-${who.name}-${process.pid}`, "--", "echo", "free"]);
      assert.deepEqual([again.stdout, again.code], ["free\n", 0], again.stderr);
    });
});
