import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makePerson, until } from "../sandbox/stage.js";
import { busyboxRoot } from "./busybox-root.js";

function stage(t: TestContext) {
  const root = busyboxRoot(t);
  if (root === undefined) return undefined;
  const data = mkdtempSync("/tmp/brig-container-kills-");
  chmodSync(data, 0o755);
  let end = (): void => undefined;
  t.after(() => end());
  const who = process.getuid?.() === 0 ? "root" : "user";
  const person = makePerson(t, who, { BRIG_DATA: data });
  if (who === "root") spawnSync("chown", ["-hR", "0:0", root]);
  const docker = (...words: string[]) => person.brig("docker", ...words);
  const list = (): string[] => docker("ps", "-aq", "--no-trunc").stdout.split("\n").filter(Boolean);
  end = () => {
    const left = list();
    if (left.length > 0) docker("rm", "-f", ...left);
    rmSync(data, { recursive: true, force: true });
  };
  return { ...person, data, root, docker, list };
}

test("twenty that run at once do not clash, and leave nothing", async (t) => {
  const at = stage(t);
  if (!at) return;
  const ended = await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const child = at.start("docker", "run", "--rm", "--rootfs", "--network", "none", at.root, "sh", "-c", `exit ${index}`);
    return await new Promise<number | null>((resolve) => child.once("exit", resolve));
  }));
  assert.deepEqual(ended, Array.from({ length: 20 }, (_, index) => index));
  assert.deepEqual(at.list(), []);
  assert.deepEqual(readdirSync(`${at.data}/containers`).filter((name) => !/^\.(names|places)$/.test(name)), []);
  assert.deepEqual(readdirSync(`${at.data}/containers/.names`), []);
});

test("commands killed at any moment leave containers whole or gone, and the next ones work", async (t) => {
  const at = stage(t);
  if (!at) return;
  for (let count = 0; count < 16; count++) {
    const child = spawn(at.prefix[0]!, [...at.prefix.slice(1), "docker", "run", "-d", "--rootfs", "--network", "none", at.root, "sleep", "100"], { cwd: at.home, env: { PATH: process.env["PATH"], HOME: at.home, XDG_RUNTIME_DIR: at.home, BRIG_DATA: at.data, BRIG_NO_CACHE: "1" }, stdio: "ignore", detached: true });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await Promise.race([sleep(20 + count * 20), ended]);
    if (child.exitCode === null) process.kill(-child.pid!, "SIGKILL");
    await ended;
    for (const id of at.list()) {
      assert.equal(at.docker("inspect", id).status, 0, "what is listed is whole");
      assert.equal(at.docker("rm", "-f", id).status, 0);
    }
  }
  assert.equal(at.docker("run", "--rm", "--rootfs", "--network", "none", at.root, "echo", "works").stdout, "works\n");
  await until("nothing is left", () => at.list().length === 0);
  const listLeft = (): string[] => readdirSync(`${at.data}/containers`).filter((name) => !/^\.(names|places)$/.test(name));
  // whose maker was killed before there was a container is as good as old
  for (const name of listLeft()) utimesSync(`${at.data}/containers/${name}`, 0, 0);
  at.list();
  const left = listLeft();
  assert.deepEqual(left, []);
});
