import { findCompanion } from "../../host/find-companion.js";
import type { NetworkFilter } from "../../spec/extension.js";
import { addStep, type Context, refuse } from "./context.js";

const POINTER = "/annotations/dev.brig.network";
const TIMEOUT_MS = 10_000;

/** Where the gateway listens inside: ports that no payload without rights can take from it. */
const DNS_PORT = 53;
const CONNECTION_PORT = 1023;

/** Addresses of the sandbox, of networks that are nobody's (RFC 5737, 3849): some programs look up no names without one. */
const ADDRESS4 = "192.0.2.2";
const ADDRESS6 = "2001:db8::2";

/**
 * A network with nothing but loopback, on which every address of the world is local: what goes anywhere is led to
 * brig's gateway, whose sockets are inside and which is itself outside. There is no other way out, so that when the
 * gateway is gone, or the payload could change these rules, nothing is reachable.
 */
export function compileGateway(context: Context, filter: NetworkFilter): void {
  const nft = findProgram(context, "nft", "nftables");
  const ip = findProgram(context, "ip", "iproute2");
  const inside = (argv: string[], input: string, optional = false): void =>
    addStep(context, "parent", { op: "RUN_INSIDE", argv, input, timeoutMs: TIMEOUT_MS, ...(optional ? { optional } : {}) }, POINTER);
  inside([nft, "-f", "-"], renderRules(filter));
  inside([ip, "-batch", "-"], `link set lo up\naddress add ${ADDRESS4}/32 dev lo\nroute add default dev lo src ${ADDRESS4}\n`);
  // a host may have no IPv6
  inside([ip, "-6", "-batch", "-"], `address add ${ADDRESS6}/128 dev lo nodad\nroute add default dev lo src ${ADDRESS6}\n`, true);
  const argv = [process.execPath, findCompanion("gateway")];
  addStep(context, "parent", { op: "COMPANION", argv, input: configure(context, filter), timeoutMs: TIMEOUT_MS, sockets: encodeSockets(), endSignal: 0, substitute: true }, POINTER);
}

function findProgram({ host, extension }: Context, name: string, debian: string): string {
  const path = host.hasTool(name);
  if (path) return path;
  throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `a network of allowed hosts needs ${name}`, `apt-get install ${debian}`);
}

/** "%p" and "%i" are the launcher's to fill in. */
function configure({ options, extension, inPlace }: Context, { allow, deny, servers = [], log }: NetworkFilter): string {
  const own = options.runFolder === undefined || extension.stateless || inPlace ? [] : [`${options.runFolder.replaceAll("%", "%%")}/%i/network.log`];
  const rest = JSON.stringify({ allow, deny, servers }).replaceAll("%", "%%").slice(1);
  const logs = JSON.stringify([...own, ...(log === undefined ? [] : [log.replaceAll("%", "%%")])]);
  return `{"pid":%p,"logs":${logs},${rest}`;
}

/** In the order that src/network/gateway/main.ts expects: for each family connections, DNS datagrams, DNS streams, other datagrams. */
function encodeSockets(): Uint8Array {
  const [inet, inet6, stream, datagram] = [2, 10, 1, 2];
  const sockets = [inet, inet6].flatMap((family) => [
    [family, stream, CONNECTION_PORT, family === inet ? 0 : 1],
    [family, datagram, DNS_PORT, family === inet ? 0 : 1],
    [family, stream, DNS_PORT, family === inet ? 0 : 1],
    [family, datagram, CONNECTION_PORT, family === inet ? 0 : 1],
  ]);
  return new Uint8Array(new Uint16Array(sockets.flat()).buffer);
}

/** Questions for names go to the gateway whomever they are meant for; what is neither TCP nor a named port of UDP
 * ends here. */
function renderRules({ loopback = [], udp = [] }: NetworkFilter): string {
  const datagrams = udp.map(({ first, last }) => `    udp dport ${first}-${last} redirect to :${CONNECTION_PORT}\n`).join("");
  const named = loopback.map(({ address, first, last }) => `    ${address.includes(":") ? "ip6" : "ip"} daddr ${address} tcp dport ${first}-${last} redirect to :${CONNECTION_PORT}\n`);
  return `table inet brig {
  chain lead {
    type nat hook output priority -100; policy accept;
    meta l4proto { tcp, udp } th dport ${DNS_PORT} redirect to :${DNS_PORT}
${named.join("")}    ip daddr { 127.0.0.0/8, ${ADDRESS4} } return
    ip6 daddr { ::1, ${ADDRESS6} } return
${datagrams}    meta l4proto tcp redirect to :${CONNECTION_PORT}
  }
  chain hold {
    type filter hook output priority filter; policy drop;
    ip daddr { 127.0.0.0/8, ${ADDRESS4} } accept
    ip6 daddr { ::1, ${ADDRESS6} } accept
    ip saddr 127.0.0.0/8 accept
    ip6 saddr ::1 accept
    reject with icmpx admin-prohibited
  }
}
`;
}
