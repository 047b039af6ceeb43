import assert from "node:assert/strict";
import test from "node:test";
import { ProgressReader } from "../../../src/rootfs/debootstrap/progress.js";

const MMDEBSTRAP = `I: automatically chosen mode: root
I: running apt-get update...
Get:1 http://a.invalid/debian bookworm InRelease [151 kB]
I: downloading packages with apt...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://a.invalid/debian bookworm/main amd64 dash amd64 0.5.12-2 [98.5 kB]
Get:2 http://a.invalid/debian bookworm/main amd64 sed amd64 4.9-1 [329 kB]
I: extracting archives...
I: installing essential packages...
Unpacking dash (0.5.12-2) ...
Setting up dash (0.5.12-2) ...
I: cleaning package lists and apt cache...
I: success in 16.7007 seconds`;

const DEBOOTSTRAP = `I: Target architecture can be executed
I: Retrieving InRelease
I: Checking Release signature
I: Retrieving Packages
I: Checking component main on http://a.invalid/debian...
I: Retrieving libacl1 2.3.1-3
I: Extracting libacl1...
I: Installing core packages...
I: Unpacking required packages...
I: Unpacking libacl1:amd64...
I: Configuring required packages...
I: Configuring libacl1:amd64...
I: Base system installed successfully.`;

for (const [tool, text] of [["mmdebstrap", MMDEBSTRAP], ["debootstrap", DEBOOTSTRAP]] as const) {
  test(`the stages of ${tool} come in order, and how far it is never goes back`, () => {
    const reader = new ProgressReader(tool);
    const told = text.split("\n").flatMap((line) => reader.read(line) ?? []);
    const stages = [...new Set(told.map(({ stage }) => stage))];
    assert.ok(stages.length >= 5, stages.join());
    told.reduce((before, { done }) => (assert.ok(done >= before && done <= 1), done), 0);
    assert.ok(told.some(({ item }) => item?.startsWith(tool === "mmdebstrap" ? "sed" : "libacl1")));
    assert.ok(told.at(-1)!.done > 0.75);
  });
}

test("lines that say nothing of it change nothing", () => {
  const reader = new ProgressReader("mmdebstrap");
  for (const line of ["", "Setting up dash", "\u001b[2J", "x".repeat(1e5)]) assert.equal(reader.read(line), undefined);
});
