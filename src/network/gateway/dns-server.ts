import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type Question, readQuestion, writeAnswer } from "./dns-message.js";
import type { Resolve } from "./resolver.js";

/** Told of every question, with the asker's end, so that the program can be found while it waits. */
export type OnQuestion = (asked: { protocol: "tcp" | "udp"; address: string; port: number }) => (resolved: Awaited<ReturnType<Resolve>>) => Promise<void>;

const IDLE_MS = 10_000;
const MOST_CONNECTIONS = 64;
const WHOLE_MESSAGE = 65535;

export function serveDatagrams(descriptor: number, type: "udp4" | "udp6", resolve: Resolve, onQuestion: OnQuestion): DatagramSocket {
  const socket = createSocket(type);
  socket.on("error", () => undefined); // an asker that is gone
  socket.on("message", (message: Buffer, from: RemoteInfo) => {
    const question = readQuestion(message);
    if (!question) return;
    const tell = onQuestion({ protocol: "udp", address: from.address, port: from.port });
    void resolve(question).then(async (resolved) => {
      await tell(resolved);
      socket.send(writeAnswer(question, resolved.answer), from.port, from.address);
    });
  });
  socket.bind({ fd: descriptor });
  return socket;
}

/** RFC 7766: messages with their length in front, answered one after another. */
export function serveStreams(descriptor: number, resolve: Resolve, onQuestion: OnQuestion): Server {
  const server = createServer((socket) => void serveStream(socket, resolve, onQuestion).catch(() => socket.destroy()));
  server.maxConnections = MOST_CONNECTIONS;
  server.on("error", () => undefined);
  return server.listen({ fd: descriptor });
}

async function serveStream(socket: Socket, resolve: Resolve, onQuestion: OnQuestion): Promise<void> {
  socket.setTimeout(IDLE_MS, () => socket.destroy()).on("error", () => socket.destroy());
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const end = 2 + bytes.readUInt16BE(0);
      const question = readQuestion(bytes.subarray(2, end));
      bytes = bytes.subarray(end);
      if (question) await answer(socket, question, resolve, onQuestion);
    }
  }
}

async function answer(socket: Socket, question: Question, resolve: Resolve, onQuestion: OnQuestion): Promise<void> {
  const tell = onQuestion({ protocol: "tcp", address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
  const resolved = await resolve(question);
  await tell(resolved);
  const message = writeAnswer(question, resolved.answer, WHOLE_MESSAGE);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(message.length);
  socket.write(Buffer.concat([size, message]));
}
