import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { EventReader } from "../../src/plan/watch/events.js";

function makeReport(call: number, paths: string[]): Buffer {
  const head = Buffer.alloc(88);
  head.writeUInt32LE(77, 4);
  head.writeUInt32LE(call, 8);
  head.writeUInt32LE(0xc000003e, 12);
  head.write("sh", 72);
  const parts = paths.map((path, index) => {
    const body = Buffer.concat([Buffer.alloc(24), Buffer.from(`${path}\0${path}\0`)]);
    const part = Buffer.alloc(8);
    part.writeUInt16LE(index, 0);
    part.writeUInt16LE(2, 2);
    part.writeUInt32LE(body.length, 4);
    return Buffer.concat([part, body]);
  });
  const whole = Buffer.concat([head, ...parts]);
  whole.writeUInt32LE(whole.length, 0);
  return whole;
}

test("reports are read whole, wherever the stream is cut", () => {
  const stream = Buffer.concat([makeReport(257, ["/a", "/b"]), makeReport(2, ["/c//./d"]), makeReport(0, [])]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 6 }), (cuts) => {
      const reader = new EventReader();
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const events = places.slice(1).flatMap((end, index) => reader.push(stream.subarray(places[index], end)));
      assert.deepEqual(events.map(({ call, program, paths }) => [call, program, paths.map(({ asked }) => asked)]), [["openat", "sh", ["/a", "/b"]], ["open", "sh", ["/c/d"]], ["read", "sh", []]]);
    }),
  );
});

test("a part that claims to be longer than its report is cut, and a report that claims to be huge is refused", () => {
  const report = makeReport(257, ["/a"]);
  report.writeUInt32LE(0xffffff, 92);
  assert.equal(new EventReader().push(report)[0]?.paths[0]?.asked, "/a");
  report.writeUInt32LE(0x7fffffff, 0);
  assert.throws(() => new EventReader().push(report), RangeError);
});
