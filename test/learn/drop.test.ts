import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { dropUnneeded } from "../../src/learn/drop.js";

test("what is needed stays, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 }), fc.func(fc.boolean()), async (items, isNeeded) => {
      const needed = items.filter((item) => isNeeded(item));
      const kept = await dropUnneeded(items, (part) => Promise.resolve(needed.every((item) => part.includes(item))));
      assert.deepEqual(kept, needed);
    }),
  );
});

test("of two things of which one is enough, the later one stays", async () => {
  assert.deepEqual(await dropUnneeded(["wide", "narrow"], (part) => Promise.resolve(part.length > 0)), ["narrow"]);
});

test("a long list of which one thing is needed takes few tries", async () => {
  let tries = 0;
  const items = Array.from({ length: 256 }, (_, index) => index);
  await dropUnneeded(items, (part) => Promise.resolve((tries++, part.includes(100))));
  assert.ok(tries < 40, String(tries));
});
