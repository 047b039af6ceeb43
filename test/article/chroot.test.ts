import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { bothWays, brig, isRoot, makeFolder, needsRoot, run } from "./brig.js";

/** A root with bash, ls, id and pwd, and the libraries that ldd lists, as the article makes it by hand. */
function makeRoot(t: TestContext): string {
  const root = makeFolder(t);
  const copy = (path: string) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  };
  for (const program of ["/bin/bash", "/bin/ls", "/bin/pwd", "/bin/cat", "/usr/bin/id"]) {
    copy(program);
    for (const [library] of run("ldd", [program]).stdout.matchAll(/\/lib\S+/g)) copy(library);
  }
  for (const folder of ["etc", "proc", "dev", "tmp"]) mkdirSync(join(root, folder));
  symlinkSync("bash", join(root, "bin/sh"));
  writeFileSync(join(root, "etc/passwd"), "inner:x:77:88::/:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "inner:x:88:\nwheel:x:10:inner\n");
  return root;
}

test("chroot DIR /bin/bash: a shell whose / is the folder, and little else to run than ls", (t) => {
  if (needsRoot(t)) return;
  const root = makeRoot(t);
  const { stdout, stderr, status } = brig(["chroot", root, "/bin/bash", "-c", "pwd; ls -d /*; vi"]);
  assert.deepEqual(stdout.trim().split("\n").slice(0, 4), ["/", "/bin", "/dev", "/etc"]);
  assert.match(stderr, /vi: command not found/);
  assert.equal(status, 127);
});

test("what chroot does is what the real one does", (t) => {
  if (needsRoot(t)) return;
  const root = makeRoot(t);
  const cases = [
    [root, "/usr/bin/id"], ["--userspec=inner", root, "/usr/bin/id"], ["--userspec=54321:6", root, "/usr/bin/id"],
    ["--groups=7,wheel", root, "/usr/bin/id"], ["--userspec=:wheel", root, "/usr/bin/id"], ["--userspec=nosuch", root, "id"], ["--skip-chdir", "/", "pwd"], [root, "pwd"],
    [root, "sh", "-c", "echo hi; exit 3"], [root, "no-such"], [root, "/etc/passwd"], ["/no/such/root", "true"], ["/etc/passwd", "true"], [root, "sh", "-c", "kill -15 $$"],
    ["--userspec=nobody.nogroup", "/", "id"],
  ];
  for (const words of cases) {
    const { ours, real } = bothWays(["chroot", ...words]);
    assert.deepEqual(ours, real, words.join(" "));
  }
});

test("a user that only the host knows gets none of the new root's groups", (t) => {
  if (needsRoot(t)) return;
  // coreutils 9.1 gives those of whoever stands last in the root's passwd: the name is read from reused memory.
  assert.equal(brig(["chroot", "--userspec=5:6", makeRoot(t), "/usr/bin/id"]).stdout, "uid=5 gid=6 groups=6\n");
});

test("without a command the shell of the caller starts, with -i", (t) => {
  if (needsRoot(t)) return;
  const how = { env: { SHELL: "/bin/sh" }, input: "pwd; echo $-; exit 5\n" };
  const { stdout, status } = brig(["chroot", makeRoot(t)], how);
  assert.match(stdout, /^\/\n\S*i/);
  assert.equal(status, 5);
});

test("an ordinary user is refused with the kernel's answer", (t) => {
  if (!isRoot) t.diagnostic("run as an ordinary user throughout");
  const { ours, real } = bothWays(["chroot", "/", "true"], { ordinary: true });
  assert.deepEqual(ours, real);
});

test("a link in the root's /etc does not make the host's names the root's", (t) => {
  if (needsRoot(t)) return;
  const root = makeRoot(t);
  run("rm", [join(root, "etc/passwd")]);
  symlinkSync("../../../../../../etc/passwd", join(root, "etc/passwd"));
  const { ours, real } = bothWays(["chroot", "--userspec=inner", root, "/usr/bin/id"]);
  assert.deepEqual(ours, real);
});

test("chroot --hardened: the same root, and no host process, network, root or device behind it", (t) => {
  if (needsRoot(t)) return;
  const root = makeRoot(t);
  mkdirSync(join(root, "var"));
  run("rmdir", [join(root, "proc"), join(root, "dev")]); // as in the article: nothing to mount on
  const script = "pwd; cat /proc/self/uid_map; cat /proc/net/dev; cat /proc/self/status";
  const { stdout, stderr, status } = brig(["chroot", "--hardened", root, "/bin/bash", "-c", script]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^\/\n/);
  assert.doesNotMatch(stdout, /^\s+0\s+0\s+4294967295$/m);
  assert.doesNotMatch(stdout, /eth0/);
  assert.match(stdout, /^NoNewPrivs:\s+1$/m);
  assert.match(stdout, /^Seccomp:\s+2$/m);
  assert.match(stdout, /^CapBnd:\s+0+$/m);
  assert.match(stdout, /^NSpid:.*\s\d$/m);
});
