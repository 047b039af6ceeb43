import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { decodePlan } from "../../src/plan/decode.js";
import { encodePlan } from "../../src/plan/encode.js";
import { dropNote, patchPlan } from "../../src/plan/patch.js";
import { makeEmptyPlan, type Plan } from "../../src/plan/plan.js";

function makePlan(candidates: string[], argv: string[], environment: string[], path: string): Plan {
  const plan = makeEmptyPlan();
  plan.steps.host.push({ op: "OPEN", slot: 0, path: "/some/path", flags: 0 });
  plan.steps.payload.push({ op: "CWD", path, create: 0 }, { op: "SESSION" }, { op: "EXEC", candidates, argv, environment, saying: "" });
  return plan;
}

const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0") && Buffer.from(text).toString() === text);
const words = fc.array(word, { maxLength: 8 });

test("a patched plan says what one that was encoded with the same words says", () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.array(word, { minLength: 1 }), words, word.filter((path) => path !== ""), fc.nat(), (candidates, argv, env, cwd, timeoutMs) => {
      const template = encodePlan(makePlan(["/"], ["/"], ["A=1"], "/old"));
      const { note: _, ...patched } = decodePlan(Buffer.concat([patchPlan(template, { candidates, argv, env, cwd, timeoutMs, graceMs: 7 })]));
      const wanted = makePlan(candidates, argv, env, cwd);
      wanted.run = { ...wanted.run, timeoutMs, graceMs: 7 };
      const { note: __, ...expected } = decodePlan(encodePlan(wanted));
      const plain = ({ steps, run }: typeof patched): unknown => JSON.parse(JSON.stringify({ steps, run }, (key, value) => (key === "origin" ? undefined : value)));
      assert.deepEqual(plain(patched), plain(expected));
    }),
  );
});

test("a plan without its note is the same to the launcher", () => {
  const whole = encodePlan(makePlan(["/a"], ["a"], [], "/"));
  const bare = dropNote(whole);
  assert.ok(bare.length < whole.length);
  assert.deepEqual(bare.subarray(112, -2), whole.subarray(112, bare.length - 2));
});

test("a NUL in a word is refused, and what is not given stays", () => {
  const template = encodePlan(makePlan(["/"], ["/"], ["A=1"], "/old"));
  assert.throws(() => patchPlan(template, { candidates: ["/a"], argv: ["a\0b"], env: [] }), { code: "BRIG_BAD_TEXT" });
  const { steps } = decodePlan(Buffer.from(patchPlan(template, { candidates: ["/a"], argv: ["a"], env: [] })));
  assert.deepEqual(steps.payload[0], { op: "CWD", path: "/old", create: 0 });
});
