import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { compileSeccomp } from "../../../src/plan/seccomp/compile.js";
import { type DefaultSeccompOptions, defaultSeccomp } from "../../../src/plan/seccomp/default.js";
import { readSyscalls } from "../../../src/plan/seccomp/tables.js";
import type { Seccomp } from "../../../src/spec/oci.js";
import { Programs } from "./programs.js";

const programs = new Programs();
const probe = programs.compile("probe");
after(() => programs.remove());
const skip = !probe ? "no C compiler or static C library" : process.arch === "x64" ? false : "the calls are those of x86-64";
const NOBODY = 65534;
if (probe) chmodSync(programs.folder, 0o755);

const [EPERM, ENOSYS, EBADF, EFAULT, ENOTTY] = [-1, -38, -9, -14, -25];
const HIGH = 2 ** 32;

type Call = [string | number, ...number[]];

function run(seccomp: Seccomp, words: string[], identity: { uid?: number; gid?: number } = {}): SpawnSyncReturns<string> {
  const { program, flags } = compileSeccomp(seccomp);
  const file = programs.write("program", program);
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  return spawnSync(probe!, [file, String(flags), ...words], { encoding: "utf8", input: "", env, timeout: 60_000, ...identity });
}

function write([call, ...args]: Call): string {
  return [typeof call === "number" ? call : readSyscalls("x64").get(call)!, ...args].join();
}

/** What each call gave, in order. */
function answers(options: DefaultSeccompOptions, calls: Call[], identity = {}): number[] {
  const { stdout, stderr, status } = run(defaultSeccomp(options), calls.map(write), identity);
  assert.equal(status, 0, stderr);
  return stdout.trim().split("\n").map(Number);
}

const identities = process.getuid?.() === 0 ? ([["root", {}], ["an ordinary user", { uid: NOBODY, gid: NOBODY }]] as const) : ([["this user", {}]] as const);

for (const [who, identity] of identities)
  describe(`under brig's default, the kernel tells ${who}`, { skip }, () => {
    const refuses = (what: string, error: number, ...calls: Call[]): Promise<void> =>
      test(what, () => assert.deepEqual(answers({}, calls, identity), calls.map(() => error)));

    refuses("that typing into a terminal is refused, whatever is in the upper half of the command", EPERM, ["ioctl", 0, 0x5412, 0], ["ioctl", 0, 0x5412 + HIGH, 0], ["ioctl", 0, 0x541c, 0], ["ioctl", 0, 0x541c + 7 * HIGH, 0]);
    refuses("that other ioctls are fine, but this is no terminal", ENOTTY, ["ioctl", 0, 0x5401, 0], ["ioctl", 0, 0x5413, 0], ["ioctl", 0, 0x5410, 0], ["ioctl", 0, 0x541e, 0], ["ioctl", 0, 0x5413 + HIGH, 0]);
    refuses("that new namespaces are refused", EPERM, ["clone", 0x10000011], ["clone", 0x40000011], ["clone", 0x20011], ["clone", 0x10000011 + HIGH], ["unshare", 0x10000000], ["setns", 0, 0]);
    refuses("that clone3 does not exist, so that libcs go back to clone", ENOSYS, ["clone3", 0, 0]);
    refuses("that x32 does not exist", ENOSYS, [0x40000000 + 39], [0x40000000 + 520], [0x40000000 + 1, 1, 0, 0], [-1]);
    refuses("that calls of the future do not exist", ENOSYS, [471], [600], [4000]);
    refuses("that families of sockets beyond the usual are refused", EPERM, ["socket", 38, 5, 0], ["socket", 38 + HIGH, 5, 0], ["socket", 40, 1, 0], ["socket", 17, 3, 0], ["socket", 16, 3, 12], ["socket", 16, 3, 12 + HIGH], ["socketpair", 30, 1, 0, 0]);
    refuses("that calls with a history of holes are refused", EPERM, ["bpf", 0, 0, 0], ["io_uring_setup", 1, 0], ["userfaultfd", 0], ["perf_event_open", 0], ["keyctl", 0], ["add_key", 0], ["request_key", 0], ["kexec_load", 0], ["modify_ldt", 0], ["init_module", 0]);
    refuses("that mounts are refused", EPERM, ["mount", 0, 0, 0, 0], ["umount2", 0], ["pivot_root", 0, 0], ["open_tree", 0], ["move_mount", 0], ["fsopen", 0], ["mount_setattr", 0]);
    refuses("that other personalities are refused", EPERM, ["personality", 0x40000], ["personality", 0x400000]);

    test("that what programs need works", () => {
      const calls: Call[] = [["clone", 17], ["socket", 1, 1, 0], ["socket", 2, 1, 0], ["socket", 2 + HIGH, 1, 0], ["socket", 10, 2, 0], ["socket", 16, 3, 0], ["personality", 0xffffffff], ["personality", -1], ["getpid"]];
      for (const [index, answer] of answers({}, calls, identity).entries()) assert.ok(answer >= 0, `${calls[index]}: ${answer}`);
    });

    test("that 32-bit calls kill", () => {
      const { signal, stdout } = run(defaultSeccomp(), [write(["getpid"]), "32:20", write(["getpid"])], identity);
      assert.equal(signal, "SIGSYS");
      assert.equal(stdout.trim().split("\n").length, 1);
    });
  });

