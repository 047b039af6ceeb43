/*
 * What runs inside: tries one thing after another and prints how it ended, a line each. argv: words of
 *   tcp ADDRESS PORT [TEXT]   what comes back      udp ADDRESS PORT        what comes back
 *   udp-to ADDRESS PORT      the same from a connected socket
 *   dns SERVER HEX            the answer's code    look NAME               addresses
 *   abstract NAME             what comes back      wait MS
 */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect } from "node:net";

const words = process.argv.slice(2).map((word) => word.split(" "));

function tryStream(options: { host: string; port: number } | { path: string }, text = ""): Promise<string> {
  return new Promise((done) => {
    let got = "";
    const socket = connect(options, () => socket.write(Buffer.from(text.replaceAll("\\n", "\r\n").replaceAll("_", " "))));
    socket.setTimeout(1500, () => (socket.destroy(), done(`got ${JSON.stringify(got)}`)));
    socket.on("data", (chunk) => (got += chunk.toString("latin1"))).on("error", (error) => done(got ? `got ${JSON.stringify(got)}` : ((error as NodeJS.ErrnoException).code ?? "error")));
    socket.on("end", () => (socket.destroy(), done(`got ${JSON.stringify(got)}`)));
  });
}

function tryDatagram(address: string, port: number, message: Buffer, connected = false): Promise<Buffer | string> {
  return new Promise((done) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const end = (result: Buffer | string): void => (clearTimeout(timer), socket.close(), done(result));
    const timer = setTimeout(() => end("silence"), 1500);
    socket.on("message", end).on("error", (error) => end((error as NodeJS.ErrnoException).code ?? "error"));
    const sent = (error: Error | null): void => void (error && end((error as NodeJS.ErrnoException).code ?? "error"));
    if (connected) socket.connect(port, address, () => socket.send(message, sent));
    else socket.send(message, port, address, sent);
  });
}

for (const [what, ...rest] of words) {
  const [first = "", second = "", third] = rest;
  let result = "?";
  if (what === "tcp") result = await tryStream({ host: first, port: Number(second) }, third);
  if (what === "abstract") result = await tryStream({ path: `\0${first}` });
  if (what === "udp") result = String(await tryDatagram(first, Number(second), Buffer.from("hello")));
  if (what === "udp-to") result = String(await tryDatagram(first, Number(second), Buffer.from("hello"), true));
  if (what === "look") result = await lookup(first, { all: true }).then((found) => found.map(({ address }) => address).join(" "), (error: NodeJS.ErrnoException) => error.code ?? "error");
  if (what === "dns") {
    const answer = await tryDatagram(first, 53, Buffer.from(second, "hex"));
    result = typeof answer === "string" ? answer : `code ${(answer[3] as number) & 15} answers ${answer.readUInt16BE(6)}`;
  }
  if (what === "wait") await new Promise((done) => setTimeout(done, Number(first)));
  console.log(result);
}
