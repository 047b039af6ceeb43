import assert from "node:assert/strict";
import { test } from "node:test";
import { type How, isRoot, needsBwrap, normalise, runBrig, runReal } from "./both.js";

const ROOT = ["--ro-bind", "/", "/"];
const OWN_ROOT = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin"];
const STATUS = 'grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp)" /proc/self/status; umask; pwd; echo $PWD; ls /proc/self/fd';

/** Allows all calls but uname(2), which is answered with errno 99. */
const FILTER = (() => {
  const program: [number, number, number, number][] = [[0x20, 0, 0, 0], [0x15, 0, 1, process.arch === "arm64" ? 160 : 63], [6, 0, 0, 0x50000 + 99], [6, 0, 0, 0x7fff0000]];
  const bytes = Buffer.alloc(32);
  program.forEach(([code, yes, no, k], index) => {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.set([yes, no], 8 * index + 2);
    bytes.writeUInt32LE(k, 8 * index + 4);
  });
  return bytes;
})();

const CASES: { words: string[]; how?: How }[] = [
  { words: [...ROOT, "sh", "-c", STATUS] },
  ...[
    "--unshare-user", "--unshare-all", "--dev /dev", "--unshare-user --dev /dev", "--unshare-user --disable-userns", "--unshare-all --share-net",
    "--cap-drop ALL --cap-add CAP_KILL", "--unshare-user --cap-add CAP_KILL --cap-add cap_setuid", "--unshare-user --uid 0 --gid 0",
    "--unshare-user --cap-drop ALL", "--unshare-user --uid 7 --gid 9 --hostname x --unshare-uts", "--unshare-pid --as-pid-1", "--new-session --die-with-parent",
    "--chdir /usr", "--chdir usr", "--tmpfs /tmp --setenv HOME /usr", "--unshare-user-try --unshare-cgroup-try",
  ].map((words) => ({ words: [...ROOT, ...words.split(" "), "sh", "-c", STATUS] })),
  { words: [...OWN_ROOT, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--unshare-all", "sh", "-c", "ls -ln / /dev /dev/pts | grep -v proc; touch /usr/x; touch /tmp/x && ls /tmp"] },
  { words: [...OWN_ROOT, "--dir", "/a", "--dir", "/a/b", "/usr/bin/find", "/a", "-printf", "%m %p\\n"] },
  { words: [...ROOT, "--tmpfs", "/tmp", "--file", "3", "/tmp/f", "--perms", "0700", "--file", "4", "/tmp/g", "sh", "-c", "cd /tmp; stat -c %a:%n *; cat f g; ls /proc/self/fd"], how: { data: ["one\n", "two\n"] } },
  { words: [...ROOT, "--tmpfs", "/tmp", "--perms", "0750", "--dir", "/tmp/a/b/c", "--perms", "0700", "--tmpfs", "/tmp/x/y", "--ro-bind-data", "3", "/tmp/k/g", "--chmod", "0711", "/tmp/x", "sh", "-c", 'cd /tmp; find . -printf "%m %p\\n" | sort; cat k/g; echo z > k/g'], how: { data: ["data\n"] } },
  { words: [...ROOT, "--tmpfs", "/tmp", "--bind-data", "3", "/tmp/g", "sh", "-c", "echo z > /tmp/g; cat /tmp/g"], how: { data: ["data\n"] } },
  { words: [...ROOT, "--seccomp", "3", "uname"], how: { data: [FILTER] } },
  { words: [...ROOT, "--seccomp", "3", "uname"], how: { data: ["12345"] } },
  { words: [...ROOT, "--add-seccomp-fd", "3", "--add-seccomp-fd", "4", "sh", "-c", "uname; grep Seccomp /proc/self/status"], how: { data: [FILTER, FILTER] } },
  { words: ["--args", "3", "sh", "-c", "echo $X; ls /tmp; pwd; ls /proc/self/fd"], how: { data: ["--ro-bind\0/\0/\0--tmpfs\0/tmp\0--setenv\0X\0y z\0"] } },
  { words: [...ROOT, "--unshare-all", "--info-fd", "3", "true"], how: { data: [""] } },
  { words: [...ROOT, "--unshare-all", "--json-status-fd", "3", "sh", "-c", "exit 5"], how: { data: [""] } },
  { words: [...ROOT, "--json-status-fd", "3", "--info-fd", "4", "sh", "-c", "kill -9 $$"], how: { data: ["", ""] } },
  { words: [...ROOT, "--json-status-fd", "3", "/nope"], how: { data: [""] } },
  { words: [...ROOT, "--unshare-pid", "--sync-fd", "3", "ls", "/proc/self/fd"], how: { data: ["", ""] } },
  { words: [...ROOT, "--block-fd", "3", "echo", "hi"], how: { data: ["x"] } },
  { words: [...ROOT, "--lock-file", "/etc/passwd", "true"] },
  { words: [...ROOT, "--setenv", "A", "1", "--clearenv", "--setenv", "B", "2", "env"] },
  { words: [...ROOT, "--setenv", "A", "1", "--unsetenv", "HOME", "sh", "-c", "env | sort | grep -v BRIG"] },
  { words: [...ROOT, "--bind-try", "/nope", "/nope", "--ro-bind-try", "/usr", "/mnt", "ls", "/mnt"] },
  { words: [...ROOT, "--tmpfs", "/tmp", "--remount-ro", "/tmp", "touch", "/tmp/a"] },
  { words: [...ROOT, "--unshare-ipc", "--mqueue", "/mnt", "ls", "-a", "/mnt"] },
  { words: [...ROOT, "--size", "65536", "--tmpfs", "/tmp", "sh", "-c", "head -c 100000 /dev/zero > /tmp/x; stat -c %s /tmp/x"] },
  { words: [...ROOT, "--unshare-uts", "--hostname", "foo", "hostname"] },
  { words: [...ROOT, "--unshare-net", "cat", "/proc/net/dev"] },
  { words: [...ROOT, "--cap-add", "CAP_SYS_ADMIN", "--unshare-user", "--disable-userns", "unshare", "-U", "true"] },
  { words: [...ROOT, "--", "sh", "-c", "exit 7"] },
  { words: [...ROOT, "sh", "-c", "kill -15 $$"] },
  ...[
    "--bind /nope /x true", "/nope", "nopeprog", "/etc/passwd", "--tmpfs /nodir true", "--chdir /nope true", "--bind /etc/passwd /mnt true", "--bind /etc /etc/passwd true",
    "--dir /etc/passwd true", "--symlink a /etc/passwd true", "--lock-file /nope true", "--chmod 0777 /nope true", "--assert-userns-disabled true", "--setenv PATH /nope true",
    "--file 88 /tmp/zz true", "--seccomp 88 true",
  ].map((words) => ({ words: [...ROOT, ...words.split(" ")] })),
];

for (const ordinary of [false, true])
  for (const { words, how } of CASES)
    test(`${ordinary ? "an ordinary user" : "root"} gets the same from brig as from bwrap for ${words.join(" ").slice(0, 140)}`, (t) => {
      if (needsBwrap(t) || (!ordinary && !isRoot)) return;
      const asked = { ...how, ordinary };
      assert.deepEqual(normalise(runBrig(words, asked)), normalise(runReal(words, asked)));
    });
