import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { fc } from "../fast-check.js";
import { chooseOwners } from "../../src/image/layers/owners.js";
import { removeLayerFolder } from "../../src/image/layers/remove-layer.js";
import { DEFAULT_LIMITS, runUnpacker, type UnpackLimits, type UnpackResult } from "../../src/image/layers/run-unpacker.js";
import { unpackLayer } from "../../src/image/layers/unpack-layer.js";
import { readHostFacts } from "../../src/host/facts.js";
import { hashBytes, writeDocument } from "../../src/image/store/blobs.js";
import { type Entry, has, isRoot, makeTar, openStage } from "./stage.js";

const owners = chooseOwners(readHostFacts());

/** Unpacks an archive into a folder `root` below the stage. */
async function unpack(folder: string, tar: Buffer, limits: UnpackLimits = DEFAULT_LIMITS, mode: "layer" | "plain" = "layer"): Promise<UnpackResult> {
  const root = join(folder, "root");
  mkdirSync(root, { recursive: true });
  return await runUnpacker(root, { owners, mode, limits }, async ({ stdin }) => void stdin!.end(tar));
}

/** A fresh folder each, emptied behind the test. */
async function makeFolder(t: TestContext): Promise<string> {
  const stage = await openStage(t);
  const folder = join(stage.folder, "layer");
  mkdirSync(folder);
  t.after(() => removeLayerFolder(folder));
  return folder;
}

async function refuses(t: TestContext, entries: Entry[] | Buffer, message: RegExp, limits?: UnpackLimits): Promise<void> {
  const folder = await makeFolder(t);
  await assert.rejects(unpack(folder, Buffer.isBuffer(entries) ? entries : makeTar(entries), limits), { code: "BRIG_BAD_LAYER", message });
}

/** All that matters of a tree, a line for each path. */
function describeTree(root: string): string {
  return execFileSync("find", [".", "-mindepth", "1", "-printf", "%P %y %m %U %G %T@ %s %l %n\n"], { cwd: root, encoding: "utf8" }).split("\n").map((line) => line.replace(/ d (.*) \d+  \d+$/, " d $1").replace(/(\d{10}\.\d{9})\d/, "$1")).sort().join("\n");
}

function fillTree(folder: string): void {
  mkdirSync(join(folder, "a/deep"), { recursive: true });
  writeFileSync(join(folder, "a/file"), "hello\n");
  writeFileSync(join(folder, "a/empty"), "");
  chmodSync(join(folder, "a/file"), 0o640);
  linkSync(join(folder, "a/file"), join(folder, "a/deep/hard"));
  symlinkSync("../a/file", join(folder, "a/link"));
  symlinkSync("/nowhere", join(folder, "a/dangling"));
  const long = "n".repeat(200);
  mkdirSync(join(folder, long, long), { recursive: true });
  writeFileSync(join(folder, long, long, `ümlaut ${"x".repeat(120)}`), "long");
  writeFileSync(join(folder, "big"), Buffer.alloc(3_000_001, "0123456789abcdef"));
  writeFileSync(join(folder, "sparse"), "begin");
  truncateSync(join(folder, "sparse"), 50_000_000);
  writeFileSync(join(folder, "sparse"), "end", { flag: "a" });
  utimesSync(join(folder, "a/file"), 1_600_000_000.25, 1_600_000_000.25);
  chmodSync(join(folder, "a"), 0o1777);
  if (!isRoot) return;
  chownSync(join(folder, "a/file"), 1234, 54_321);
  chmodSync(join(folder, "a/file"), 0o6751);
  chownSync(join(folder, "a/deep"), 3_000_000_000, 7);
  execFileSync("mkfifo", [join(folder, "pipe")]);
}

