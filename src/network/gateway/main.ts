import { fstatSync, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { makeHostPolicy } from "../rules/host-policy.js";
import { type AttemptLog, makeAttemptLog } from "./attempt-log.js";
import { findClientSocket } from "./client-socket.js";
import { serveConnections } from "./connections.js";
import { relayDatagrams } from "./datagrams.js";
import { type OnQuestion, serveDatagrams, serveStreams } from "./dns-server.js";
import type { GatewayConfig } from "./config.js";
import { makeHttpGate } from "./http-gate.js";
import { makeOpenings } from "./openings.js";
import { type FindProgram, makeProgramFinder } from "./program.js";
import { makeResolver } from "./resolver.js";

/*
 * The only way out of a sandbox with an allow-list: a companion (launcher/plan.h, OP_COMPANION) that stands outside,
 * with sockets inside. Its configuration comes on standard input; it ends with the sandbox, whose end closes LEASH.
 */
const LEASH = 3;
/** In the order in which src/plan/compile/gateway.ts asks for them, IPv4 first. */
const SOCKETS = { tcp: [4, 8], datagrams: [5, 9], streams: [6, 10], udp: [7, 11] } as const;
const NOBODY = 65534;

function main(): void {
  const config = JSON.parse(readFileSync(0, "utf8")) as GatewayConfig;
  const leash = new Socket({ fd: LEASH });
  const findProgram = makeProgramFinder();
  const log = makeAttemptLog(config.logs.map((path) => openLog(path)));
  // kept as the working folder: the pid may be another's once the sandbox is gone, and /proc may hide it from nobody
  process.chdir(`/proc/${config.pid}/net`);
  giveUpRights();
  serve(config, log, findProgram);
  for (const event of ["end", "close", "error"]) leash.once(event, () => void log.flush().then(() => process.exit(0)));
  leash.resume();
  leash.write("r");
}

/** Appended to; never through a link, which somebody else may have laid. */
function openLog(path: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = process.getBuiltinModule("node:fs").constants;
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
}

/** It reads what the payload sends: root's rights would be its prize. */
function giveUpRights(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([NOBODY]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}

function serve(config: GatewayConfig, log: AttemptLog, findProgram: FindProgram): void {
  const policy = makeHostPolicy(config.allow, config.deny);
  const openings = makeOpenings();
  const resolve = makeResolver({ policy, openings, servers: config.servers });
  const http = makeHttpGate();
  const gate = { policy, openings, http, log, findProgram };
  const onQuestion: OnQuestion = ({ protocol, address, port }) => {
    const inode = findClientSocket(protocol, { address, port })?.inode ?? "0";
    const program = findProgram(inode);
    return ({ name, reason }) => log.note({ verdict: reason === undefined ? "allowed" : "denied", kind: "dns", name, reason }, program);
  };
  for (const fd of SOCKETS.tcp) if (isSocket(fd)) serveConnections(fd, gate);
  SOCKETS.datagrams.forEach((fd, index) => isSocket(fd) && serveDatagrams(fd, index === 0 ? "udp4" : "udp6", resolve, onQuestion));
  SOCKETS.udp.forEach((fd, index) => isSocket(fd) && relayDatagrams(fd, index === 0 ? "udp4" : "udp6", gate));
  for (const fd of SOCKETS.streams) if (isSocket(fd)) serveStreams(fd, resolve, onQuestion);
}

/** A host without IPv6 has only those of IPv4. */
function isSocket(descriptor: number): boolean {
  return fstatSync(descriptor).isSocket();
}

// a fault in one connection is not the end of all, and nothing is open because of it
process.on("uncaughtException", () => undefined);
try {
  main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
