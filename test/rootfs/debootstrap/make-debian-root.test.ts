import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { findTool } from "../../../src/host/tools.js";
import { findLauncher } from "../../../src/launch/find-launcher.js";

interface Person {
  home: string;
  uid: number;
  /** The first of the subordinate groups. */
  groups: number;
  /** Begins with what makes the words that user's. */
  words: string[];
  env: NodeJS.ProcessEnv;
}

/** An account with subordinate ids that is gone with the test. */
function makeAccount(t: TestContext): Person | undefined {
  if (process.geteuid?.() !== 0 || ["mmdebstrap", "newuidmap", "useradd", "setpriv"].some((name) => findTool(name) === undefined)) {
    t.skip("needs root, mmdebstrap, uidmap and passwd");
    return undefined;
  }
  const name = `brig-t-${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), "brig-debootstrap-"));
  t.after(() => {
    spawnSync("userdel", [name]);
    spawnSync("rm", ["-rf", home]);
  });
  assert.equal(spawnSync("useradd", ["--no-create-home", "--home-dir", home, name]).status, 0);
  const findRange = () => new RegExp(`^${name}:(\\d+):`, "m").exec(readFileSync("/etc/subgid", "utf8"))?.[1];
  if (findRange() === undefined) assert.equal(spawnSync("usermod", ["--add-subuids", "800000-865535", "--add-subgids", "800000-865535", name]).status, 0);
  const [uid = 0, gid = 0] = ["-u", "-g"].map((option) => Number(spawnSync("id", [option, name], { encoding: "utf8" }).stdout));
  chownSync(home, uid, gid);
  const env = { PATH: "/usr/bin:/bin", HOME: home, XDG_RUNTIME_DIR: home, LANG: "C.UTF-8" };
  return { home, uid, groups: Number(findRange()), env, words: ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", findLauncher()] };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function isAnyoneAt(home: string): boolean {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).some((pid) => {
    try {
      return pid !== String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(home);
    } catch {
      return false;
    }
  });
}

test("an ordinary user makes a Debian root; killed or interrupted, nothing of it is taken for whole, mounted or running", async (t) => {
  const person = makeAccount(t);
  if (!person) return;
  const { home, uid, groups, env, words } = person;
  const [program = "", ...drop] = words;
  const dir = join(home, "deb");
  const start = () => spawn(program, [...drop, "rootfs", "debootstrap", "--variant", "essential", dir], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    const before = readdirSync(home);
    const child = start();
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    for (let waited = 0; !readdirSync(home).some((name) => name.startsWith("deb.brig-part-") && !before.includes(name)) && waited < 20_000; waited += 50) await sleep(50);
    await sleep(Math.random() * 1500);
    process.kill(-child.pid!, signal);
    const status = await ended;
    for (let waited = 0; isAnyoneAt(home) && waited < 5000; waited += 50) await sleep(50);
    assert.ok(!isAnyoneAt(home), `something still runs after ${signal}`);
    assert.ok(!existsSync(dir));
    assert.ok(!readFileSync("/proc/self/mountinfo", "utf8").includes(home));
    if (signal === "SIGINT") assert.deepEqual([status, readdirSync(home).filter((name) => name.includes("part"))], [130, []]);
  }
  const made = spawnSync(program, [...drop, "rootfs", "debootstrap", "--variant", "essential", "--json", dir], { env, encoding: "utf8", timeout: 300_000 });
  assert.equal(made.status, 0, made.stderr);
  assert.deepEqual(JSON.parse(made.stdout), { dir, suite: "bookworm", arch: made.stdout.includes("amd64") ? "amd64" : "arm64", variant: "essential", tool: "mmdebstrap", include: [] });
  assert.match(made.stderr, /^brig: deb: reading the lists of packages\nbrig: deb: downloading packages\n/);
  assert.deepEqual(readdirSync(home).filter((name) => name.startsWith("deb")), ["deb"]);
  assert.equal(statSync(dir).uid, uid);
  assert.equal(statSync(join(dir, "var/mail")).gid, groups + 7);
  const brig = (...more: string[]) => spawnSync(program, [...drop, ...more], { env, encoding: "utf8", cwd: home });
  assert.equal(brig("rootfs", "check", dir).status, 0, brig("rootfs", "check", dir).stdout);
  assert.match(brig("run", "--root", dir, "--", "sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME").stdout, /^bookworm$/m);
  const again = brig("rootfs", "debootstrap", dir);
  assert.match(again.stderr, /is there already/);
  assert.equal(brig("clone", dir, join(home, "copy")).status, 0);
  assert.equal(statSync(join(home, "copy/var/mail")).gid, groups + 7);
  const compared = brig("diff", dir, join(home, "copy"));
  assert.deepEqual([compared.stdout, compared.stderr], ["", ""]);
});

test("what cannot be made is told, and leaves nothing", (t) => {
  if (process.geteuid?.() !== 0 || findTool("debootstrap") === undefined || findTool("mmdebstrap") === undefined) return t.skip("needs root, mmdebstrap and debootstrap");
  const folder = mkdtempSync(join(tmpdir(), "brig-debootstrap-"));
  t.after(() => spawnSync("rm", ["-rf", folder]));
  for (const tool of ["mmdebstrap", "debootstrap"]) {
    const failed = spawnSync(findLauncher(), ["rootfs", "debootstrap", "--tool", tool, "--mirror", `file://${folder}/none`, join(folder, "deb")], { encoding: "utf8" });
    assert.equal(failed.status, 125, tool);
    assert.match(failed.stderr, new RegExp(`${tool} could not make`));
    assert.match(failed.stderr, /hint: /);
    const typed = spawnSync(findLauncher(), ["rootfs", "debootstrap", "--arch=amd64", "--tool", tool, "unstable", `${join(folder, "deb")}/`, `file://${folder}/none`], { encoding: "utf8" });
    assert.match(typed.stderr, new RegExp(`hint: does file://${folder}/none have unstable for amd64`));
  }
  assert.match(spawnSync(findLauncher(), ["rootfs", "debootstrap", "--suite", "sid", "unstable", join(folder, "deb")], { encoding: "utf8" }).stderr, /both say the suite/);
  assert.deepEqual(readdirSync(folder), []);
});