test("what GNU tar and bsdtar pack in any of their forms is unpacked as GNU tar does it", async (t) => {
  const folder = await makeFolder(t);
  const from = join(folder, "from");
  mkdirSync(from);
  fillTree(from);
  if (isRoot) spawnSync("setcap", ["cap_net_raw+ep", join(from, "big")]);
  spawnSync("setfattr", ["-n", "user.note", "-v", "kept\n=x", join(from, "big")]);
  const forms: string[][] = [["tar", "--format=gnu"], ["tar", "--format=pax", "--xattrs", "--xattrs-include=*"], ["tar", "--format=gnu", "-S"], ["tar", "--format=pax", "-S"], ["tar", "--format=pax", "-S", "--sparse-version=0.0"], ["tar", "--format=pax", "-S", "--sparse-version=0.1"], ...(has("bsdtar") ? [["bsdtar", "--format=pax"]] : [])];
  const wanted = describeTree(from);
  for (const [index, [program, ...words]] of forms.entries()) {
    const inner = join(folder, String(index));
    mkdirSync(inner);
    const archive = join(inner, "a.tar");
    execFileSync(program!, [...words, "-cf", archive, "-C", from, "."], { maxBuffer: 2 ** 28 });
    await unpack(inner, readFileSync(archive));
    const shown = describeTree(join(inner, "root"));
    const loose = words.includes("--format=gnu") ? (text: string) => text.replace(/\.\d+/g, "") : (text: string) => text;
    if (isRoot) assert.equal(loose(shown), loose(wanted), words.join(" "));
    execFileSync("diff", ["-r", "--no-dereference", "-x", "pipe", "-x", "dangling", from, join(inner, "root")]);
    assert.ok(!words.includes("-S") || lstatSync(join(inner, "root/sparse")).blocks < 10_000, `not sparse: ${words.join(" ")}`);
    if (words.includes("--xattrs")) {
      const note = spawnSync("getfattr", ["--only-values", "-n", "user.note", join(inner, "root/big")], { encoding: "utf8" });
      if (!note.error) assert.equal(note.stdout, "kept\n=x");
      const caps = spawnSync("getcap", [join(inner, "root/big")], { encoding: "utf8" });
      if (!caps.error && isRoot) assert.match(caps.stdout, /cap_net_raw=ep/);
    }
    await removeLayerFolder(inner);
  }
});

test("whiteouts become what overlayfs knows, whatever stands before or behind them", async (t) => {
  const folder = await makeFolder(t);
  const file = (name: string, data = ""): Entry => ({ name, data });
  const dir = (name: string): Entry => ({ name, type: "5", mode: 0o755 });
  await unpack(folder, makeTar([file("gone/.wh.file"), file(".wh.top"), file("opaque/.wh..wh..opq"), dir("opaque/"), file("opaque/new", "n"), file("a/.wh.again"), dir("a/again/"), file("a/again/x", "x"), dir("b/kept/"), file("b/.wh.kept"), file("c/.wh.part"), file("c/part/deep/x", "y"), file("d/f", "1"), file("d/.wh.f"), file(".wh..wh.plnk")]));
  const root = join(folder, "root");
  const isWhiteout = (path: string): boolean => lstatSync(join(root, path)).isCharacterDevice() && lstatSync(join(root, path)).rdev === 0;
  assert.ok(isWhiteout("gone/file") && isWhiteout("top"));
  assert.deepEqual(readdirSync(join(root, "d")), ["f"]);
  assert.ok(lstatSync(join(root, "d/f")).isFile());
  const opaque = (path: string): string => spawnSync("getfattr", ["--only-values", "-n", "user.overlay.opaque", join(root, path)], { encoding: "utf8" }).stdout;
  if (has("getfattr")) for (const path of ["opaque", "a/again", "b/kept", "c/part"]) assert.equal(opaque(path), "y", path);
  assert.ok(!existsSync(join(root, ".wh..wh.plnk")));
  if (!isRoot) return;
  const lower = join(folder, "lower");
  for (const path of ["gone/file", "top", "opaque/old", "a/again/old", "b/kept/old", "c/part/old", "d/f"]) {
    mkdirSync(join(lower, path, ".."), { recursive: true });
    writeFileSync(join(lower, path), "old");
  }
  const shown = spawnSync("unshare", ["-m", "sh", "-c", `mount -t overlay -o ro,lowerdir='${root}:${lower}' none /mnt && cd /mnt && find . -type f | sort`], { encoding: "utf8" });
  assert.equal(shown.stdout, "./a/again/x\n./c/part/deep/x\n./d/f\n./opaque/new\n", shown.stderr);
});

