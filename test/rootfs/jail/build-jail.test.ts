import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { buildJail } from "../../../src/rootfs/jail/build-jail.js";
import { checkJail } from "../../../src/rootfs/jail/check-jail.js";
import { planJail } from "../../../src/rootfs/jail/plan-jail.js";
import { readStart } from "../../../src/rootfs/jail/safe-folder.js";
import type { JailOptions } from "../../../src/rootfs/jail/plan.js";

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const modules = new URL("../../../src/rootfs/jail/", import.meta.url).href;
const root = process.getuid!() === 0;

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-jail-test-"));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function build(t: TestContext, programs: string[], options: JailOptions = {}): Promise<string> {
  const dir = join(makeFolder(t), "jail");
  await buildJail(dir, planJail(programs, { path, ...options }));
  return dir;
}

/** chroot(8), the oracle: what was built must run. */
function enter(dir: string, ...words: string[]): { status: number | null; out: string; err: string } {
  const ran = spawnSync("chroot", [dir, ...words], { encoding: "utf8", env: { PATH: path, LC_ALL: "C" } });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

function compile(t: TestContext, compiler: string, source: string, ...flags: string[]): string | undefined {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "p.c"), source);
  const ran = spawnSync(compiler, [join(folder, "p.c"), "-o", join(folder, "p"), ...flags]);
  return ran.status === 0 ? join(folder, "p") : undefined;
}

test("bash and ls run in a jail made for them, under both names of a merged /usr", async (t) => {
  if (!root) return t.skip("chroot(8) needs root");
  const dir = await build(t, ["bash", "ls"]);
  assert.deepEqual(enter(dir, "/bin/bash", "-c", "ls / && echo $BASH_VERSION >&2").status, 0);
  assert.equal(enter(dir, "/usr/bin/ls", "/usr/bin").out, "bash\nls\n");
  assert.equal(checkJail(dir).ok, true);
});

test("the chain of links that names a program stands in the jail as links", async (t) => {
  const dir = await build(t, ["/bin/sh"]);
  assert.equal(readlinkSync(join(dir, "usr/bin/sh")), readlinkSync("/usr/bin/sh"));
  if (lstatSync("/bin").isSymbolicLink()) assert.equal(readlinkSync(join(dir, "bin")), readlinkSync("/bin"));
  if (root) assert.equal(enter(dir, "/bin/sh", "-c", "echo fine").out, "fine\n");
});

test("python runs with the standard library that --add brings, compiled modules and their libraries included", async (t) => {
  if (!root || !existsSync("/usr/bin/python3")) return t.skip("no root or no Python of the system");
  const version = /python3\.\d+/.exec(spawnSync("readlink", ["-f", "/usr/bin/python3"], { encoding: "utf8" }).stdout)?.[0];
  const dir = await build(t, ["/usr/bin/python3"], { add: [{ source: `/usr/lib/${version}` }] });
  const ran = enter(dir, "/usr/bin/python3", "-c", "import ssl, ctypes, json; print(json.dumps(ssl.OPENSSL_VERSION[:7]))");
  assert.equal(ran.out, '"OpenSSL"\n', ran.err);
});

test("a plan for python says where its standard library is", (t) => {
  if (!existsSync("/usr/bin/python3")) return t.skip("no Python of the system");
  assert.ok(planJail(["/usr/bin/python3"], { path }).notes.some((note) => /--add \/usr\/lib\/python3\.\d+$/.test(note)));
});

test("a script brings its interpreter through env, with -S and with an interpreter that is a script", async (t) => {
  if (!root) return t.skip("chroot(8) needs root");
  const folder = makeFolder(t);
  writeFileSync(join(folder, "inner"), "#!/usr/bin/env -S bash -u\necho inner $2\n", { mode: 0o755 });
  writeFileSync(join(folder, "outer"), `#!${join(folder, "inner")} word\n`, { mode: 0o755 });
  const dir = await build(t, [join(folder, "outer")]);
  assert.equal(enter(dir, join(folder, "outer")).out, `inner ${join(folder, "outer")}\n`);
});

test("a program of musl runs, its list of folders included", async (t) => {
  if (!root) return t.skip("chroot(8) needs root");
  const program = compile(t, "musl-gcc", 'int puts(const char*); int main(){puts("musl");return 0;}');
  if (!program) return t.skip("no musl-gcc");
  const dir = await build(t, [], { add: [] });
  await buildJail(dir, planJail([program], { path }));
  assert.equal(enter(dir, program).out, "musl\n");
  assert.equal(existsSync(join(dir, "usr/lib/x86_64-linux-gnu/libc.so.6")), false);
});

