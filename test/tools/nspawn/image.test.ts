import assert from "node:assert/strict";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fc } from "../../fast-check.js";
import { readImage } from "../../../src/tools/nspawn/image.js";

const SECTOR = 512;
const START = 2048;
const X64_ROOT = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
const ARM_ROOT = "b921b045-1df0-41c3-af44-4c6f280d3fae";
const LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4";

/** A file with these bytes at these places; the rest of its 4 MiB is a hole. */
function makeImage(t: TestContext, parts: [at: number, bytes: Uint8Array][]): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-image-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "disk.raw");
  const fd = openSync(path, "w");
  ftruncateSync(fd, 4 << 20);
  for (const [at, bytes] of parts) writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
  return path;
}

function guid(text: string): Buffer {
  const [a, b, c, d, e] = text.split("-").map((part) => Buffer.from(part, "hex")) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  return Buffer.concat([a.reverse(), b.reverse(), c.reverse(), d, e]);
}

function gpt(entries: [type: string, first: number, last: number][]): [number, Uint8Array][] {
  const header = Buffer.alloc(92);
  header.write("EFI PART");
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(128, 80);
  header.writeUInt32LE(128, 84);
  const table = Buffer.concat(entries.map(([type, first, last]) => {
    const entry = Buffer.alloc(128);
    guid(type).copy(entry);
    entry.writeBigUInt64LE(BigInt(first), 32);
    entry.writeBigUInt64LE(BigInt(last), 40);
    return entry;
  }));
  return [[510, Buffer.from([0x55, 0xaa])], [SECTOR, header], [2 * SECTOR, table]];
}

function mbr(...types: number[]): [number, Uint8Array][] {
  const boot = Buffer.alloc(SECTOR);
  types.forEach((type, index) => {
    boot[446 + index * 16 + 4] = type;
    boot.writeUInt32LE(START + index, 446 + index * 16 + 8);
    boot.writeUInt32LE(100, 446 + index * 16 + 12);
  });
  boot.writeUInt16LE(0xaa55, 510);
  return [[0, boot]];
}

const ext4 = (at: number): [number, Uint8Array] => [at + 0x438, Buffer.from([0x53, 0xef])];

test("a file system without partitions is the root itself", (t) => {
  assert.deepEqual(readImage(makeImage(t, [ext4(0)])), { type: "ext4", offset: 0, size: 0 });
  assert.deepEqual(readImage(makeImage(t, [[0, Buffer.from("hsqs")]])), { type: "squashfs", offset: 0, size: 0 });
});

test("of a GPT the root partition of this machine is taken, and not another's", (t) => {
  const [own, other] = process.arch === "arm64" ? [ARM_ROOT, X64_ROOT] : [X64_ROOT, ARM_ROOT];
  const image = makeImage(t, [...gpt([[LINUX, 34, 100], [other, 200, 300], [own, START, START + 99]]), ext4(START * SECTOR)]);
  assert.deepEqual(readImage(image), { type: "ext4", offset: START * SECTOR, size: 100 * SECTOR });
});

test("a single Linux partition is the root, of a GPT and of an MBR; of two none is", (t) => {
  const at = { type: "ext4", offset: START * SECTOR, size: 100 * SECTOR };
  assert.deepEqual(readImage(makeImage(t, [...gpt([[LINUX, START, START + 99]]), ext4(START * SECTOR)])), at);
  assert.deepEqual(readImage(makeImage(t, [...mbr(0x83, 0x0c), ext4(START * SECTOR)])), at);
  assert.throws(() => readImage(makeImage(t, mbr(0x83, 0x83))), /2 partitions that could be its root/);
  assert.throws(() => readImage(makeImage(t, gpt([]))), /no partition that could be its root/);
});

test("what is no image is refused with systemd-nspawn's status", (t) => {
  for (const path of ["/nonexistent/x.raw", "/etc", makeImage(t, []), makeImage(t, mbr(0x83))])
    assert.throws(() => readImage(path), (error: { code?: string; exitCode?: number }) => error.code === "BRIG_BAD_OPTION" && error.exitCode === 1);
});

test("whatever stands in the tables, reading them ends", (t) => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 2 * SECTOR, maxLength: 2 * SECTOR }), fc.boolean(), (bytes, signed) => {
    const image = makeImage(t, [[0, bytes], [510, Buffer.from([0x55, 0xaa])], ...(signed ? [[SECTOR, Buffer.from("EFI PART")] as [number, Uint8Array]] : [])]);
    try {
      const { offset, size } = readImage(image);
      assert.ok(offset >= 0 && size >= 0);
    } catch (error) {
      assert.equal((error as Error).name, "BrigError", String(error));
    }
  }), { numRuns: 40 });
});
