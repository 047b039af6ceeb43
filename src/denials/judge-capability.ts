import type { WatchEvent } from "../plan/watch/events.js";
import { number } from "./accesses.js";
import { readInternetAddress } from "./address.js";
import type { Finding } from "./denial.js";
import { type Inside, originAt } from "./inside.js";
import { hasOwnNetwork } from "./judge-network.js";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_TYPE = 0xf;
/** net.ipv4.ip_unprivileged_port_start of a new network namespace. */
const FIRST_FREE_PORT = 1024;

/**
 * A call that the filter lets through and the kernel refuses for want of a capability, which the caller has on the
 * host: root, that is. Told by its arguments (capabilities(7)).
 */
export function judgeCapability(inside: Inside, event: WatchEvent): Finding | undefined {
  if (inside.euid !== 0) return undefined;
  const needed = findNeeded(inside, event);
  if (!needed || inside.spec.process?.capabilities?.effective?.includes(needed.capability)) return undefined;
  const origin = originAt(inside, "/process/capabilities");
  return { kind: "capability", what: `${event.call}(${needed.detail})`, want: "call", rule: `it takes ${needed.capability}`, ...(origin ? { origin } : {}), allow: `--cap-add ${needed.capability.slice("CAP_".length)}` };
}

interface Needed {
  capability: string;
  detail: string;
}

function findNeeded(inside: Inside, event: WatchEvent): Needed | undefined {
  const own = { uid: inside.spec.process?.user?.uid ?? 0, gid: inside.spec.process?.user?.gid ?? 0 };
  const { call } = event;
  if (CHOWN_AT[call] !== undefined) return needsOther("CAP_CHOWN", [number(event, CHOWN_AT[call])], own.uid) ?? needsOther("CAP_CHOWN", [number(event, CHOWN_AT[call] + 1)], own.gid);
  if (call === "setgroups") return { capability: "CAP_SETGID", detail: `${number(event, 0)} groups` };
  if (IDS[call] !== undefined) return needsOther(call.includes("gid") ? "CAP_SETGID" : "CAP_SETUID", Array.from({ length: IDS[call] }, (_, index) => number(event, index)), call.includes("gid") ? own.gid : own.uid);
  if (call === "socket") return needsRaw(event);
  return call === "bind" && hasOwnNetwork(inside) ? needsPort(event) : undefined;
}

/** Where the new owner stands; its group is the next argument. */
const CHOWN_AT: Record<string, number> = { chown: 1, lchown: 1, fchown: 1, fchownat: 2 };
/** How many ids a call sets. */
const IDS: Record<string, number> = { setuid: 1, setgid: 1, setreuid: 2, setregid: 2, setresuid: 3, setresgid: 3 };

/** -1 leaves an id as it is. */
function needsOther(capability: string, ids: number[], own: number): Needed | undefined {
  const other = ids.find((id) => id !== -1 && id !== own);
  return other === undefined ? undefined : { capability, detail: String(other >>> 0) };
}

function needsRaw(event: WatchEvent): Needed | undefined {
  const family = number(event, 0);
  const isRaw = (number(event, 1) & SOCK_TYPE) === SOCK_RAW && (family === AF_INET || family === AF_INET6);
  return isRaw ? { capability: "CAP_NET_RAW", detail: "SOCK_RAW" } : undefined;
}

function needsPort(event: WatchEvent): Needed | undefined {
  const address = readInternetAddress(event.addresses.get(1));
  return address && address.port > 0 && address.port < FIRST_FREE_PORT ? { capability: "CAP_NET_BIND_SERVICE", detail: `port ${address.port}` } : undefined;
}