test("a 32-bit program runs with the 32-bit loader and library alone", async (t) => {
  if (!root || !existsSync("/lib32/libc.so.6")) return t.skip("no root or no 32-bit C library");
  const source = 'int puts(const char*); void exit(int); void _start(void){puts("32"); exit(0);}';
  const program = compile(t, "gcc", source, "-m32", "-nostdlib", "-fno-pie", "-no-pie", "/lib32/libc.so.6", "-Wl,-dynamic-linker,/lib/ld-linux.so.2");
  if (!program || spawnSync(program).status !== 0) return t.skip("no 32-bit compiler or kernel");
  const dir = await build(t, [program]);
  assert.equal(enter(dir, program).out, "32\n");
  assert.equal(existsSync(join(dir, "usr/lib/x86_64-linux-gnu/libc.so.6")), false);
});

test("a program found only through ld.so.conf gets a cache in its jail, and a second build keeps the first's lines", async (t) => {
  if (!root) return t.skip("needs root");
  const fakeroot = "/usr/lib/x86_64-linux-gnu/libfakeroot/libfakeroot-0.so";
  if (!existsSync(fakeroot)) return t.skip("no library outside the default folders to use");
  const program = compile(t, "gcc", 'int puts(const char*); int main(){puts("cached");return 0;}', "-Wl,--no-as-needed", fakeroot);
  if (!program) return t.skip("no gcc");
  const needs = spawnSync("ldd", [program], { encoding: "utf8" }).stdout;
  if (!/libfakeroot.*=> \//.test(needs)) return t.skip("the library is not in ld.so.cache");
  const dir = await build(t, [program]);
  assert.equal(enter(dir, program).out, "cached\n");
  await buildJail(dir, { entries: [{ type: "cache", path: "/etc/ld.so.cache", reason: "", littleEndian: true, entries: [{ name: "libzz.so.1", path: "/zz/libzz.so.1", flags: 0x303 }] }], notes: [], bytes: 0 });
  assert.equal(enter(dir, program).out, "cached\n");
  const listed = spawnSync("ldconfig", ["-p", "-C", join(dir, "etc/ld.so.cache")], { encoding: "utf8" }).stdout;
  assert.match(listed, /libzz\.so\.1 \(libc6,x86-64\) => \/zz\/libzz\.so\.1/);
  assert.match(listed, /libfakeroot/);
});

test("a thread that ends finds libgcc_s, which glibc loads only then", async (t) => {
  if (!root) return t.skip("chroot(8) needs root");
  const source = `#include <pthread.h>
#include <stdio.h>
static void *end(void *p){pthread_exit(p);}
int main(){pthread_t t; pthread_create(&t,0,end,0); pthread_join(t,0); puts("ended"); return 0;}`;
  const program = compile(t, "gcc", source, "-pthread");
  if (!program) return t.skip("no gcc");
  assert.equal(enter(await build(t, [program]), program).out, "ended\n");
});

test("names, users, certificates, locale and terminfo come on request and work", async (t) => {
  if (!root) return t.skip("chroot(8) needs root");
  const dir = await build(t, ["getent", "id", "locale"], { names: true, users: true, certs: existsSync("/etc/ssl/certs"), terminfo: true, locale: "C.UTF-8" });
  assert.match(enter(dir, "/usr/bin/getent", "hosts", "localhost").out, /localhost/);
  assert.match(enter(dir, "/usr/bin/id").out, /^uid=0\(root\) gid=0\(root\)/);
  assert.equal(enter(dir, "/usr/bin/getent", "passwd", "65534").out.split(":")[0], "nobody");
  assert.match(enter(dir, "/usr/bin/locale", "-a").out, /C\.utf8/);
  const users = readFileSync(join(dir, "etc/passwd"), "utf8").split("\n").filter((line) => line !== "").length;
  assert.equal(users, 2, "only root and nobody");
  if (existsSync("/usr/lib/ssl/cert.pem")) assert.ok(statSync(join(dir, "usr/lib/ssl")).isDirectory() && !existsSync(join(dir, "usr/lib/ssl/private")));
  if (existsSync("/etc/ssl/certs/ca-certificates.crt")) assert.ok(statSync(join(dir, "etc/ssl/certs/ca-certificates.crt")).size > 0);
  assert.ok(existsSync(join(dir, "usr/share/terminfo")) || existsSync(join(dir, "usr/lib/terminfo")));
});

test("setuid bits are dropped unless they are asked for", async (t) => {
  if (!existsSync("/usr/bin/su") || (statSync("/usr/bin/su").mode & 0o4000) === 0) return t.skip("no setuid program here");
  const dropped = await build(t, ["/usr/bin/su"]);
  assert.equal(statSync(join(dropped, "usr/bin/su")).mode & 0o7777, 0o755);
  const kept = await build(t, ["/usr/bin/su"], { setuid: true });
  assert.equal(statSync(join(kept, "usr/bin/su")).mode & 0o7777, 0o4755);
});

test("a second build keeps all, mends what was changed and leaves what is not its own", async (t) => {
  const dir = await build(t, ["ls"]);
  const plan = planJail(["ls"], { path });
  const again = await buildJail(dir, plan);
  assert.equal(again.copied + again.linked, 0);
  assert.equal(again.kept, again.files);
  writeFileSync(join(dir, "usr/bin/own"), "mine");
  const size = statSync(join(dir, "usr/bin/ls")).size;
  writeFileSync(join(dir, "usr/bin/ls"), Buffer.alloc(size));
  const mended = await buildJail(dir, plan);
  assert.equal(mended.copied + mended.linked, 1);
  assert.deepEqual(readFileSync(join(dir, "usr/bin/ls")), readFileSync("/usr/bin/ls"));
  assert.equal(readFileSync(join(dir, "usr/bin/own"), "utf8"), "mine");
});

test("what a killed build left is removed and what a living one writes is not", async (t) => {
  const dir = await build(t, ["ls"]);
  const living = `.brig-jail.${process.ppid}.${readStart(process.ppid)}.0`;
  const names = [".brig-jail.4194303.1.0", `.brig-jail.${process.ppid}.1.0`, living, ".brig-jail.mine"];
  for (const name of names) writeFileSync(join(dir, "usr/bin", name), "half");
  await buildJail(dir, planJail(["ls"], { path }));
  assert.deepEqual(readdirSync(join(dir, "usr/bin")).sort(), [living, ".brig-jail.mine", "ls"].sort());
});

test("a build killed at any instant leaves whole files, and the next one finishes and cleans up", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "data"), Buffer.alloc(3 << 20, 7));
  mkdirSync(join(folder, "many"));
  for (let index = 0; index < 200; index++) writeFileSync(join(folder, "many", `${index}`), Buffer.alloc(60_000, index));
  const options = { path, add: [{ source: join(folder, "many"), destination: "/many" }, { source: join(folder, "data"), destination: "/many/data" }] };
  const code = `const [{planJail}, {buildJail}] = await Promise.all(["plan-jail.js", "build-jail.js"].map((name) => import(${JSON.stringify(modules)} + name)));
    const stop = Number(process.argv[1]);
    await buildJail(process.argv[2], planJail([], ${JSON.stringify(options)}), {link: "copy", onProgress: ({done}) => { if (done === stop) process.send("now"); if (done >= stop) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); }});`;
  for (const stop of [3, 40, 120]) {
    const dir = join(folder, `jail${stop}`);
    const child = fork("/dev/null", [], { execPath: process.execPath, execArgv: ["--input-type=module", "-e", code, "--", String(stop), dir], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.on("message", () => child.kill("SIGKILL"));
    const [, signal] = (await once(child, "exit")) as [number, string];
    assert.equal(signal, "SIGKILL");
    for (const name of readdirSync(join(dir, "many")).filter((at) => !at.startsWith("."))) {
      assert.deepEqual(readFileSync(join(dir, "many", name)), readFileSync(name === "data" ? join(folder, "data") : join(folder, "many", name)));
    }
    await buildJail(dir, planJail([], options));
    assert.equal(readdirSync(join(dir, "many")).filter((name) => name.startsWith(".")).length, 0);
    assert.equal(readdirSync(join(dir, "many")).length, 201);
  }
});

