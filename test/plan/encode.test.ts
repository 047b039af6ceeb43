import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { BrigError } from "../../src/error/brig-error.js";
import { addBytes, addWords, formatHash, hashToBigInt, makeHash } from "../../src/plan/checksum.js";
import { decodePlan } from "../../src/plan/decode.js";
import { encodePlan } from "../../src/plan/encode.js";
import { HEADER } from "../../src/plan/format.js";
import { makeEmptyPlan } from "../../src/plan/plan.js";
import { anyPlan } from "./plans.js";

const refused = (error: unknown): boolean => error instanceof BrigError && error.code === "BRIG_BAD_PLAN";

test("what is decoded is what was encoded", () => {
  fc.assert(fc.property(anyPlan, (plan) => {
    const decoded = decodePlan(encodePlan(plan));
    delete decoded.note.pointers;
    delete decoded.note.steps;
    assert.deepEqual(decoded, structuredClone(plan));
  }));
});

test("a plan that is cut short anywhere is refused", () => {
  fc.assert(fc.property(anyPlan, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (plan, part) => {
    const bytes = encodePlan(plan);
    assert.throws(() => decodePlan(bytes.subarray(0, Math.floor(bytes.length * part))), refused);
  }));
});

test("a plan with something behind it is refused", () => {
  assert.throws(() => decodePlan(Buffer.concat([encodePlan(makeEmptyPlan()), Buffer.from("x")])), refused);
});

test("a plan with any bit altered before its note is refused", () => {
  fc.assert(fc.property(anyPlan, fc.nat(), fc.integer({ min: 0, max: 7 }), (plan, place, bit) => {
    const bytes = Buffer.from(encodePlan(plan));
    const at = place % (bytes.length - bytes.readUInt32LE(HEADER.note_size));
    bytes[at] = (bytes[at] as number) ^ (1 << bit);
    assert.throws(() => decodePlan(bytes), refused);
  }));
});

test("a plan that lies, with a checksum that fits, is refused or decoded whole, never an accident", () => {
  fc.assert(fc.property(anyPlan, fc.nat(), fc.integer({ min: 0, max: 255 }), (plan, place, byte) => {
    const bytes = Buffer.from(encodePlan(plan));
    const summed = bytes.length - bytes.readUInt32LE(HEADER.note_size);
    bytes[HEADER.build + (place % (summed - HEADER.build))] = byte;
    const end = bytes.length - Math.min(bytes.length, bytes.readUInt32LE(HEADER.note_size));
    bytes.writeBigUInt64LE(hashToBigInt(addWords(makeHash(), bytes, HEADER.build, end)), HEADER.checksum);
    try {
      decodePlan(bytes);
    } catch (error) {
      assert.ok(refused(error), String(error));
    }
  }), { numRuns: 500 });
});

test("a NUL in a string is refused, and so is an empty string where one is needed", () => {
  const plan = makeEmptyPlan();
  plan.steps.child.push({ op: "MASK", path: "/a\0b" });
  assert.throws(() => encodePlan(plan), { code: "BRIG_BAD_TEXT" });
  plan.steps.child = [{ op: "MASK", path: "" }];
  assert.throws(() => encodePlan(plan), { code: "BRIG_BAD_TEXT" });
});

test("a step in a phase where it may not stand is refused", () => {
  const plan = makeEmptyPlan();
  plan.steps.host.push({ op: "NO_NEW_PRIVS" });
  assert.throws(() => encodePlan(plan), { code: "BRIG_BAD_PLAN" });
});

test("the checksum is FNV-1a 64", () => {
  assert.equal(formatHash(addBytes(makeHash(), Buffer.from("foobar"))), "85944171f73967e8");
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    let plain = 0xcbf29ce484222325n;
    for (const byte of bytes) plain = ((plain ^ BigInt(byte)) * 0x100000001b3n) & (2n ** 64n - 1n);
    assert.equal(hashToBigInt(addBytes(makeHash(), bytes)), plain);
  }));
});

test("a string that stands in many steps is written once", () => {
  const plan = makeEmptyPlan();
  const path = `/${"long".repeat(50)}`;
  for (let n = 0; n < 20; n++) plan.steps.child.push({ op: "MASK", path });
  assert.equal(Buffer.from(encodePlan(plan)).toString("latin1").split(path).length, 2);
});
