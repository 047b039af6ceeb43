import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { formatAddress, readAddress } from "../rules/address.js";
import { findClientSocket } from "./client-socket.js";
import type { Gate } from "./connections.js";

/** One socket of the payload's, and the one outside that stands for it. */
interface Flow {
  upstream: Socket;
  /** Until when it may send without being judged again. */
  judged: number;
  idle: NodeJS.Timeout;
}

const MOST_FLOWS = 256;
const IDLE_MS = 60_000;
/** A socket may be connected anew, and an answer's life may end. */
const JUDGED_MS = 2000;

/**
 * Passes on datagrams to ports that were named. Where one wanted to go is known only of a socket that is connected
 * (connect(2)); others are refused.
 */
export function relayDatagrams(descriptor: number, type: "udp4" | "udp6", gate: Gate): void {
  const flows = new Map<string, Flow>();
  // what comes while the first of a flow is judged waits for it
  const beginning = new Map<string, Promise<Flow | undefined>>();
  const inside = createSocket(type);
  const drop = (key: string): void => {
    const flow = flows.get(key);
    if (!flow || !flows.delete(key)) return;
    clearTimeout(flow.idle);
    flow.upstream.close();
  };
  const begin = async (key: string, from: RemoteInfo): Promise<Flow | undefined> => {
    const to = await judge(gate, from);
    if (!to || flows.size + beginning.size > MOST_FLOWS) return undefined;
    const upstream = createSocket(to.address.includes(":") ? "udp6" : "udp4");
    const flow = { upstream, judged: Date.now() + JUDGED_MS, idle: setTimeout(() => drop(key), IDLE_MS) };
    flows.set(key, flow);
    upstream.on("error", () => drop(key));
    upstream.on("message", (message) => inside.send(message, from.port, from.address));
    // connected, so that nobody else's datagrams come back
    await new Promise<void>((resolve) => upstream.connect(to.port, to.address, () => resolve()));
    return flow;
  };
  const beginOnce = (key: string, from: RemoteInfo): Promise<Flow | undefined> => {
    const begun = beginning.get(key) ?? begin(key, from).finally(() => beginning.delete(key));
    beginning.set(key, begun);
    return begun;
  };
  inside.on("error", () => undefined);
  inside.on("message", (message, from) => {
    const key = `${from.address} ${from.port}`;
    const known = flows.get(key);
    if (known && known.judged < Date.now()) drop(key);
    void (async () => {
      const flow = flows.get(key) ?? (await beginOnce(key, from));
      flow?.idle.refresh();
      flow?.upstream.send(message);
    })().catch(() => drop(key));
  });
  inside.bind({ fd: descriptor });
}

async function judge(gate: Gate, from: RemoteInfo): Promise<{ address: string; port: number } | undefined> {
  const found = findClientSocket("udp", { address: from.address, port: from.port });
  const program = gate.findProgram(found?.inode ?? "0");
  const address = readAddress(found?.address ?? "");
  if (!found || !address) return void (await gate.log.note({ verdict: "denied", kind: "udp", reason: "its socket is not connected, so that nobody knows where it wanted to go" }, program));
  const text = formatAddress(address);
  const name = gate.openings.namesOf(text).find((each) => gate.policy.allowsNameAt(each, address, found.port, "udp"));
  const allowed = name !== undefined || gate.policy.allowsAddress(address, found.port, "udp");
  const noted = gate.log.note({ verdict: allowed ? "allowed" : "denied", kind: "udp", name, address: text, port: found.port, ...(allowed ? {} : { reason: "no allowed name has this address now" }) }, program);
  if (allowed) return { address: text, port: found.port };
  await noted;
  return undefined;
}
