import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FileSystemError, type Sandbox } from "../../src/index.js";
import { makeFolder, openSandbox } from "./open-sandbox.js";

test("files are written, read, appended, cut, renamed and removed", async (t) => {
  const { fs } = await openSandbox(t);
  await fs.writeFile("/tmp/a", "one");
  await fs.appendFile("/tmp/a", " two");
  assert.equal(await fs.readFile("/tmp/a", "utf8"), "one two");
  await fs.truncate("/tmp/a", 3);
  await fs.rename("/tmp/a", "/tmp/b");
  assert.deepEqual(await fs.readFile("/tmp/b"), new Uint8Array(Buffer.from("one")));
  assert.equal(await fs.exists("/tmp/a"), false);
  await fs.rm("/tmp/b");
  await assert.rejects(fs.rm("/tmp/b"), { code: "ENOENT" });
  await fs.rm("/tmp/b", { force: true });
});

test("modes, times, sizes and kinds are told", async (t) => {
  const { fs } = await openSandbox(t);
  await fs.writeFile("/tmp/a", "x".repeat(1234), { mode: 0o600 });
  await fs.chmod("/tmp/a", 0o750);
  await fs.utimes("/tmp/a", new Date(0), new Date(1_000_000_500));
  const stat = await fs.stat("/tmp/a");
  assert.deepEqual([stat.mode & 0o7777, stat.size, stat.isFile(), stat.mtimeMs], [0o750, 1234, true, 1_000_000_500]);
  await fs.symlink("a", "/tmp/link");
  assert.equal((await fs.lstat("/tmp/link")).isSymbolicLink(), true);
  assert.equal((await fs.stat("/tmp/link")).isFile(), true);
  assert.equal(await fs.readlink("/tmp/link"), "a");
});

test("folders are made, listed and removed whole", async (t) => {
  const { fs } = await openSandbox(t);
  assert.equal(await fs.mkdir("/tmp/x/y/z", { recursive: true }), "/tmp/x");
  assert.equal(await fs.mkdir("/tmp/x/y", { recursive: true }), undefined);
  await assert.rejects(fs.mkdir("/tmp/x"), { code: "EEXIST" });
  for (let count = 0; count < 2500; count++) await fs.writeFile(`/tmp/x/y/a-rather-long-name-${count}`, "");
  assert.equal((await fs.readdir("/tmp/x/y")).length, 2501);
  assert.deepEqual(await fs.readdir("/tmp/x", { withFileTypes: true }), [{ name: "y", kind: "directory" }]);
  await assert.rejects(fs.rm("/tmp/x"), { code: "ENOTEMPTY" });
  await fs.rm("/tmp/x", { recursive: true });
  assert.equal(await fs.exists("/tmp/x"), false);
});

test("large files go through in pieces, and several at once", async (t) => {
  const { fs } = await openSandbox(t);
  const bytes = Buffer.alloc(5_000_001, "0123456789");
  await Promise.all([1, 2, 3].map((number) => fs.writeFile(`/tmp/large${number}`, bytes)));
  const read = await Promise.all([1, 2, 3].map((number) => fs.readFile(`/tmp/large${number}`)));
  for (const each of read) assert.equal(Buffer.compare(each, bytes), 0);
  await assert.rejects(fs.readFile("/tmp/large1", { maxBytes: 1000 }), { code: "EFBIG" });
  await assert.rejects(fs.readFile("/dev/zero", { maxBytes: 1 << 20 }), { code: "EFBIG" });
});

test("an open file is read and written at places", async (t) => {
  const { fs } = await openSandbox(t);
  await using file = await fs.open("/tmp/f", "w+");
  await file.write("hello world");
  await file.write("W", 6);
  assert.equal(Buffer.from(await file.read(5, 6)).toString(), "World");
  await fs.rm("/tmp/f");
  assert.equal((await file.stat()).nlink, 0);
  await file.close();
  await file.close();
  await assert.rejects(fs.open("/tmp/f", "wb" as never), { code: "BRIG_BAD_VALUE" });
});