test("a folder of the jail that is a link is an error and nothing is written where it leads", async (t) => {
  const outside = makeFolder(t);
  const dir = join(makeFolder(t), "jail");
  mkdirSync(join(dir), { recursive: true });
  symlinkSync(outside, join(dir, "usr"));
  await assert.rejects(buildJail(dir, planJail(["ls"], { path })), { code: "BRIG_JAIL_UNSAFE" });
  assert.deepEqual(readdirSync(outside), []);
});

test("folders swapped for links while a jail is built never lead a file outside", async (t) => {
  const [outside, dir] = [makeFolder(t), join(makeFolder(t), "jail")];
  mkdirSync(join(dir, "usr/bin"), { recursive: true });
  symlinkSync(outside, join(dir, "usr/link"));
  const code = `const {renameSync, rmSync} = require("fs"); process.chdir(${JSON.stringify(join(dir, "usr"))}); process.send("ready");
    // a build that made a new bin while it was away would have the swaps stand still
    const move = (a, b) => { try { renameSync(a, b); } catch (error) { if (error.code === "ENOTEMPTY") try { rmSync(b, {recursive: true, force: true}); } catch {} } };
    const end = Date.now() + 20_000;
    while (Date.now() < end) { move("bin", "away"); move("link", "bin"); move("bin", "link"); move("away", "bin"); }`;
  const swapper = fork("/dev/null", [], { execArgv: ["-e", code, "--"], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const outcomes = new Set<string>();
  try {
    await once(swapper, "message");
    const plan = planJail(["ls", "bash", "env"], { path });
    for (let round = 0; round < 60; round++) {
      outcomes.add(await buildJail(dir, plan).then(() => "built", (error: { code: string; name: string }) => (error.name === "BrigError" ? error.code : String(error))));
      rmSync(join(dir, "usr/lib"), { recursive: true, force: true });
    }
  } finally {
    const ended = once(swapper, "exit");
    swapper.kill("SIGKILL");
    await ended;
  }
  assert.deepEqual(readdirSync(outside), []);
  assert.ok([...outcomes].every((code) => ["built", "BRIG_JAIL_UNSAFE", "BRIG_JAIL_WRITE"].includes(code)), [...outcomes].join());
  assert.ok(outcomes.has("BRIG_JAIL_UNSAFE") || outcomes.has("BRIG_JAIL_WRITE"), "the swaps never met a build");
});

test("a link in the place of a file is replaced, not written through", async (t) => {
  const victim = join(makeFolder(t), "victim");
  writeFileSync(victim, "untouched");
  const dir = join(makeFolder(t), "jail");
  mkdirSync(join(dir, "usr/bin"), { recursive: true });
  symlinkSync(victim, join(dir, "usr/bin/ls"));
  await buildJail(dir, planJail(["ls"], { path }));
  assert.equal(readFileSync(victim, "utf8"), "untouched");
  assert.ok(lstatSync(join(dir, "usr/bin/ls")).isFile());
});

test("a file of the jail that is a hard link to another is replaced, not written through", async (t) => {
  const dir = join(makeFolder(t), "jail");
  mkdirSync(join(dir, "usr/bin"), { recursive: true });
  writeFileSync(join(dir, "victim"), "untouched");
  linkSync(join(dir, "victim"), join(dir, "usr/bin/ls"));
  await buildJail(dir, planJail(["ls"], { path }));
  assert.equal(readFileSync(join(dir, "victim"), "utf8"), "untouched");
});

test("the jail's own folder may be neither a link nor the host's root", async (t) => {
  const folder = makeFolder(t);
  symlinkSync("/etc", join(folder, "link"));
  const plan = planJail(["ls"], { path });
  await assert.rejects(buildJail(join(folder, "link"), plan), { code: "BRIG_JAIL_UNSAFE" });
  await assert.rejects(buildJail("/", plan), { code: "BRIG_JAIL_UNSAFE" });
});

test("hard links share the host's file, never a setuid one, and never in a folder that others write", async (t) => {
  const folder = makeFolder(t);
  if (!root || statSync("/usr/bin/ls").dev !== statSync(folder).dev) return t.skip("needs root and one file system");
  const plan = planJail(["ls", "/usr/bin/su"].filter((at) => !at.startsWith("/") || existsSync(at)), { path });
  await buildJail(join(folder, "jail"), plan, { link: "hard" });
  assert.equal(statSync(join(folder, "jail/usr/bin/ls")).ino, statSync("/usr/bin/ls").ino);
  if (existsSync("/usr/bin/su")) assert.notEqual(statSync(join(folder, "jail/usr/bin/su")).ino, statSync("/usr/bin/su").ino);
  mkdirSync(join(folder, "shared/usr"), { recursive: true });
  chownSync(join(folder, "shared"), 65534, 65534);
  await assert.rejects(buildJail(join(folder, "shared"), plan, { link: "hard" }), { code: "BRIG_JAIL_HARD_LINK" });
});

test("building with copies over a jail of hard links cuts them", async (t) => {
  const folder = makeFolder(t);
  if (!root || statSync("/usr/bin/ls").dev !== statSync(folder).dev) return t.skip("needs root and one file system");
  const plan = planJail(["ls"], { path });
  await buildJail(join(folder, "jail"), plan, { link: "hard" });
  await buildJail(join(folder, "jail"), plan);
  assert.notEqual(statSync(join(folder, "jail/usr/bin/ls")).ino, statSync("/usr/bin/ls").ino);
});

test("a file swapped between plan and build is refused", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "data"), "one");
  const plan = planJail([], { path, add: [{ source: join(folder, "data") }] });
  rmSync(join(folder, "data"));
  symlinkSync("/etc/shadow", join(folder, "data"));
  await assert.rejects(buildJail(join(folder, "jail"), plan), { name: "BrigError" });
  assert.equal(existsSync(join(folder, "jail", folder, "data")), false);
});