describe("options open and close what they say:", { skip }, () => {
  test("compat admits 32-bit calls, by their own numbers and as carefully", (t) => {
    const { stdout, signal } = run(defaultSeccomp({ compat: true }), ["32:20", "32:120,0x10000011", "32:102,1,0", "32:54,0,0x5412", "32:435,0", "32:359,38,5,0", "32:4000"]);
    if (signal === "SIGSEGV") return t.skip("this kernel has no 32-bit calls");
    const [pid, ...refused] = stdout.trim().split("\n").map(Number);
    assert.ok(pid! > 0);
    assert.deepEqual(refused, [EPERM, EPERM, EPERM, ENOSYS, EPERM, ENOSYS]);
  });

  test("without setuid files no call sets the bits, and each works without them", () => {
    const calls: Call[] = [["chmod", 0, 0o4755], ["fchmod", 99, 0o2755], ["fchmodat", 99, 0, 0o6755], ["fchmod", 99, 0o4755 + HIGH], ["mknod", 0, 0o104755], ["mknodat", 99, 0, 0o102755], ["creat", 0, 0o4755], ["open", 0, 0o100, 0o4755], ["openat", 99, 0, 0o100, 0o4755], ["openat", 99, 0, 0o20200000 + 2, 0o4755]];
    assert.deepEqual(answers({ setuidFiles: false }, calls), calls.map(() => EPERM));
    assert.deepEqual(answers({ setuidFiles: false }, [["fchmodat2", 99, 0, 0o4755, 0], ["openat2", 99, 0, 0, 0]]), [ENOSYS, ENOSYS]);
    const plain: Call[] = [["chmod", 0, 0o1755], ["fchmod", 99, 0o755], ["creat", 0, 0o755], ["open", 0, 0o100, 0o755], ["open", 0, 0, 0o4755]];
    assert.deepEqual(answers({ setuidFiles: false }, plain), [EFAULT, EBADF, EFAULT, EFAULT, EFAULT]);
    assert.deepEqual(answers({}, [["fchmod", 99, 0o4755], ["chmod", 0, 0o4755]]), [EBADF, EFAULT]);
  });

  test("nested namespaces open clone, clone3 and mounts, but no terminal", () => {
    const [clone3, unshare, umount, terminal] = answers({ nestedNamespaces: true }, [["clone3", 0, 0], ["unshare", 0], ["umount2", 0, 0], ["ioctl", 0, 0x5412, 0]]);
    assert.deepEqual([clone3, unshare, terminal], [-22, 0, EPERM]);
    assert.ok(umount === EFAULT || umount === EPERM);
  });

  test("a kept capability opens the calls that need it", () => {
    const keep = (name: string): DefaultSeccompOptions => ({ capabilities: new Set([name]) });
    assert.deepEqual(answers(keep("CAP_SYS_ADMIN"), [["setns", 99, 0], ["clone3", 0, 0]]), [EBADF, -22]);
    assert.deepEqual(answers(keep("CAP_SYS_CHROOT"), [["chroot", 0], ["setns", 99, 0]]), [EFAULT, EPERM]);
    assert.notEqual(answers(keep("CAP_NET_RAW"), [["socket", 17, 99, 0]])[0], EPERM);
  });
});