test("what the payload may not do, its files may not either", async (t) => {
  const { fs } = await openSandbox(t);
  await assert.rejects(fs.writeFile("/etc/brig-test", "x"), (error: FileSystemError) => ["EROFS", "EACCES"].includes(error.code) && error.path === "/etc/brig-test");
  await assert.rejects(fs.readFile("/etc/shadow"), FileSystemError);
  await assert.rejects(fs.readFile("/no/such"), { code: "ENOENT", syscall: "open", message: /no such file.*"\/no\/such"/ });
  await assert.rejects(fs.readFile("/tmp/a\0b"), { code: "BRIG_BAD_VALUE" });
  await assert.rejects(fs.readFile(""), { code: "ENOENT" });
  await assert.rejects(fs.rm("/", { recursive: false }), FileSystemError);
});

/** A file of the host's that no sandbox shows, and all the ways to lead there. */
function plantSecret(t: Parameters<typeof makeFolder>[0]): { secret: string; folder: string } {
  const folder = makeFolder(t);
  const secret = join(folder, "secret");
  writeFileSync(secret, "the host's", { mode: 0o666 });
  return { secret, folder };
}

async function readAsInside(box: Sandbox, path: string): Promise<string> {
  return await box.fs.readFile(path, "utf8").catch((error: FileSystemError) => error.code);
}

test("no link, \"..\" or magic link leads outside", async (t) => {
  const { secret, folder } = plantSecret(t);
  const box = await openSandbox(t, { project: "none" });
  const up = "../".repeat(40);
  await box.exec("sh", ["-c", `cd /tmp; ln -s '${secret}' absolute; ln -s '${up}${secret.slice(1)}' relative; ln -s / root; ln -s loop loop;
    ln -s /proc/self/root magic; ln -s /proc/1/root init; ln -s /proc/1/cwd cwd; ln -s /proc/self/exe exe; ln -s /proc/self/fd/0 fd; mkdir -p '${folder}' && echo inside > '${secret}'`]);
  assert.equal(await readAsInside(box, "/tmp/absolute"), "inside\n");
  assert.equal(await readAsInside(box, "/tmp/relative"), "inside\n");
  assert.equal(await readAsInside(box, `/tmp/root${secret}`), "inside\n");
  assert.equal(await readAsInside(box, `${up}${secret.slice(1)}`), "inside\n");
  assert.equal(await readAsInside(box, "/tmp/loop"), "ELOOP");
  for (const link of ["magic", "init", "cwd"]) assert.match(await readAsInside(box, `/tmp/${link}${secret}`), /^(ELOOP|EACCES|ENOENT|ENOTDIR)$/);
  for (const path of ["/tmp/exe", "/tmp/fd", "/proc/self/exe", "/proc/self/fd/1", `/proc/1/root${secret}`, `/proc/self/root${secret}`]) assert.match(await readAsInside(box, path), /^(ELOOP|EACCES|ENOENT|ENXIO)$/, path);
  await box.fs.writeFile("/tmp/absolute", "changed");
  assert.equal(readFileSync(secret, "utf8"), "the host's");
  assert.equal(await readAsInside(box, secret), "changed");
});

test("folders that are swapped for links under the server's hands lead nowhere else", { timeout: 30_000 }, async (t) => {
  const { folder } = plantSecret(t);
  const box = await openSandbox(t, { project: "none" });
  await box.fs.mkdir("/tmp/d/e", { recursive: true });
  await box.fs.writeFile("/tmp/d/e/secret", "inside");
  const swapper = box.spawn("sh", ["-c", `cd /tmp/d; ln -s '${folder}' link; while :; do mv e x; mv link e; mv e link; mv x e; done`], { stdout: "ignore", stderr: "ignore", stdin: "ignore" });
  for (let count = 0; count < 400; count++) assert.notEqual(await readAsInside(box, "/tmp/d/e/secret"), "the host's");
  swapper.kill("SIGKILL");
  await swapper.exit;
});