test("what cannot be in a jail is one clear error", (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "text"), "words", { mode: 0o755 });
  writeFileSync(join(folder, "bad"), "#!/no/such/shell\n", { mode: 0o755 });
  for (const program of ["no-such-program-here", join(folder, "text"), join(folder, "bad"), "", "a\0b"]) {
    assert.throws(() => planJail([program], { path }), { code: "BRIG_JAIL_INCOMPLETE" }, program);
  }
  assert.throws(() => planJail([], { path, add: [{ source: "/no/such" }] }), { code: "BRIG_JAIL_NOT_HERE" });
  assert.throws(() => planJail([], { path, locale: "xx_XX.UTF-8" }), { code: "BRIG_JAIL_NOT_HERE" });
  assert.throws(() => planJail([], { path, locale: "../../etc" }), { code: "BRIG_BAD_VALUE" });
});

test("what an ordinary user may not read is a clear error", (t) => {
  if (!root) return t.skip("needs root to become someone else");
  const code = `const {planJail} = await import(${JSON.stringify(`${modules}plan-jail.js`)});
    for (const source of ["/etc/shadow", "/root"]) try { planJail([], {path: "/bin", add: [{source}]}); console.log("planned"); } catch (error) { console.log(error.code ?? error); }`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", code], { uid: 65534, gid: 65534, encoding: "utf8", cwd: "/" });
  // A plan only looks at a plain file; what is in a closed folder it cannot even list.
  assert.equal(ran.stdout, "planned\nBRIG_JAIL_UNREADABLE\n", ran.stderr);
});

