import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { checkMappings } from "../../src/spec/check-mappings.js";
import { normalizeSysctl } from "../../src/spec/check-sysctl.js";

test("ranges are refused exactly when an id stands in two of them on one side", () => {
  const range = fc.record({ containerID: fc.nat(20), hostID: fc.nat(20), size: fc.integer({ min: 1, max: 6 }) });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), (mappings) => {
      const repeats = (["containerID", "hostID"] as const).some((side) => {
        const ids = mappings.flatMap((mapping) => Array.from({ length: mapping.size }, (_, index) => mapping[side] + index));
        return new Set(ids).size < ids.length;
      });
      assert.equal(checkMappings("uidMappings", mappings).length > 0, repeats);
    }),
  );
});

test("more ranges than the kernel takes are refused", () => {
  const ranges = (count: number) => Array.from({ length: count }, (_, index) => ({ containerID: index, hostID: index, size: 1 }));
  assert.deepEqual(checkMappings("uidMappings", ranges(340)), []);
  assert.equal(checkMappings("uidMappings", ranges(341)).length, 1);
});

test("a sysctl's two spellings are one name", () => {
  assert.equal(normalizeSysctl("net.ipv4.ip_forward"), "net.ipv4.ip_forward");
  assert.equal(normalizeSysctl("net/ipv4/ip_forward"), "net.ipv4.ip_forward");
  assert.equal(normalizeSysctl("net/ipv4/conf/eth0.1/forwarding"), "net.ipv4.conf.eth0/1.forwarding");
  assert.equal(normalizeSysctl("net.ipv4.conf.eth0/1.forwarding"), "net.ipv4.conf.eth0/1.forwarding");
});

test("no name leads out of its folder below /proc/sys, in either spelling", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(".", "/", "a", "net") }), (name) => {
      const dotted = normalizeSysctl(name);
      const parts = dotted?.split(".").map((part) => part.replaceAll("/", "."));
      assert.ok(!parts?.some((part) => part === "" || part === "." || part === ".."), `${name} → ${dotted}`);
    }),
  );
});
