import type { WatchEvent } from "../plan/watch/events.js";
import { number } from "./accesses.js";
import { formatAddress, type InternetAddress, readInternetAddress, readQuestion } from "./address.js";
import type { Finding } from "./denial.js";
import type { HostSockets } from "./host-sockets.js";
import { type Inside, originAt } from "./inside.js";

const AF_UNIX = 1;
const DNS = 53;
const POINTER = "/annotations/dev.brig.network";

/** What of the network a payload tried to reach, and could not. Remembers who talks to a name server. */
export class NetworkJudge {
  private readonly asking = new Set<number>();

  constructor(
    private readonly inside: Inside,
    private readonly sockets: HostSockets,
  ) {}

  judge(event: WatchEvent): Finding | undefined {
    if (!hasOwnNetwork(this.inside)) return undefined;
    if (event.call === "connect") return this.judgeAddress(event, event.addresses.get(1));
    if (event.call === "sendto") return this.judgeAddress(event, event.addresses.get(4)) ?? this.judgeQuestion(event);
    return event.call === "sendmmsg" ? this.judgeQuestion(event) : undefined;
  }

  private judgeAddress(event: WatchEvent, bytes: Buffer | undefined): Finding | undefined {
    if (bytes && bytes.length > 3 && bytes.readUInt16LE(0) === AF_UNIX && bytes[2] === 0) return this.judgeAbstract(event, bytes);
    const address = readInternetAddress(bytes);
    if (!address || address.port === 0) return undefined;
    if (address.port === DNS) this.asking.add(event.pid);
    return address.loopback ? this.judgeLoopback(address) : this.judgeOutside(address);
  }

  private judgeOutside(address: InternetAddress): Finding | undefined {
    if (hasWayOut(this.inside)) return undefined;
    const rule = "the sandbox has no network but its own loopback";
    return this.find(formatAddress(address), address.port === DNS ? `${rule}, so that names cannot be looked up` : rule, "--net user");
  }

  /** The sandbox's own loopback: only what listens on the host is missed. */
  private judgeLoopback(address: InternetAddress): Finding | undefined {
    if (!this.sockets.listens(address.port)) return undefined;
    return this.find(formatAddress(address), "the loopback is the sandbox's own; the host's has a listener there", "--net host");
  }

  private judgeAbstract(event: WatchEvent, bytes: Buffer): Finding | undefined {
    const size = Math.min(number(event, 2), bytes.length);
    const name = bytes.toString("utf8", 3, size).replaceAll("\0", "@");
    if (!this.sockets.hasAbstract(name)) return undefined;
    return this.find(`@${name}`, "abstract sockets belong to the network namespace", "--net host --landlock none");
  }

  private judgeQuestion(event: WatchEvent): Finding | undefined {
    if (hasWayOut(this.inside) || !this.asking.has(event.pid)) return undefined;
    const name = readQuestion(event.bytes.get(1));
    return name === undefined ? undefined : this.find(`the name ${name}`, "the sandbox has no network but its own loopback", "--net user");
  }

  private find(what: string, rule: string, allow: string): Finding {
    const origin = originAt(this.inside, POINTER);
    return { kind: "network", what, want: "connect", rule, ...(origin ? { origin } : {}), allow };
  }
}

/** A network namespace of its own: new, or one that was joined. */
export function hasOwnNetwork({ spec }: Inside): boolean {
  return spec.linux?.namespaces?.some(({ type }) => type === "network") ?? false;
}

/** What a way out lets through is for those to say who are on it. */
export function hasWayOut({ spec, extension }: Inside): boolean {
  const joined = spec.linux?.namespaces?.some(({ type, path }) => type === "network" && path !== undefined) ?? false;
  return joined || (extension.network !== undefined && extension.network.mode !== "none");
}
