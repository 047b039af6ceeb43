import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../../src/cli/entry.js", import.meta.url));
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function brig(...words: string[]): { status: number | null; out: string; err: string } {
  const ran = spawnSync(process.execPath, [entry, "jail", ...words], { encoding: "utf8", env: { PATH: path } });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-jail-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("the article's jail: bash and ls, a shell whose root is the folder, and the count of what was copied", (t) => {
  const dir = join(makeFolder(t), "chroot");
  const built = brig("build", dir, "bash", "ls");
  assert.match(built.out, /: \d+ files, [\d.]+ MiB: \d+ copied \([\d.]+ MiB\), 0 linked, 0 there already\n$/);
  assert.equal(built.status, 0);
  assert.match(brig("build", dir, "bash", "ls").out, / 0 copied \(0 B\), /);
  if (process.getuid!() !== 0) return;
  const ran = spawnSync("chroot", [dir, "/bin/bash", "-c", "ls /bin"], { encoding: "utf8", env: { PATH: path } });
  assert.equal(ran.stdout, "bash\nls\n");
});

test("check exits with 1 and names what is missing, and 0 when nothing is", (t) => {
  const dir = join(makeFolder(t), "jail");
  brig("build", dir, "ls");
  assert.deepEqual([brig("check", dir).status, brig("check", dir, "ls").status], [0, 0]);
  const folder = join(dir, readlinkSync("/lib") === "usr/lib" ? "usr/lib" : "lib", `${process.arch === "x64" ? "x86_64" : "aarch64"}-linux-gnu`);
  rmSync(join(folder, "libc.so.6"));
  const checked = brig("check", "--json", dir);
  assert.equal(checked.status, 1);
  const report = JSON.parse(checked.out) as { ok: boolean; programs: { missing: { name: string }[] }[] };
  assert.equal(report.ok, false);
  assert.equal(report.programs[0]!.missing[0]!.name, "libc.so.6");
  assert.match(brig("check", dir).out, /missing library +libc\.so\.6/);
});

test("a dry run says what and why, and writes nothing", (t) => {
  const folder = makeFolder(t);
  const { out, status } = brig("build", "--dry-run", join(folder, "jail"), "ls");
  assert.equal(status, 0);
  assert.match(out, /\/usr\/bin\/ls +file .* asked for/);
  assert.match(out, /loader of \/usr\/bin\/ls/);
  assert.deepEqual(readdirSync(folder), []);
});

test("wrong words are one clear error each, and nothing is made", (t) => {
  const dir = join(makeFolder(t), "jail");
  const cases: [string[], string][] = [
    [["build", dir], "BRIG_BAD_USAGE"],
    [["built", dir, "ls"], "BRIG_BAD_USAGE"],
    [["build", "--link", "soft", dir, "ls"], "BRIG_BAD_VALUE"],
    [["build", "--add", "/etc/hosts:relative", dir, "ls"], "BRIG_BAD_VALUE"],
    [["build", dir, "no-such-program"], "BRIG_JAIL_INCOMPLETE"],
    [["check", "--users", dir], "BRIG_BAD_OPTION"],
    [["check", dir], "BRIG_JAIL_NOT_HERE"],
  ];
  for (const [words, code] of cases) {
    const { status, err } = brig("--json", ...words);
    assert.equal(status, 125, err);
    assert.equal((JSON.parse(err) as { error: { code: string } }).error.code, code);
  }
  assert.equal(existsSync(dir), false);
});