test("names and links that lead out, or to what is no file, are refused or stay inside", async (t) => {
  for (const name of ["../x", "a/../../x", "a/..", "/../x"]) await refuses(t, [{ name, data: "x" }], /leads out of the layer/);
  await refuses(t, [{ name: "x", type: "1", link: "../../etc/passwd" }], /leads out of the layer/);
  await refuses(t, [{ name: "x", type: "1", link: "etc/passwd" }], /not in the layer/);
  await refuses(t, [{ name: "d", type: "5" }, { name: "x", type: "1", link: "d" }], /leads to what is no file/);
  await refuses(t, [{ name: "x" }, { name: "x/y" }], /in what is no folder/);
  await refuses(t, [{ name: "d/x" }, { name: "d", data: "file" }], /two entries fight/);
  await refuses(t, [{ name: "d/x" }, { name: "d", type: "2", link: "/etc" }], /two entries fight/);
  await refuses(t, [{ name: "dev", type: "3" }], /overlayfs's own mark/);
  await refuses(t, [{ name: "a/.wh." }], /has no name/);
  await refuses(t, [{ name: "a/.wh..." }], /has no name/);
  await refuses(t, [{ name: ".", data: "x" }], /takes the place of the layer's folder/);
  await refuses(t, [{ name: "x", type: "Q" }], /of a kind that layers do not have/);
});

test("links on the way lead within the layer, and what a device would be is left out", async (t) => {
  const folder = await makeFolder(t);
  const result = await unpack(folder, makeTar([{ name: "etc", type: "2", link: "/../../../real" }, { name: "real/", type: "5" }, { name: "etc/file", data: "in" }, { name: "proc", type: "2", link: "/proc/self/root" }, { name: "sda", type: "4", major: 8, minor: 0 }, { name: "null", type: "3", major: 1, minor: 3 }, { name: "/abs//./file", data: "a" }]));
  const root = join(folder, "root");
  assert.equal(readFileSync(join(root, "real/file"), "utf8"), "in");
  assert.equal(readlinkSync(join(root, "proc")), "/proc/self/root");
  assert.equal(readFileSync(join(root, "abs/file"), "utf8"), "a");
  assert.deepEqual([result.skippedDevices, existsSync(join(root, "sda")), existsSync(join(root, "null"))], [2, false, false]);
  await assert.rejects(unpack(folder, makeTar([{ name: "proc/x", data: "x" }])), { code: "BRIG_BAD_LAYER" });
});

test("the unpacker sees the layer's folder and nothing else, and has only the calls that write files", async (t) => {
  const folder = await makeFolder(t);
  const root = join(folder, "root");
  mkdirSync(root);
  const seen: Record<string, unknown> = {};
  await runUnpacker(root, { owners, mode: "layer" }, async ({ pid, stdin }) => {
    stdin!.write(Buffer.concat([makeTar([{ name: "first" }, { name: "second", data: "x" }], { end: false }).subarray(0, 1024)]));
    while (!existsSync(join(root, "first"))) await sleep(5);
    const child = (of: number): number => Number(readFileSync(`/proc/${of}/task/${of}/children`, "utf8").split(" ")[0]);
    const status = readFileSync(`/proc/${child(pid!)}/status`, "utf8");
    for (const name of ["Seccomp", "NoNewPrivs", "CapBnd", "CapAmb"]) seen[name] = new RegExp(`^${name}:\\t(.*)$`, "m").exec(status)?.[1];
    if (isRoot) {
      const proc = `/proc/${child(pid!)}`;
      seen["root"] = readdirSync(`${proc}/root/`).filter((name) => name !== "second");
      seen["mounts"] = readFileSync(`${proc}/mountinfo`, "utf8").trim().split("\n").length;
      const inodes = [root, join(root, "first"), join(root, "second")].map((path) => statSync(path, { throwIfNoEntry: false })?.ino);
      seen["strangers"] = readdirSync(`${proc}/fd`).filter((fd) => Number(fd) > 2 && !inodes.includes(statSync(`${proc}/fd/${fd}`).ino));
      for (const kind of ["mnt", "pid", "net", "ipc", "uts"]) assert.notEqual(readlinkSync(`${proc}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`));
    }
    stdin!.end(makeTar([{ name: "second", data: "x" }]).subarray(512));
  });
  const walls = { Seccomp: "2", NoNewPrivs: "1", CapBnd: "000000008820001b", CapAmb: "0000000000000000" };
  assert.deepEqual(seen, isRoot ? { ...walls, root: ["first"], mounts: 1, strangers: [] } : walls);
});

test("a later entry replaces an earlier file, and a folder's entries are put together", async (t) => {
  const folder = await makeFolder(t);
  await unpack(folder, makeTar([{ name: "f", data: "1" }, { name: "f", data: "22", mode: 0o600 }, { name: "l", type: "2", link: "f" }, { name: "l", data: "file" }, { name: "d/x" }, { name: "d", type: "5", mode: 0o711 }, { name: "e", type: "5" }, { name: "e", data: "was a folder" }, { name: "g", data: "g" }, { name: "h", type: "1", link: "g" }, { name: "h", type: "1", link: "f" }, { name: "f", type: "1", link: "f" }]));
  const root = join(folder, "root");
  assert.deepEqual([readFileSync(join(root, "f"), "utf8"), lstatSync(join(root, "f")).mode & 0o777, readFileSync(join(root, "l"), "utf8"), readFileSync(join(root, "e"), "utf8"), lstatSync(join(root, "d")).mode & 0o777], ["22", 0o600, "file", "was a folder", 0o711]);
  assert.equal(readFileSync(join(root, "h"), "utf8"), "22");
});

test("archives that are cut, lie or are not one are refused", async (t) => {
  const whole = makeTar([{ name: "a", data: Buffer.alloc(2000, 1) }]);
  await refuses(t, whole.subarray(0, 1500), /is cut/);
  await refuses(t, whole.subarray(0, 300), /is cut/);
  await refuses(t, Buffer.alloc(2048, "no tar at all "), /no tar archive/);
  await refuses(t, [{ name: "a", size: 2 ** 32, data: "short" }], /is cut/);
  await refuses(t, [{ name: "a", pax: { path: "x".repeat(5000) } }], /too long/);
  await refuses(t, [{ name: "a", pax: { size: "-1" } }], /no number/);
  await refuses(t, [{ name: "a", pax: { uid: "99999999999" } }], /impossible id/);
  await refuses(t, [{ name: "a", pax: { "GNU.sparse.map": "0,10,5,10", "GNU.sparse.size": "100" }, data: Buffer.alloc(20) }], /map makes no sense/);
  await refuses(t, [{ name: "a", pax: { "GNU.sparse.map": "0,9223372036854775807", "GNU.sparse.size": "10" }, data: "x" }], /map makes no sense/);
  await refuses(t, [{ name: "a", pax: { "GNU.sparse.map": "0,1", "GNU.sparse.size": "9000000000000000000" }, data: "x" }], /no length|too large/);
});

test("more entries or bytes than there may be, and streams that swell, are refused", async (t) => {
  const limits = { ...DEFAULT_LIMITS, entries: 3, bytes: 10_000 };
  await refuses(t, ["a", "b", "c", "d"].map((name) => ({ name })), /more entries than a layer may have/, limits);
  await refuses(t, [{ name: "a", data: Buffer.alloc(9000) }, { name: "b", data: Buffer.alloc(2000) }], /larger than a layer may be/, limits);
  const { store } = await openStage(t);
  const tar = makeTar([{ name: "zeros", data: Buffer.alloc(8 << 20) }]);
  const digest = writeDocument(store, gzipSync(tar));
  await assert.rejects(unpackLayer(store, digest, hashBytes(tar), { limits: { ...DEFAULT_LIMITS, ratioFrom: 1 << 20 } }), { code: "BRIG_BAD_LAYER", message: /swells/ });
  await assert.rejects(unpackLayer(store, digest, hashBytes("else")), { code: "BRIG_DIGEST_MISMATCH" });
  assert.deepEqual(readdirSync(join(store.layers, "sha256")), []);
  assert.equal((await unpackLayer(store, digest, hashBytes(tar))).bytes, 8 << 20);
});

test("attributes that the host believes are not the image's to set", async (t) => {
  if (!has("getfattr")) return t.skip("needs attr");
  const folder = await makeFolder(t);
  await unpack(folder, makeTar([{ name: "d", type: "5", mode: 0o755, pax: { "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.security.selinux": "x", "SCHILY.xattr.user.fine": "1" } }]));
  const shown = spawnSync("getfattr", ["-m", "-", "-d", join(folder, "root/d")], { encoding: "utf8" }).stdout;
  assert.deepEqual(shown.split("\n").filter((line) => line.includes("=")), ['user.fine="1"']);
});

test("a tree deeper than a path can be long is removed", async (t) => {
  const folder = await makeFolder(t);
  const step = Array.from({ length: 150 }, () => "d".repeat(12)).join("/");
  await unpack(folder, makeTar([{ name: `${step}/f` , pax: { path: `${step}/f` } }]));
  for (let times = 0; times < 6; times++) spawnSync("sh", ["-c", `cd -P ${join(folder, "root")} && mkdir n && for each in d*; do [ "$each" = n ] || mv "$each" n/; done; mv n ${"d".repeat(12)}`]);
  await removeLayerFolder(folder);
  assert.ok(!existsSync(join(folder, "root")));
});

test("no archive whatever writes anything outside its folder, or ends the unpacker without a word", async (t) => {
  const folder = await makeFolder(t);
  const name = fc.constantFrom("a", "b", "a/b", "../a", "/a", "a/../b", ".wh.a", "a/.wh..wh..opq", "a/.wh.b", "b/a", ".");
  const entry = fc.record({ name, type: fc.constantFrom("0", "1", "2", "5", "6", "3", "S", "g", "x", "L"), link: fc.constantFrom("a", "/", "../..", "b", "/etc"), data: fc.constantFrom("", "x", "10 path=..\n", "12 path=/a\n\n"), mode: fc.constantFrom(0, 0o777, 0o7777) });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 8 }), fc.option(fc.tuple(fc.nat(4000), fc.nat(255)), { nil: undefined }), async (entries, damage) => {
      const tar = makeTar(entries);
      if (damage && damage[0] < tar.length) tar[damage[0]] = damage[1]!;
      await unpack(folder, tar).catch((error: { code: string }) => assert.equal(error.code, "BRIG_BAD_LAYER"));
      assert.deepEqual(readdirSync(folder), ["root"]);
      await removeLayerFolder(folder);
    }),
    { numRuns: 60 },
  );
});
