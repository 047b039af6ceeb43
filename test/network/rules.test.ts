import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { formatAddress, isPublic, isWithin, readAddress, readRange, type Address } from "../../src/network/rules/address.js";
import { makeHostPolicy } from "../../src/network/rules/host-policy.js";
import { normaliseName, parseAllowedHost, parseDeniedHost } from "../../src/network/rules/host-rule.js";

const address = (text: string): Address => readAddress(text) as Address;

test("an address is read and written as the system does", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const read = readAddress(text);
    assert.ok(read);
    assert.deepEqual(readAddress(formatAddress(read)), read);
  }));
  assert.deepEqual(readAddress("::ffff:10.0.0.1"), readAddress("10.0.0.1"));
  for (const text of ["010.0.0.1", "10.1", "0x7f.0.0.1", "1.2.3.4 ", "fe80::1%eth0", "", "1.2.3.4.5"]) assert.equal(readAddress(text), undefined, text);
});

test("what is not of the internet at large is not public, hidden in IPv6 neither", () => {
  for (const text of ["127.0.0.1", "10.9.8.7", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.100.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "ff02::1", "::127.0.0.1"])
    assert.equal(isPublic(address(text)), false, text);
  for (const text of ["93.184.216.34", "172.32.0.1", "100.128.0.1", "8.8.8.8", "2606:2800::1", "2a00:1450::1"]) assert.equal(isPublic(address(text)), true, text);
});

test("a range has no bits behind its prefix and holds what begins like it", () => {
  assert.equal(readRange("10.0.0.1/8"), undefined);
  assert.equal(readRange("10.0.0.0/33"), undefined);
  const range = readRange("10.0.0.0/8");
  assert.ok(range && isWithin(address("10.255.0.1"), range) && !isWithin(address("11.0.0.1"), range) && !isWithin(address("::a00:1"), range));
});

test("rules are read with their ports and protocols", () => {
  assert.deepEqual(parseAllowedHost("Registry.NPMJS.org.:443"), { text: "Registry.NPMJS.org.:443", host: "registry.npmjs.org", ports: [{ first: 443, last: 443 }], protocol: "tcp" });
  assert.deepEqual(parseAllowedHost("*.debian.org").ports, [{ first: 80, last: 80 }, { first: 443, last: 443 }]);
  assert.equal(parseAllowedHost("bücher.example").host, "xn--bcher-kva.example");
  assert.equal(parseAllowedHost("a.test:123/udp").protocol, "udp");
  assert.equal(parseDeniedHost("a.test").protocol, undefined);
  assert.deepEqual(parseAllowedHost("[2001:db8::1]:8000-8010").host, readRange("2001:db8::1"));
  assert.deepEqual(parseAllowedHost("10.1.0.0/16:*").ports, [{ first: 1, last: 65535 }]);
  for (const text of ["", "a..b", "a.test:0", "a.test:70000", "a.test:9-8", "http://a.test", "a.*.test", "**.test", "a.test/udp", "0x7f.1", "1.2.3", "a b", "a\0b", "[::1", ":443", "-a.test"])
    assert.throws(() => parseAllowedHost(text), { code: "BRIG_BAD_VALUE" }, text);
});

test("a name has one form, and what might be an address has none", () => {
  assert.equal(normaliseName("A.Test."), "a.test");
  for (const name of ["a.test..", ".a", "1.2.3.4", "0x7f000001", "a.1", "a\0.test", "a test", "ä.test", "a".repeat(64), `${"a.".repeat(127)}aa`]) assert.equal(normaliseName(name), undefined, name);
});

test("a wildcard covers exactly the names below it, whatever they are", () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
  fc.assert(fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
    const name = [...labels, "x"].join(".");
    const policy = makeHostPolicy(["*.debian.org"], []);
    assert.ok(policy.allowsName(`${name}.debian.org`));
    assert.ok(!policy.allowsName(`${name}debian.org`));
    assert.ok(!policy.allowsName(`debian.org.${name}`));
  }));
  assert.ok(!makeHostPolicy(["*.debian.org"], []).allowsName("debian.org"));
});

test("denial beats allowance, by name, by port and by address", () => {
  const policy = makeHostPolicy(["*:*", "10.0.0.0/8:80", "a.test:53/udp"], ["bad.test", "half.test:80", "1.2.3.0/24", "10.0.0.1"]);
  const somewhere = address("93.184.216.34");
  assert.ok(!policy.allowsName("bad.test") && policy.allowsName("half.test"));
  assert.ok(!policy.allowsNameAt("half.test", somewhere, 80, "tcp") && policy.allowsNameAt("half.test", somewhere, 443, "tcp"));
  assert.ok(!policy.allowsNameAt("a.test", address("1.2.3.4"), 443, "tcp") && !policy.allowsAnswer(address("1.2.3.4")));
  assert.ok(policy.allowsNameAt("a.test", somewhere, 53, "udp") && !policy.allowsNameAt("a.test", somewhere, 54, "udp") && !policy.allowsNameAt("b.test", somewhere, 53, "udp"));
  assert.ok(policy.allowsAddress(address("10.0.0.2"), 80, "tcp") && !policy.allowsAddress(address("10.0.0.2"), 80, "udp") && !policy.allowsAddress(address("10.0.0.1"), 80, "tcp") && !policy.allowsAddress(somewhere, 80, "tcp"));
  assert.ok(policy.allowsAnswer(address("10.0.0.2")) && !policy.allowsAnswer(address("192.168.0.1")));
});

test("nothing allowed is nothing", () => {
  fc.assert(fc.property(fc.domain(), fc.ipV4(), fc.integer({ min: 1, max: 65535 }), (name, ip, port) => {
    const policy = makeHostPolicy([], []);
    assert.ok(!policy.allowsName(name) && !policy.allowsAddress(address(ip), port, "tcp") && !policy.allowsNameAt(name, address(ip), port, "tcp"));
  }));
});