test("the kernel takes a program with far jumps and long chains of compares", { skip }, () => {
  const names = [...readSyscalls("x64").keys()].filter((name) => !["write", "exit_group", "getpid"].includes(name));
  const syscalls = names.slice(0, 90).map((name, nr) => ({
    names: [name],
    action: "SCMP_ACT_ERRNO" as const,
    errnoRet: nr + 1,
    args: [0, 1, 2, 3].map((index) => ({ index, op: "SCMP_CMP_GT" as const, value: (BigInt(nr + 1) << 33n) + BigInt(index) })),
  }));
  const tried = names.indexOf("madvise");
  const { stdout, stderr } = run({ defaultAction: "SCMP_ACT_ALLOW", syscalls }, ["28,0x7fffffffffff,0x7fffffffffff,0x7fffffffffff,0x7fffffffffff", "28,1,1,0x7fffffffffff,1", "39"]);
  const [refused, allowed, pid] = stdout.trim().split("\n").map(Number);
  assert.equal(refused, -(tried + 1), stderr);
  assert.equal(allowed, -22);
  assert.ok(pid! > 0);
});

describe("ordinary programs run under the default:", { skip }, () => {
  const source = join(programs.folder, "hello.c");
  const binary = join(programs.folder, "hello");
  const compile = `gcc -O2 -pthread -o ${binary} ${source} && ${binary}`;
  if (!skip) writeFileSync(source, '#include <pthread.h>\n#include <stdio.h>\nstatic void *f(void *x) { return x; }\nint main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); puts("ok"); }\n');
  const python = "import threading, subprocess, socket, multiprocessing as m, tempfile, os\nt=threading.Thread(target=print, args=('',), kwargs={'end':''}); t.start(); t.join()\nsocket.getaddrinfo('127.0.0.1', 80); socket.if_nameindex()\nm.Queue(); os.chmod(tempfile.mkdtemp(), 0o700)\nprint(subprocess.check_output(['echo', 'ok'], text=True).strip())";
  const node = "const {Worker}=require('worker_threads'); require('os').networkInterfaces(); new Worker('', {eval: true}).on('exit', () => console.log(require('child_process').execSync('echo ok').toString().trim()))";
  const cases: [string, string[]][] = [
    ["sh", ["sh", "-c", "echo ok | cat & wait"]],
    ["bash", ["bash", "-c", "coproc cat; echo ok >&${COPROC[1]}; read -u ${COPROC[0]} x; echo $x"]],
    ["python3", ["python3", "-c", python]],
    ["node", ["node", "-e", node]],
    ["perl", ["perl", "-e", 'print `echo ok`']],
    ["gcc", ["sh", "-c", compile]],
    ["java", ["sh", "-c", "java -version 2>/dev/null && echo ok"]],
    ["go", ["sh", "-c", "go version >/dev/null && echo ok"]],
    ["strace", ["sh", "-c", "strace -f -o /dev/null sh -c 'echo ok; :'"]],
  ];
  for (const [name, words] of cases)
    for (const setuidFiles of [true, false])
      test(`${name}${setuidFiles ? "" : ", without setuid files"}`, (t) => {
        if (spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0) return t.skip(`${name} is not installed`);
        const { stdout, stderr, signal } = run(defaultSeccomp({ setuidFiles }), ["--", ...words]);
        assert.equal(stdout.trim(), "ok", `${signal}: ${stderr}`);
      });
});
