import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fc } from "../../fast-check.js";
import { BrigError } from "../../../src/error/brig-error.js";
import { openFileBytes } from "../../../src/rootfs/elf/file-bytes.js";
import { type ElfFile, readElf } from "../../../src/rootfs/elf/read-elf.js";
import { openLibraryResolver } from "../../../src/rootfs/elf/resolve-libraries.js";
import { openSourceRoot } from "../../../src/rootfs/elf/source-root.js";

const folder = mkdtempSync(join(tmpdir(), "brig-elf-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function read(bytes: Buffer): ElfFile {
  const path = join(folder, "file");
  writeFileSync(path, bytes);
  const file = openFileBytes(path)!;
  try {
    return readElf(file, path);
  } finally {
    file.close();
  }
}

/** The least program that needs one library, of either class and byte order, as elf(5) lays it out. */
function writeElf(wide: boolean, little: boolean): Buffer {
  const bytes = Buffer.alloc(1024);
  const half = (value: number, at: number) => (little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at));
  const word = (value: number, at: number) => (little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at));
  const long = (value: number, at: number) => (wide ? (little ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeBigUInt64BE(BigInt(value), at)) : word(value, at));
  bytes.write("\x7fELF", 0, "latin1");
  bytes.set([wide ? 2 : 1, little ? 1 : 2, 1], 4);
  half(3, 16);
  half(wide ? 21 : 20, 18);
  const [table, size] = wide ? [64, 56] : [52, 32];
  long(table, wide ? 32 : 28);
  half(size, wide ? 54 : 42);
  half(3, wide ? 56 : 44);
  const segment = (index: number, type: number, offset: number, vaddr: number, length: number) => {
    const at = table + index * size;
    word(type, at);
    long(offset, at + (wide ? 8 : 4));
    long(vaddr, at + (wide ? 16 : 8));
    long(length, at + (wide ? 32 : 16));
  };
  segment(0, 1, 0, 0x10000, 1024);
  segment(1, 2, 512, 0x10200, 256);
  segment(2, 3, 400, 0x10190, 12);
  bytes.write("/lib/ld.so.1", 400, "latin1");
  bytes[411] = 0;
  const tags = [[1, 1], [5, 0x10000 + 800], [10, 32], [29, 10], [0, 0]];
  tags.forEach(([tag, value], index) => {
    long(tag!, 512 + index * (wide ? 16 : 8));
    long(value!, 512 + index * (wide ? 16 : 8) + (wide ? 8 : 4));
  });
  bytes.write("\0libx.so\0$ORIGIN\0", 799 + 1, "latin1");
  return bytes;
}

for (const wide of [false, true]) {
  for (const little of [false, true]) {
    test(`a program of ${wide ? 64 : 32} bits, ${little ? "little" : "big"} end first, is read`, () => {
      const elf = read(writeElf(wide, little));
      assert.deepEqual([elf.bits, elf.littleEndian, elf.machine], [wide ? 64 : 32, little, wide ? 21 : 20]);
      assert.deepEqual([elf.interpreter, elf.needed, elf.runpath], ["/lib/ld.so.", ["libx.so"], "ORIGIN"]);
    });
  }
}

/** Anything but an answer or a clear error is a fault, and so is taking long. */
function survives(bytes: Buffer): void {
  try {
    const elf = read(bytes);
    assert.ok(elf.needed.every((name) => typeof name === "string"));
  } catch (error) {
    assert.ok(error instanceof BrigError, String(error));
    assert.equal(error.code, "BRIG_BAD_ELF");
  }
}

test("a real program with any bytes changed gives an answer or a clear error", () => {
  const whole = readFileSync("/usr/bin/env");
  const change = fc.tuple(fc.nat({ max: 1200 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
    const bytes = Buffer.from(whole);
    for (const [at, value] of changes) bytes[at < 4 ? 4 : at] = value;
    survives(bytes);
  }), { numRuns: 400 });
});

test("a small program with its tables changed gives an answer or a clear error", () => {
  const words = fc.array(fc.tuple(fc.nat({ max: 1020 }), fc.constantFrom(0, 1, 0xffff, 0x7fffffff, 0xffffffff, 800, 1023)), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(fc.boolean(), fc.boolean(), words, (wide, little, changes) => {
    const bytes = writeElf(wide, little);
    for (const [at, value] of changes) bytes.writeUInt32LE(value, Math.max(4, at));
    survives(bytes);
  }), { numRuns: 1000 });
});

test("a program cut anywhere gives an answer or a clear error", () => {
  const whole = writeElf(true, true);
  for (let length = 4; length < whole.length; length += 3) survives(whole.subarray(0, length));
});

test("a claim of gigabytes is refused and nothing of that size is reserved", () => {
  const bytes = writeElf(true, true);
  bytes.writeBigUInt64LE(1n << 40n, 64 + 56 + 32);
  assert.throws(() => read(bytes), { code: "BRIG_BAD_ELF", message: /dynamic section/ });
});

test("a program that asks for a thousand libraries in a thousand folders is refused in seconds", () => {
  const bytes = Buffer.concat([writeElf(true, true), Buffer.alloc(40_000)]);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 64 + 32);
  bytes.writeBigUInt64LE(16n * 1010n, 64 + 56 + 32);
  bytes.writeBigUInt64LE(20_000n, 64 + 56 + 8);
  const tags = [[5, 0x10000 + 2000], [10, 18_000], [29, 9000], ...Array.from({ length: 1000 }, (_, index) => [1, 1 + index * 8])];
  tags.forEach(([tag, value], index) => {
    bytes.writeBigUInt64LE(BigInt(tag!), 20_000 + index * 16);
    bytes.writeBigUInt64LE(BigInt(value!), 20_000 + index * 16 + 8);
  });
  for (let index = 0; index < 1000; index++) bytes.write(`lib${1000 + index}\0`, 2001 + index * 8, "latin1");
  bytes.write(`${"/usr/lib/..:".repeat(740)}/x\0`, 2000 + 9000, "latin1");
  const path = join(folder, "greedy");
  writeFileSync(path, bytes);
  const root = openSourceRoot("/");
  const resolver = openLibraryResolver(root, { hwcaps: [] });
  const file = root.resolve(path)!;
  const elf = resolver.read(file)!;
  assert.equal(elf.needed.length, 1000);
  assert.throws(() => resolver.resolveProgram(path, file, { ...elf, interpreter: "/lib/ld.so" }), { code: "BRIG_BAD_ELF", message: /too many places/ });
});
