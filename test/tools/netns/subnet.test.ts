import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { addressOf, findFreeSubnet, formatSubnet, overlaps, parseSubnet, readSubnet } from "../../../src/tools/netns/subnet.js";

test("a network has its two ends' addresses", () => {
  const subnet = parseSubnet("10.77.0.0/30");
  assert.deepEqual([addressOf(subnet, 1), addressOf(subnet, 2), formatSubnet(subnet)], ["10.77.0.1", "10.77.0.2", "10.77.0.0/30"]);
});

test("what is no network with room for two is refused, with the network that was meant", () => {
  for (const bad of ["", "10.0.0.0", "10.0.0.0/31", "10.0.0.0/7", "256.0.0.0/24", "10.0.0/24", "10.0.0.0/24 ", "::/64"])
    assert.throws(() => parseSubnet(bad), /no IPv4 network/, bad);
  assert.throws(() => parseSubnet("10.0.0.5/24"), { hint: "the network is 10.0.0.0/24" });
});

test("the free network that is found meets none that is taken", () => {
  // 20 networks of which 32 would fill the pool
  const taken = fc.array(fc.record({ a: fc.integer({ min: 88, max: 91 }), b: fc.nat(255), c: fc.nat(255), bits: fc.integer({ min: 19, max: 32 }) }), { maxLength: 20 });
  fc.assert(
    fc.property(taken, (list) => {
      const others = list.map(({ a, b, c, bits }) => readSubnet(`100.${a}.${b}.${c}/${bits}`)!);
      const found = findFreeSubnet(others);
      assert.ok(others.every((other) => !overlaps(found, other)));
      assert.equal(found.bits, 30);
    }),
  );
  assert.throws(() => findFreeSubnet([readSubnet("0.0.0.0/0")!]), /no free network/);
});

test("routes are read as ip prints them", () => {
  assert.equal(readSubnet("default"), undefined);
  assert.equal(readSubnet("fe80::/64"), undefined);
  assert.deepEqual(formatSubnet(readSubnet("10.0.0.7/24")!), "10.0.0.0/24");
  assert.deepEqual(readSubnet("10.0.0.7")?.bits, 32);
});
