import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../../fast-check.js";
import { type Answer, isRoot, needsBwrap, normalise, runBrig, runReal } from "./both.js";

/** What the program sees: names, kinds, modes, what can be written, mounts, environment. */
const LOOK = `
for d in /a /a/b /c /c/d /tmp; do [ -d $d ] && for f in $d $d/*; do stat -c '%n %F %a' "$f" 2>/dev/null; done; [ -d $d ] && (: > $d/w) 2>/dev/null && echo "writes $d"; done
readlink /a/l /c/l; cat /a/f /c/f 2>/dev/null
grep -E "^(Uid|Gid|Cap|NoNewPrivs)" /proc/self/status 2>/dev/null
cut -d' ' -f5,6 /proc/self/mountinfo 2>/dev/null | grep -E "^/(a|c|tmp|dev)" | sort
hostname; pwd; echo "$X $Y"; ls /proc/self/fd 2>/dev/null | tr '\\n' ' '
`;

const scratch = mkdtempSync(join(tmpdir(), "brig-bwrap-random-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
chmodSync(scratch, 0o755);

/** Folders of the host that the words name: everybody's, and one that only its owner may write. */
const OPEN = join(scratch, "open");
const CLOSED = join(scratch, "closed");

/** What one of the two wrote there is gone before the other starts. */
function plantFolders(): void {
  for (const [folder, mode] of [[OPEN, 0o777], [CLOSED, 0o755]] as const) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, "b"), { recursive: true });
    writeFileSync(join(folder, "f"), `in ${mode}\n`);
    chmodSync(folder, mode);
  }
}

const place = fc.constantFrom("/a", "/a/b", "/c", "/c/d", "/tmp");
const modifier = fc.constantFrom<string[]>([], [], ["--perms", "0700"], ["--perms", "0711"], ["--perms", "0770"]);
const data = fc.constantFrom("3", "4");

const operation: fc.Arbitrary<string[]> = fc.oneof(
  fc.tuple(modifier, place).map(([perms, path]) => [...perms, "--dir", path]),
  fc.tuple(modifier, place).map(([perms, path]) => [...perms, "--tmpfs", path]),
  fc.tuple(fc.constantFrom("--ro-bind", "--bind", "--dev-bind", "--ro-bind-try"), fc.constantFrom(OPEN, CLOSED, "/dev/pts", "/etc/hostname", "/nope"), place).map((words) => words),
  fc.tuple(fc.constantFrom("/a", "/c")).map(([folder]) => ["--symlink", "there", `${folder}/l`]),
  fc.tuple(modifier, fc.constantFrom("--file", "--bind-data", "--ro-bind-data"), data, fc.constantFrom("/a/f", "/c/f")).map(([perms, kind, fd, path]) => [...perms, kind, fd, path]),
  place.map((path) => ["--remount-ro", path]),
  fc.tuple(fc.constantFrom("0700", "0755", "01777"), place).map(([mode, path]) => ["--chmod", mode, path]),
  fc.constantFrom<string[]>(["--dev", "/dev"], ["--setenv", "X", "1"], ["--setenv", "Y", "2"], ["--unsetenv", "X"], ["--clearenv", "--setenv", "PATH", "/usr/bin"], ["--chdir", "/a"], ["--mqueue", "/c"]),
);

const walls = fc.subarray(["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--new-session", "--die-with-parent"]);
/** Made first: bwrap 0.8 gives the missing parents of a bind 0700, against its manual. */
const FOLDERS = ["/tmp", "/a", "/a/b", "/c", "/c/d"].flatMap((path) => ["--dir", path]);
const BASE = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", ...FOLDERS];

/** No link and no file twice: 0.8 refuses the second, links since 0.9 may be made again. */
const nameOf = (words: string[]): string => (/-data|--file/.test(words.join(" ")) ? words.at(-1)! : words.join(" "));

/** How the two describe a failure may differ where the kernel is asked in another way; that there is one may not. */
function compare(words: string[], ordinary: boolean): void {
  const how = { ordinary, data: ["one\n", "two\n"], env: { X: "0" } };
  const [ours, real] = [runBrig, runReal].map((run) => {
    plantFolders();
    return normalise(run(words, how));
  }) as [Answer, Answer];
  assert.deepEqual({ status: ours.status, stdout: ours.stdout }, { status: real.status, stdout: real.stdout }, `bwrap ${words.join(" ")}\n${ours.stderr}\n${real.stderr}`);
  assert.equal(ours.stderr === "", real.stderr === "");
}

for (const ordinary of [false, true])
  test(`for any list of words a program of ${ordinary ? "an ordinary user" : "root"} sees the same as in bwrap`, { timeout: 180_000 }, (t) => {
    if (needsBwrap(t) || (!ordinary && !isRoot)) return;
    const property = fc.property(walls, fc.uniqueArray(operation, { maxLength: 6, selector: nameOf }), (unshared, operations) => {
      compare([...BASE, ...unshared, ...operations.flat(), "sh", "-c", LOOK], ordinary);
    });
    fc.assert(property, { numRuns: Number(process.env.BRIG_RANDOM_RUNS ?? 50), endOnFailure: true });
  });
