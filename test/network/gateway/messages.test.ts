import assert from "node:assert/strict";
import { createServer } from "node:net";
import { connect } from "node:tls";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { readClientHello } from "../../../src/network/gateway/client-hello.js";
import { type Question, readQuestion, TYPE, writeAnswer } from "../../../src/network/gateway/dns-message.js";
import { judge } from "../../../src/network/gateway/first-bytes.js";
import { makeOpenings } from "../../../src/network/gateway/openings.js";

function ask(name: string, type: number, edns = false): Buffer {
  const labels = name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const tail = Buffer.from([0, 0, type, 0, 1]);
  const head = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, edns ? 1 : 0]);
  return Buffer.concat([head, ...labels, tail, edns ? Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]) : Buffer.alloc(0)]);
}

test("a question is read with its name, type and room", () => {
  const question = readQuestion(ask("Good.test", TYPE.AAAA, true));
  assert.equal(question?.name, "Good.test");
  assert.equal(question?.type, 28);
  assert.equal(question?.room, 1232);
});

test("no bytes make the readers throw or hang", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    const question = readQuestion(Buffer.from(bytes));
    if (question) writeAnswer(question, { rcode: 0, blocked: true });
    readClientHello(Buffer.from([22, 3, 1, ...bytes]));
    judge(Buffer.from(bytes));
  }), { numRuns: 2000 });
});

test("a name with a NUL or a dot inside a label is not taken for another one", () => {
  const message = ask("good.test", TYPE.A);
  message[13] = 0;
  assert.equal(readQuestion(message)?.name, undefined);
  message[13] = 46;
  assert.equal(readQuestion(message)?.name, undefined);
});

test("an answer repeats the question, fits its room and says that a policy blocked it", () => {
  const question = readQuestion(ask("good.test", TYPE.A, true)) as Question;
  const many = Array.from({ length: 200 }, (_, index) => Buffer.from([1, 2, 3, index]));
  const answer = writeAnswer(question, { rcode: 0, addresses: many, ttl: 60 });
  assert.ok(answer.length <= 1232 && answer.readUInt16BE(6) > 50);
  assert.equal(answer.readUInt16BE(0), 0x1234);
  assert.ok(answer.includes(question.raw));
  assert.equal(writeAnswer(question, { rcode: 3, blocked: true }).subarray(-6).toString("hex"), "000f0002000f");
});

async function sayHello(servername: string): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const hello = new Promise<Buffer>((done) => server.once("connection", (socket) => socket.once("data", (chunk) => (socket.destroy(), done(chunk)))));
  const client = connect({ host: "127.0.0.1", port: (server.address() as { port: number }).port, servername, rejectUnauthorized: false }).on("error", () => undefined);
  const bytes = await hello;
  client.destroy();
  server.close();
  return bytes;
}

test("the name is found in a ClientHello, also one in pieces, and in no part of one", async () => {
  const bytes = await sayHello("good.test");
  assert.deepEqual(readClientHello(bytes), { state: "whole", name: "good.test" });
  for (let size = 0; size < bytes.length; size += 7) assert.equal(readClientHello(bytes.subarray(0, size)).state, "more", String(size));
  const body = bytes.subarray(5);
  const records = Array.from({ length: Math.ceil(body.length / 50) }, (_, index) => body.subarray(index * 50, index * 50 + 50)).flatMap((part) => [Buffer.from([22, 3, 1, 0, part.length]), part]);
  assert.deepEqual(readClientHello(Buffer.concat(records)), { state: "whole", name: "good.test" });
  assert.deepEqual(readClientHello(await sayHello("")), { state: "whole", name: undefined });
});

test("what a connection is can be told from its first bytes, and not before there are enough", () => {
  const kind = (text: string): string | undefined => judge(Buffer.from(text))?.kind;
  for (const text of ["GET / HTTP/1.1\r\n", "\r\n\r\nfoo * HTTP/1.0\n", "PRI * HTTP/2.0\r\n", "get  /\thttp/1.1"]) assert.equal(kind(text), "http", text);
  for (const text of ["SSH-2.0-OpenSSH\r\n", "EHLO me\r\n", "\x00\x00\x00\x08", "\xff\xfb", "GET /\r\n"]) assert.equal(kind(text), "other", text);
  for (const text of ["", "GE", "GET", "GET /a", "\r\n", "GET / HTTP"]) assert.equal(kind(text), undefined, text);
});

test("an address is open for its names until their answers end, and memory has an end", () => {
  let now = 0;
  const openings = makeOpenings(() => now);
  assert.ok(openings.open("a.test", "1.2.3.4", 1000) && openings.open("b.test", "1.2.3.4", 3000) && openings.open("a.test", "1.2.3.4", 10));
  now = 999;
  assert.deepEqual(openings.namesOf("1.2.3.4"), ["a.test", "b.test"]);
  now = 1000;
  assert.deepEqual(openings.namesOf("1.2.3.4"), ["b.test"]);
  assert.deepEqual(openings.addressesOf("b.test"), ["1.2.3.4"]);
  let taken = 0;
  while (taken < 50_000 && openings.open(`n${taken}.test`, "1.2.3.4", 5000)) taken++;
  assert.ok(taken < 50_000);
  now = 10_000;
  assert.ok(openings.open("c.test", "5.6.7.8", 1000));
});
