import { BrigError } from "../error/brig-error.js";
import type { NetworkLink } from "../spec/extension.js";
import { describeOrigin } from "../spec/origin.js";
import { type Draft, originOfOption } from "./draft.js";
import type { SandboxOptions } from "./options.js";
import { isNamed } from "./parse/networks.js";
import { parseBandwidth } from "./parse/bandwidth.js";
import { parseInterfaceAddress, parsePlainAddress, parseResolver } from "./parse/ip.js";

/** What the words about an interface need: a network that has one of the sandbox's own. */
const WORDS = { dns: "--dns", ip: "--ip", gateway: "--gateway", mtu: "--mtu", mac: "--mac", bandwidth: "--bandwidth" } as const;
/** dev_valid_name() of Linux; quotes and backslashes are nobody's, and no shell or rule file need know of them. */
const INTERFACE = /^(?!\.{1,2}$)[^\s/:"'\\]{1,15}$/;

/** "veth", "bridge", "bridge=NAME" and "macvlan=INTERFACE"; undefined for the networks that are no link. */
export function readLinkMode(draft: Draft, net: string): { mode: "veth" | "bridge" | "macvlan"; on?: string } | undefined {
  const [mode = "", on] = net.split(/=(.*)/s);
  if (mode !== "veth" && mode !== "bridge" && mode !== "macvlan") return undefined;
  if (mode === "veth" ? on !== undefined : on !== undefined && !INTERFACE.test(on)) throw refuse(draft, "/net", `${JSON.stringify(on)} is no name of an interface`, "ip link shows them");
  if (mode === "macvlan" && on === undefined) throw refuse(draft, "/net", "a macvlan needs the interface that it is on", "--net macvlan=eth0");
  if (draft.context.host.euid !== 0) throw refuse(draft, "/net", `--net ${net} needs root, who alone may change the host's links`, "--net user needs no rights");
  return { mode, ...(on === undefined ? {} : { on }) };
}

/** Refuses words about an interface where there is none of the sandbox's own. */
export function checkLinkWords(draft: Draft, net: string): void {
  const hasLink = net === "user" || /^(veth|bridge|macvlan)(=|$)/.test(net);
  for (const [key, flag] of Object.entries(WORDS) as [keyof typeof WORDS, string][]) {
    const named = isNamed(net);
    if (draft.options[key] === undefined || hasLink || (key === "dns" && (net === "filter" || named))) continue;
    if (named) throw refuse(draft, `/${key}`, `${flag} is a matter of the network ${net}`, key === "ip" || key === "mac" ? `--net ${net}:${key}=…` : "brig network create says it");
    const where = net === "filter" ? "a network of allowed hosts" : `--net ${net}`;
    throw refuse(draft, `/${key}`, `${flag} means nothing with ${where}`, "it is for --net user, veth, bridge or macvlan=INTERFACE");
  }
  for (const key of ["netLog"] as const)
    if (draft.options[key] !== undefined && net !== "filter") throw refuse(draft, `/${key}`, "--net-log needs a list of hosts", "add --allow-host or --deny-host");
}

/** The interface as it was asked for. */
export function setLink(draft: Draft, on: string | undefined): { link?: NetworkLink } {
  const { options } = draft;
  const rates = options.bandwidth === undefined ? {} : parseBandwidth(options.bandwidth, "--bandwidth");
  const link: NetworkLink = { ...(on === undefined ? {} : { on }), ...readAddresses(draft), ...rates };
  if (options.mtu !== undefined) link.mtu = options.mtu;
  if (options.mac !== undefined) link.mac = checkMac(draft, options.mac);
  if (options.dns) link.dns = options.dns.map((text, index) => checkPort(draft, parseResolver(text, "--dns"), index));
  return Object.keys(link).length > 0 ? { link } : {};
}

function readAddresses(draft: Draft): Pick<NetworkLink, "address" | "gateway"> {
  const { ip, gateway } = draft.options as SandboxOptions;
  if (ip === undefined) {
    if (gateway !== undefined) throw refuse(draft, "/gateway", "--gateway needs the sandbox's own address", "add --ip ADDR/BITS");
    return {};
  }
  const { address, bits } = parseInterfaceAddress(ip, "--ip");
  return { address: `${address}/${bits}`, ...(gateway === undefined ? {} : { gateway: parsePlainAddress(gateway, "--gateway") }) };
}

/** The lowest bit of the first byte is a group's (IEEE 802). */
function checkMac(draft: Draft, mac: string): string {
  if (/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(mac) && mac !== "00:00:00:00:00:00") return mac.toLowerCase();
  throw refuse(draft, "/mac", `${JSON.stringify(mac)} is no hardware address of an interface`, 'write it as in "02:00:5e:10:00:01"');
}

/** resolv.conf(5) knows no ports. */
export function checkPort(draft: Draft, { address, port }: { address: string; port: number }, index: number): string {
  if (port === 53) return address;
  throw refuse(draft, `/dns/${index}`, "a resolver at another port than 53 needs --allow-host", "leave the port out");
}

function refuse(draft: Draft, pointer: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", origin: describeOrigin(originOfOption(draft, pointer)), hint });
}
