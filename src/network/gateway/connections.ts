import { createServer, type Server, type Socket } from "node:net";
import { formatAddress, readAddress } from "../rules/address.js";
import type { HostPolicy } from "../rules/host-policy.js";
import { normaliseName } from "../rules/host-rule.js";
import type { AttemptLog } from "./attempt-log.js";
import { findClientSocket } from "./client-socket.js";
import { dial, splice } from "./dial.js";
import { readOpening } from "./first-bytes.js";
import type { HttpGate } from "./http-gate.js";
import type { Openings } from "./openings.js";
import type { FindProgram } from "./program.js";

export interface Gate {
  policy: HostPolicy;
  openings: Openings;
  http: HttpGate;
  log: AttemptLog;
  findProgram: FindProgram;
}

const MOST_CONNECTIONS = 512;
/** Ports on which nothing but HTTP and HTTPS is let through: every byte there can be held against a name. */
const WEB_PORTS = new Set([80, 443]);
/** How long a client on another port may wait for the server to speak first. */
const SILENCE_MS = 250;
const WEB_SILENCE_MS = 60_000;

/** Serves the socket to which every connection of the sandbox is led, wherever it wanted to go. */
export function serveConnections(descriptor: number, gate: Gate): Server {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on("error", () => client.destroy());
    void serveConnection(client, gate).catch(() => client.resetAndDestroy());
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on("error", () => undefined);
  return server.listen({ fd: descriptor });
}

/** A connection with what is known of it. */
interface Known {
  client: Socket;
  gate: Gate;
  address: string;
  port: number;
  /** The names that are allowed at that address and port. */
  names: string[];
  /** Settles when it is known who tried, so that a program which is refused is still there to be named. */
  note(kind: "tcp" | "tls" | "http", name?: string, reason?: string): Promise<void>;
}

async function serveConnection(client: Socket, gate: Gate): Promise<void> {
  const found = findClientSocket("tcp", { address: client.remoteAddress ?? "", port: client.remotePort ?? 0 });
  const address = found?.address === undefined ? undefined : readAddress(found.address);
  if (!found || !address) return void client.resetAndDestroy();
  const text = formatAddress(address);
  const program = gate.findProgram(found.inode);
  const names = gate.openings.namesOf(text).filter((name) => gate.policy.allowsNameAt(name, address, found.port, "tcp"));
  const note: Known["note"] = (kind, name, reason) => gate.log.note({ verdict: reason === undefined ? "allowed" : "denied", kind, name, address: text, port: found.port, reason }, program);
  const known: Known = { client, gate, address: text, port: found.port, names, note };
  if (gate.policy.allowsAddress(address, found.port, "tcp")) return connectThrough(known);
  if (names.length > 0) return connectByName(known);
  await note("tcp", gate.openings.namesOf(text)[0], gate.openings.namesOf(text).length > 0 ? "the name is not allowed at this port" : "no allowed name has this address now");
  client.resetAndDestroy();
}

/** The address itself is allowed: what is said over it is nobody's business. */
async function connectThrough(known: Known): Promise<void> {
  void known.note("tcp");
  splice(known.client, await dial([known.address], known.port));
}

async function connectByName(known: Known): Promise<void> {
  const { client, port } = known;
  const web = WEB_PORTS.has(port);
  let opening = await readOpening(client, web ? WEB_SILENCE_MS : SILENCE_MS);
  let server: Socket | undefined;
  if (opening.kind === "silent" && !web) {
    // the server speaks first; what the client says then is held against the name all the same
    server = await dial(listAddresses(known, known.names[0] as string), port);
    opening = await listenFirst(known, server);
  }
  const reason = judgeOpening(known, opening, web);
  if (reason !== undefined) return await refuse(known, server, opening, reason);
  if (opening.kind === "http") {
    server?.destroy();
    return takeHttp(known);
  }
  const name = opening.kind === "tls" ? normaliseName(opening.name ?? "") : known.names[0];
  void known.note(opening.kind === "tls" ? "tls" : "tcp", name);
  splice(client, server ?? (await dial(listAddresses(known, name as string), port)));
}

/** Passes on what the server says until the client does. */
async function listenFirst(known: Known, server: Socket): ReturnType<typeof readOpening> {
  const pass = (chunk: Buffer): void => {
    if (known.client.write(chunk)) return;
    server.pause();
    known.client.once("drain", () => server.resume());
  };
  server.on("error", () => known.client.resetAndDestroy()).on("data", pass);
  server.once("end", () => known.client.end());
  const opening = await readOpening(known.client, 2 ** 31 - 1);
  server.off("data", pass);
  return opening;
}

function judgeOpening(known: Known, opening: Awaited<ReturnType<typeof readOpening>>, web: boolean): string | undefined {
  if (opening.kind === "bad") return opening.why;
  if (opening.kind === "silent") return "it said nothing";
  if (opening.kind === "other") return web ? "neither HTTP nor TLS on a port of the web" : undefined;
  if (opening.kind === "http") return undefined;
  if (opening.name === undefined) return "TLS that names no server";
  const name = normaliseName(opening.name);
  return name !== undefined && known.names.includes(name) ? undefined : "TLS for a name that is not allowed at this address";
}

async function refuse(known: Known, server: Socket | undefined, opening: Awaited<ReturnType<typeof readOpening>>, reason: string): Promise<void> {
  const tls = opening.kind === "tls";
  await known.note(tls ? "tls" : "tcp", tls ? opening.name?.slice(0, 253) : known.names[0], reason);
  server?.destroy();
  known.client.resetAndDestroy();
}

/** The address that was asked for first, then the name's others: the client believes that it is connected already. */
function listAddresses({ gate, address, port }: Known, name: string): string[] {
  const others = gate.openings.addressesOf(name).filter((other) => other !== address);
  return [address, ...others.filter((other) => gate.policy.allowsNameAt(name, readAddress(other) as NonNullable<ReturnType<typeof readAddress>>, port, "tcp"))];
}

function takeHttp(known: Known): void {
  known.client.allowHalfOpen = true;
  known.gate.http.take(known.client, {
    port: known.port,
    allows: (name) => known.names.includes(name),
    dial: (name) => dial(listAddresses(known, name), known.port),
    note: (name, reason) => void known.note("http", name, reason),
  });
}
