import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { formatAddress, readInternetAddress, readQuestion } from "../../src/denials/address.js";

const ipv4 = (host: string, port: number): Buffer => Buffer.from([2, 0, port >> 8, port & 255, ...host.split(".").map(Number), 0, 0, 0, 0, 0, 0, 0, 0]);
const ipv6 = (groups: number[], port: number): Buffer => {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt16LE(10, 0);
  bytes.writeUInt16BE(port, 2);
  groups.forEach((group, index) => bytes.writeUInt16BE(group, 8 + 2 * index));
  return bytes;
};

test("addresses are read as people write them", () => {
  assert.equal(formatAddress(readInternetAddress(ipv4("1.2.3.4", 443))!), "1.2.3.4:443");
  assert.equal(formatAddress(readInternetAddress(ipv6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 80))!), "[2001:db8::1]:80");
  assert.equal(formatAddress(readInternetAddress(ipv6([0, 0, 0, 0, 0, 0, 0, 1], 80))!), "[::1]:80");
  assert.equal(formatAddress(readInternetAddress(ipv6([0xfe80, 0, 0, 0, 1, 0, 0, 0], 1))!), "[fe80::1:0:0:0]:1");
});

test("loopback is known by every name that it has", () => {
  for (const bytes of [ipv4("127.0.0.1", 1), ipv4("127.9.9.9", 1), ipv4("0.0.0.0", 1), ipv6([0, 0, 0, 0, 0, 0, 0, 1], 1), ipv6([0, 0, 0, 0, 0, 0, 0, 0], 1), ipv6([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], 1)])
    assert.equal(readInternetAddress(bytes)?.loopback, true, bytes.toString("hex"));
  for (const bytes of [ipv4("128.0.0.1", 1), ipv6([0, 0, 0, 0, 0, 0, 0, 2], 1), ipv6([0, 0, 0, 0, 0, 0xffff, 0x0a00, 1], 1)]) assert.equal(readInternetAddress(bytes)?.loopback, false);
});

test("a question for a name is read, and nothing else is taken for one", () => {
  const question = Buffer.from("1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 6f7267 00 0001 0001".replaceAll(" ", ""), "hex");
  assert.equal(readQuestion(question), "example.org");
  for (let size = 0; size < question.length; size++) assert.equal(readQuestion(question.subarray(0, size)), undefined, String(size));
  const answer = Buffer.from(question);
  answer[2] = 0x81;
  assert.equal(readQuestion(answer), undefined);
  const steering = Buffer.from(question);
  steering[13] = 0x1b;
  assert.equal(readQuestion(steering), undefined);
});

test("whatever a payload puts there, reading it ends without an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 140 }), (bytes) => {
      readQuestion(Buffer.from(bytes));
      const address = readInternetAddress(Buffer.from(bytes));
      if (address) formatAddress(address);
    }),
  );
});
