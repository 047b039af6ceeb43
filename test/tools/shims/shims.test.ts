import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { listShims, makeShims, removeShims } from "../../../src/tools/shims/shims.js";

const known = ["unshare", "nsenter", "chroot", "netns"];

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-shims-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Stands for brig, and says what it was started with. */
function makeBrig(t: TestContext): string {
  const path = join(makeFolder(t), "it's brig");
  writeFileSync(path, '#!/bin/sh\nprintf "[%s]" "$@"\n');
  chmodSync(path, 0o755);
  return path;
}

test("a shim runs brig with the tool's words as they are", (t) => {
  const folder = makeFolder(t);
  makeShims(folder, known, makeBrig(t));
  const run = (...words: string[]) => spawnSync(join(folder, words[0]!), words.slice(1), { encoding: "utf8" }).stdout;
  assert.equal(run("unshare", "--net", "sh", "-c", 'echo "a  b"', ""), '[unshare][--net][sh][-c][echo "a  b"][]');
  assert.equal(run("ip", "netns", "add", "x"), "[netns][add][x]");
  assert.equal(run("ip", "-all", "netns", "exec", "ls"), "[netns][-all][exec][ls]");
});

test("ip without netns is the real ip", (t) => {
  const real = spawnSync("ip", ["-V"], { encoding: "utf8" });
  if (real.error) return t.skip("ip is not installed");
  const folder = makeFolder(t);
  makeShims(folder, known, makeBrig(t));
  assert.equal(spawnSync(join(folder, "ip"), ["-V"], { encoding: "utf8" }).stdout, real.stdout);
  return undefined;
});

test("only tools whose command this brig has get one", (t) => {
  assert.deepEqual(listShims(makeFolder(t), ["chroot"]), [{ name: "chroot", runs: "brig chroot", state: "missing" }]);
});

test("what brig did not make is neither replaced nor removed, and then nothing is made", (t) => {
  for (const make of [(path: string) => writeFileSync(path, "#!/bin/sh\n"), (path: string) => symlinkSync("/no/such/file", path), (path: string) => symlinkSync("/bin/sh", path)]) {
    const folder = makeFolder(t);
    const path = join(folder, "chroot");
    make(path);
    const before = lstatSync(path).ino;
    assert.throws(() => makeShims(folder, known, "/brig"), { code: "BRIG_SHIM_EXISTS" });
    assert.deepEqual(readdirSync(folder), ["chroot"]);
    assert.deepEqual(removeShims(folder), []);
    assert.equal(lstatSync(path).ino, before);
  }
});

test("shims are renewed in place and removed whole", (t) => {
  const folder = makeFolder(t);
  makeShims(folder, known, "/old/brig");
  makeShims(folder, known, "/new/brig");
  assert.match(readFileSync(join(folder, "unshare"), "utf8"), /exec '\/new\/brig' unshare/);
  writeFileSync(join(folder, "mine"), "");
  assert.deepEqual(removeShims(folder).sort(), ["chroot", "ip", "nsenter", "unshare"]);
  assert.deepEqual(readdirSync(folder), ["mine"]);
});

test("a folder that is not there is said", () => {
  assert.throws(() => makeShims("/no/such/folder", known, "/brig"), { code: "BRIG_NO_SUCH_PATH" });
  assert.equal(existsSync("/no/such/folder"), false);
});