test("the files are those of a sandbox with a root of its own, whatever its links say", async (t) => {
  const { secret } = plantSecret(t);
  const root = makeFolder(t);
  for (const name of ["bin", "etc"]) mkdirSync(join(root, name));
  symlinkSync(secret, join(root, "etc/passwd"));
  symlinkSync("../../../../../..", join(root, "up"));
  const box = await openSandbox(t, { root });
  assert.equal(await readAsInside(box, "/etc/passwd"), "ENOENT");
  assert.equal(await readAsInside(box, `/up${secret}`), "ENOENT");
  await assert.rejects(box.exec("sh", []), { code: "BRIG_NOT_FOUND" });
});

test("a pipe or a device in the way does not hang the server", async (t) => {
  const box = await openSandbox(t);
  await box.exec("sh", ["-c", "mkdir /tmp/d && mkfifo /tmp/d/pipe"]);
  assert.equal(await readAsInside(box, "/tmp/d/pipe"), "");
  await assert.rejects(box.fs.writeFile("/tmp/d/pipe", "x"), { code: "ENXIO" });
  assert.deepEqual(await box.fs.readdir("/tmp/d"), ["pipe"]);
});

test("a killed file server is started again", async (t) => {
  const box = await openSandbox(t);
  await box.fs.writeFile("/tmp/a", "still");
  await box.exec("sh", ["-c", "for p in /proc/[0-9]*; do p=${p#/proc/}; [ $p -gt 1 ] && [ $p != $$ ] && [ $p != $PPID ] && kill -9 $p; done; true"]);
  await box.fs.readFile("/tmp/a").catch(() => undefined);
  assert.equal(await readAsInside(box, "/tmp/a"), "still");
});

test("trees are copied in and out with their modes and links", async (t) => {
  const folder = makeFolder(t);
  mkdirSync(join(folder, "in/sub"), { recursive: true });
  writeFileSync(join(folder, "in/run.sh"), "#!/bin/sh\necho hi\n", { mode: 0o755 });
  writeFileSync(join(folder, "in/sub/data"), Buffer.alloc(200_000, 7));
  symlinkSync("sub/data", join(folder, "in/link"));
  const box = await openSandbox(t);
  await box.fs.copyIn(join(folder, "in"), "/tmp/in");
  assert.equal((await box.exec("/tmp/in/run.sh")).stdout, "hi\n");
  await box.fs.copyOut("/tmp/in", join(folder, "out"));
  assert.equal(lstatSync(join(folder, "out/run.sh")).mode & 0o777, 0o755);
  assert.equal(readFileSync(join(folder, "out/sub/data")).length, 200_000);
  assert.equal(readlinkSync(join(folder, "out/link")), "sub/data");
});

test("what is copied out brings no link to elsewhere, no setuid bit, no device, and overwrites nothing", async (t) => {
  const folder = makeFolder(t);
  const box = await openSandbox(t);
  await box.exec("sh", ["-c", "mkdir -p /tmp/a/b /tmp/p; cd /tmp/a; ln -s /etc/passwd abs; echo x > suid; chmod 755 suid; ln -s ../../etc b/up; ln -s ../suid b/fine; ln -s b/../../../x trick; mkfifo /tmp/p/fifo"]);
  await assert.rejects(box.fs.chmod("/tmp/a/suid", 0o4755), { code: "EPERM" });
  await assert.rejects(box.fs.copyOut("/tmp/a", join(folder, "refused")), { code: "BRIG_UNSAFE_LINK" });
  await box.fs.copyOut("/tmp/a", join(folder, "skipped"), { links: "skip" });
  for (const name of ["abs", "b/up", "trick"]) assert.throws(() => lstatSync(join(folder, "skipped", name)), { code: "ENOENT" });
  assert.equal(readlinkSync(join(folder, "skipped/b/fine")), "../suid");
  assert.equal(lstatSync(join(folder, "skipped/suid")).mode & 0o7777, 0o755);
  await assert.rejects(box.fs.copyOut("/tmp/p", join(folder, "pipe")), { code: "BRIG_CANNOT_COPY" });
  await assert.rejects(box.fs.copyOut("/tmp/a/suid", join(folder, "skipped/suid")), { code: "EEXIST" });
});

test("an aborted call is an AbortError", async (t) => {
  const { fs } = await openSandbox(t);
  await assert.rejects(fs.readFile("/etc/hostname", { signal: AbortSignal.abort() }), { name: "AbortError" });
});
