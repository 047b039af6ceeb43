import assert from "node:assert/strict";
import { test } from "node:test";
import { BIND, CLONE, RUN } from "../../src/plan/format.js";
import { isParkable, listSources } from "../../src/plan/parkable.js";
import { makeEmptyPlan, type Plan } from "../../src/plan/plan.js";

function makePlan(change: (plan: Plan) => void = () => undefined): Plan {
  const plan = makeEmptyPlan();
  plan.run = { ...plan.run, flags: RUN.INIT, cloneFlags: CLONE.pid };
  plan.steps.host.push({ op: "OPEN_TREE", slot: 0, path: "/usr", recursive: 1, nofollow: 0 });
  plan.steps.child.push({ op: "ROOT", slot: 1 }, { op: "BIND", source: "/etc", target: "/etc", set: 0, clear: 0, flags: 0, propagation: 0 });
  plan.steps.child.push({ op: "BIND", source: "/inside", target: "/there", set: 0, clear: 0, flags: BIND.FROM_NEW_ROOT, propagation: 0 });
  plan.steps.payload.push({ op: "SESSION" }, { op: "EXEC", candidates: ["/bin/true"], argv: ["true"], environment: [], saying: "" });
  change(plan);
  return plan;
}

test("a sandbox with an init of its own that nobody sees from outside may be made ahead", () => {
  assert.equal(isParkable(makePlan()), true);
});

const others: [string, (plan: Plan) => void][] = [
  ["without an init", ({ run }) => (run.flags = 0)],
  ["that is detached", ({ run }) => (run.flags |= RUN.DETACH)],
  ["whose folder is kept", ({ run }) => (run.flags |= RUN.KEEP_STATE)],
  ["in the host's pid namespace", ({ run }) => (run.cloneFlags = 0)],
  ["with an id that was given", ({ run }) => (run.id = "mine")],
  ["whose init is restricted apart from the payload", ({ steps }) => steps.init.push({ op: "NO_NEW_PRIVS" })],
  ["that others find by its folder", ({ steps }) => steps.host.push({ op: "STATE", folder: "/run/brig", config: "{}" })],
  ["that starts a host program", ({ steps }) => steps.parent.push({ op: "RUN", argv: ["/bin/true"], input: "", timeoutMs: 0 } as never)],
  ["that executes nothing", ({ steps }) => steps.payload.pop()],
  ["whose command holds its id", ({ steps }) => Object.assign(steps.payload.at(-1) as object, { substitute: true })],
];
for (const [what, change] of others)
  test(`one ${what} may not`, () => {
    assert.equal(isParkable(makePlan(change)), false);
  });

test("what it was made from is what it opens and mounts of the host", () => {
  assert.deepEqual(listSources(makePlan()), ["/usr", "/etc"]);
});
