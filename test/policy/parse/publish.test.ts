import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parsePublish } from "../../../src/policy/parse/publish.js";
import { assertClear, assertRefused } from "./refuses.js";

test("a port of the host leads to one inside", () => {
  assert.deepEqual(parsePublish("8080:80"), [{ host: 8080, guest: 80, protocol: "tcp" }]);
  assert.deepEqual(parsePublish("127.0.0.1:5353:53/udp"), [{ host: 5353, guest: 53, protocol: "udp", address: "127.0.0.1" }]);
  assert.deepEqual(parsePublish("[::1]:8080:80/tcp"), [{ host: 8080, guest: 80, protocol: "tcp", address: "::1" }]);
});

test("a range is as many ports", () => {
  assert.deepEqual(
    parsePublish("8000-8002:80-82").map(({ host, guest }) => [host, guest]),
    [[8000, 80], [8001, 81], [8002, 82]],
  );
});

test("a port alone leaves the host's to be chosen, which 0 says", () => {
  assert.deepEqual(parsePublish("80"), [{ host: 0, guest: 80, protocol: "tcp" }]);
  assert.deepEqual(parsePublish("127.0.0.1::53/udp"), [{ host: 0, guest: 53, protocol: "udp", address: "127.0.0.1" }]);
  assert.deepEqual(parsePublish("8000-8001").map(({ host, guest }) => [host, guest]), [[0, 8000], [0, 8001]]);
});

test("what is not a published port is refused", () => {
  for (const value of ["", "80x", ":80", "80:", "a:80", "80:80/sctp", "::1:80:80", "80:80 "]) assertRefused(() => parsePublish(value, "--publish"), /is not a published port|no IP address/, "--publish");
  for (const value of ["0:80", "80:0", "65536:80", "82-80:80-82"]) assertRefused(() => parsePublish(value), /does not exist/);
  assertRefused(() => parsePublish("8000-8001:80"), /different length/);
  for (const value of ["host:80:80", "1.2.3:80:80", "[127.0.0.1]:80:80", "[::g]:80:80"]) assertRefused(() => parsePublish(value), /no IP address/);
});

test("every pair of ports comes back, and any text is ports or a clear refusal", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(fc.property(port, port, fc.ipV4(), (host, guest, address) => assert.deepEqual(parsePublish(`${address}:${host}:${guest}`), [{ host, guest, protocol: "tcp", address }])));
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("1", "9", ":", "-", "/", "t", "[", "]") }), (text) => assertClear(() => parsePublish(text))));
});
