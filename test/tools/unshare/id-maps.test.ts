import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { combineMaps, parseMapRange } from "../../../src/tools/unshare/id-maps.js";

const lines = (...args: Parameters<typeof combineMaps>) =>
  combineMaps(...args).map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`);

test("the manual's example: root in front, the block behind it, its highest id lost", () => {
  assert.deepEqual(lines({ outer: 100000, inner: 0, count: 65536 }, { outer: 1000, inner: 0 }), ["0 1000 1", "1 100000 65535"]);
});

test("a single id in the middle of the block splits it", () => {
  assert.deepEqual(lines({ outer: 100000, inner: 0, count: 10 }, { outer: 1000, inner: 5 }), ["5 1000 1", "0 100000 5", "6 100005 4"]);
});

test("a single id that meets the block nowhere leaves it whole", () => {
  assert.deepEqual(lines({ outer: 100000, inner: 0, count: 10 }, { outer: 1000, inner: 1000 }), ["1000 1000 1", "0 100000 10"]);
  assert.deepEqual(lines({ outer: 100000, inner: 0, count: 10 }, undefined), ["0 100000 10"]);
});

test("no map overlaps itself, inside or outside, and only ids of the block are mapped", () => {
  const id = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(id, id, fc.integer({ min: 1, max: 30 }), id, id, (outer, inner, count, singleOuter, singleInner) => {
      const maps = combineMaps({ outer, inner, count }, { outer: singleOuter, inner: singleInner });
      const insides = maps.flatMap(({ containerID, size }) => Array.from({ length: size }, (_, at) => containerID + at));
      const outsides = maps.flatMap(({ hostID, size }) => Array.from({ length: size }, (_, at) => hostID + at));
      assert.equal(new Set(insides).size, insides.length);
      assert.equal(new Set(outsides).size, outsides.length);
      for (const value of insides.slice(1)) assert.ok(value >= inner && value < inner + count);
      for (const value of outsides.slice(1)) assert.ok(value >= outer && value < outer + count);
      assert.ok(insides.length - 1 >= count - 1);
    }),
  );
});

test("both forms of a block are read, and nothing else", () => {
  assert.deepEqual(parseMapRange("100000,0,65536"), { outer: 100000, inner: 0, count: 65536 });
  assert.deepEqual(parseMapRange("0:100000:65536"), { outer: 100000, inner: 0, count: 65536 });
  assert.equal(parseMapRange("auto"), "auto");
  for (const bad of ["", "1", "1,2", "1,2,0", "1,2,3,4", "a,b,c", "-1,0,1", "4294967295,0,1", "1:2,3", "1,2,3 "])
    assert.throws(() => parseMapRange(bad), { code: "BRIG_BAD_VALUE" }, bad);
});
