import { createServer, type IncomingMessage, request as startRequest, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { normaliseName } from "../rules/host-rule.js";
import { splice } from "./dial.js";

/** A connection that speaks HTTP, and what may be asked over it. */
export interface HttpConnection {
  port: number;
  /** Whether requests for this name may be sent where the connection goes. */
  allows(name: string): boolean;
  /** A connection to where the name is. */
  dial(name: string): Promise<Socket>;
  /** Told of every request; `reason` where it was refused. */
  note(name: string, reason?: string): void;
}

/** Between two hops only (RFC 9110 7.6.1); "expect" has been answered here. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "upgrade", "http2-settings", "expect"]);

/**
 * Every request of a connection is read and written anew, so that none hides behind another one, and each must be for
 * a name that is allowed where the connection goes.
 */
export interface HttpGate {
  /** Takes over a connection, with what was read of it put back. */
  take(client: Socket, connection: HttpConnection): void;
}

export function makeHttpGate(): HttpGate {
  const connections = new WeakMap<Socket, HttpConnection>();
  const server: Server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
  const judge = (request: IncomingMessage): { connection: HttpConnection; name: string } | string => {
    const connection = connections.get(request.socket);
    if (!connection) return "no connection of a sandbox";
    const name = findName(request, connection.port);
    if (name === undefined) return "no host, or several";
    if (connection.allows(name)) return { connection, name };
    connection.note(name, "the Host of a request is not what the connection is allowed for");
    return "this sandbox may not reach that host";
  };
  server.on("request", (request, response) => {
    const judged = judge(request);
    if (typeof judged === "string") return refuse(request, response, judged);
    judged.connection.note(judged.name);
    void forward(request, response, judged).catch(() => fail(response));
  });
  server.on("connect", (request, socket) => {
    connections.get(request.socket)?.note(String(request.url).slice(0, 253), "CONNECT through an allowed host");
    socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    socket.on("error", () => socket.destroy());
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.on("finish", () => socket.destroySoon());
    const judged = judge(request);
    if (typeof judged === "string") return refuse(request, response, judged);
    judged.connection.note(judged.name);
    // an upgrade to HTTP/2 would hide the names of later requests; who asks for one goes on without (RFC 9110 7.8)
    const web = request.headers.upgrade?.toLowerCase() === "websocket";
    void (web ? forwardUpgrade(request, response, socket, head, judged) : forward(request, response, judged)).catch(() => fail(response));
  });
  return {
    take(client, connection) {
      connections.set(client, connection);
      server.emit("connection", client);
    },
  };
}

/** The one name that a request is for: of its Host, which must be there once, and of its target where that has one. */
function findName(request: IncomingMessage, port: number): string | undefined {
  const hosts = request.headersDistinct["host"] ?? [];
  if (hosts.length !== 1) return undefined;
  const name = readAuthority(hosts[0] ?? "", port);
  const target = request.url ?? "";
  if (target.startsWith("/") || target === "*") return name;
  const absolute = /^http:\/\/([^/?#]*)/i.exec(target);
  return absolute && readAuthority(absolute[1] ?? "", port) === name ? name : undefined;
}

/** "NAME" or "NAME:PORT", where the port must be the connection's. */
function readAuthority(text: string, port: number): string | undefined {
  const match = /^([^:@\s]+)(?::(\d{1,5}))?$/.exec(text);
  return match?.[1] === undefined || (match[2] !== undefined && Number(match[2]) !== port) ? undefined : normaliseName(match[1]);
}

type Judged = { connection: HttpConnection; name: string };

function listHeaders(headers: NodeJS.Dict<string[]>): [string, string[]][] {
  const named = new Set((headers["connection"] ?? []).join(",").toLowerCase().split(",").map((name) => name.trim()));
  return Object.entries(headers).flatMap(([name, values]) => (values && !HOP_BY_HOP.has(name) && !(named.has(name) && name !== "host") ? [[name, values]] : []));
}

async function open(request: IncomingMessage, { connection, name }: Judged, upgrade = false): Promise<ReturnType<typeof startRequest>> {
  const socket = await connection.dial(name);
  const path = (request.url ?? "/").replace(/^http:\/\/[^/?#]*/i, "") || "/";
  const outgoing = startRequest({ createConnection: () => socket, method: request.method, path: path.startsWith("?") ? `/${path}` : path, setHost: false });
  for (const [header, values] of listHeaders(request.headersDistinct)) outgoing.setHeader(header, header === "host" ? (values[0] as string) : values);
  outgoing.setHeader("connection", upgrade ? "Upgrade" : "close");
  if (upgrade) outgoing.setHeader("upgrade", "websocket");
  return outgoing;
}

async function forward(request: IncomingMessage, response: ServerResponse, judged: Judged): Promise<void> {
  const outgoing = await open(request, judged);
  outgoing.on("response", (answer) => passOn(answer, response)).on("error", () => fail(response));
  response.on("close", () => outgoing.destroy());
  request.on("error", () => outgoing.destroy());
  request.pipe(outgoing);
}

/** A head that Node would not write ends the request: nothing of it is passed on. */
function passOn(answer: IncomingMessage, response: ServerResponse): void {
  try {
    writeHead(answer, response);
  } catch {
    answer.destroy();
    return fail(response);
  }
  answer.on("error", () => response.destroy()).on("aborted", () => response.destroy());
  answer.pipe(response);
}

function writeHead(answer: IncomingMessage, response: ServerResponse): void {
  for (const [header, values] of listHeaders(answer.headersDistinct)) response.setHeader(header, values);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? "");
}

async function forwardUpgrade(request: IncomingMessage, response: ServerResponse, client: Socket, head: Buffer, judged: Judged): Promise<void> {
  const outgoing = await open(request, judged, true);
  outgoing.on("response", (answer) => passOn(answer, response)).on("error", () => fail(response));
  outgoing.on("upgrade", (answer, server: Socket, first) => {
    response.detachSocket(client);
    const lines = answer.rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${answer.rawHeaders[index + 1]}`] : []));
    client.write([`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...lines, "", ""].join("\r\n"), "latin1");
    client.write(first);
    server.write(head);
    splice(client, server);
  });
  outgoing.end();
}

function refuse(request: IncomingMessage, response: ServerResponse, why: string): void {
  response.writeHead(403, { "content-type": "text/plain", connection: "close" });
  response.end(`brig: ${why}\n`);
  request.resume();
}

function fail(response: ServerResponse): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(502, { "content-type": "text/plain", connection: "close" });
  response.end("brig: the host does not answer\n");
}