test("a damaged ELF file in an added folder is data, and told", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "broken.so"), "\x7fELF and no more");
  const plan = planJail([], { path, add: [{ source: folder, destination: "/data" }] });
  assert.ok(plan.notes.some((note) => note.includes("broken.so was added as data")), plan.notes.join());
  await buildJail(join(folder, "jail"), plan);
  assert.equal(readFileSync(join(folder, "jail/data/broken.so"), "utf8"), "\x7fELF and no more");
});

test("a destination given to --add goes where the root's links lead, and two sources for one place are refused", async (t) => {
  const folder = makeFolder(t);
  writeFileSync(join(folder, "a"), "a");
  writeFileSync(join(folder, "b"), "b");
  const dir = await build(t, ["ls"], { add: [{ source: join(folder, "a"), destination: "/bin/../bin/data" }] });
  assert.equal(readFileSync(join(dir, lstatSync("/bin").isSymbolicLink() ? "usr/bin/data" : "bin/data"), "utf8"), "a");
  const add = ["a", "b"].map((name) => ({ source: join(folder, name), destination: "/x" }));
  assert.throws(() => planJail([], { path, add }), { code: "BRIG_JAIL_CONFLICT" });
});

test("an ordinary user builds a jail of his own", async (t) => {
  if (!root) return t.skip("needs root to become someone else");
  const folder = makeFolder(t);
  chownSync(folder, 65534, 65534);
  const code = `const {planJail} = await import(${JSON.stringify(`${modules}plan-jail.js`)}); const {buildJail} = await import(${JSON.stringify(`${modules}build-jail.js`)});
    const report = await buildJail(${JSON.stringify(join(folder, "jail"))}, planJail(["bash"], {path: ${JSON.stringify(path)}})); console.log(report.files > 2);`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", code], { uid: 65534, gid: 65534, encoding: "utf8", cwd: "/", env: { PATH: path } });
  if (/EACCES/.test(ran.stderr) && /Cannot find|ERR_MODULE/.test(ran.stderr)) return t.skip("the build folder is not readable for others");
  assert.equal(ran.stdout, "true\n", ran.stderr);
  assert.equal(statSync(join(folder, "jail/usr/bin/bash")).uid, 65534);
  assert.equal(enter(join(folder, "jail"), "/bin/bash", "-c", "echo here").out, "here\n");
});
