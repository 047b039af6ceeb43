/*
 * What stands for the internet in these tests, in a network namespace of its own: argv is a certificate and its key.
 * Says "ready" when everything listens, then a line for each thing that reaches it.
 */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer } from "node:net";
import { ADDRESSES, NAMES } from "./internet-names.js";

const [, , certificate = "", key = ""] = process.argv;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const all = Object.values(ADDRESSES);
const ready: Promise<unknown>[] = [];

const answer: RequestListener = (request, response) => {
  const where = `${request.socket.localAddress} ${request.headers.host}${request.url}`;
  say(`http ${where}`);
  let size = 0;
  request.on("data", (chunk: Buffer) => (size += chunk.length)).on("end", () => response.end(`${request.method} ${where} ${size}\n`));
};
for (const address of all) {
  const web = createHttp(answer).on("upgrade", (request, socket) => {
    say(`upgrade ${request.headers.host}`);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.pipe(socket);
  }).on("connect", (request, socket) => {
    say(`connect ${request.url}`);
    socket.end("HTTP/1.1 200 OK\r\n\r\ntunnel\n");
  });
  for (const port of [80, 8080]) ready.push(new Promise((done) => createServer((socket) => web.emit("connection", socket)).listen(port, address, () => done(0))));
  const tls = createHttps({ cert: readFileSync(certificate), key: readFileSync(key) }, answer);
  ready.push(new Promise((done) => tls.listen(443, address, () => done(0))));
  // it speaks first, as SSH and SMTP do, and then sends everything back
  const echo = createServer((socket) => {
    say(`echo ${address}`);
    socket.on("error", () => socket.destroy()).write("welcome\n");
    socket.pipe(socket);
  });
  ready.push(new Promise((done) => echo.listen(22, address, () => done(0))));
  for (const port of [123, 443, 53]) {
    const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
    udp.on("message", (message, from) => (say(`udp ${address} ${port}`), udp.send(message, from.port, from.address)));
    ready.push(new Promise((done) => udp.bind(port, address, () => done(0))));
  }
}
ready.push(new Promise((done) => createServer((socket) => (say("local"), socket.end("local\n"))).listen(5432, "127.0.0.1", () => done(0))));
ready.push(new Promise((done) => createServer((socket) => (say("abstract"), socket.end("abstract\n"))).listen("\0brig-test-internet", () => done(0))));

/** A resolver that knows NAMES: the question is sent back with answers behind it. */
const dns = createSocket("udp4");
dns.on("message", (message, from) => {
  let end = 12;
  const labels: string[] = [];
  while (message[end]) labels.push(message.toString("latin1", end + 1, (end += 1 + (message[end] as number))));
  const type = message.readUInt16BE(end + 1);
  const name = labels.join(".").toLowerCase();
  say(`dns ${name}`);
  const known = NAMES[name];
  const records = (known?.addresses ?? []).filter((address) => (type === 28) === address.includes(":") && (type === 1 || type === 28));
  const head = Buffer.from(message.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (known ? 0 : 3), 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  const body = records.map((address) => {
    const bytes = address.includes(":") ? Buffer.from("2606280000000000000000000000000" + address.slice(-1), "hex") : Buffer.from(address.split(".").map(Number));
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(known?.ttl ?? 60, 6);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, bytes]);
  });
  dns.send(Buffer.concat([head, message.subarray(12, end + 5), ...body]), from.port, from.address);
});
ready.push(new Promise((done) => dns.bind(5300, "127.0.0.1", () => done(0))));

await Promise.all(ready);
say("ready");
