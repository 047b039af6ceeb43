import { isIPv4, isIPv6 } from "node:net";
import { findLink } from "../../host/links.js";
import type { Network, NetworkInterface } from "../../spec/extension.js";
import type { Draft } from "./draft.js";
import { refuseRule } from "./paths.js";
import type { Rule } from "./rule.js";

/** firejail(1): as many --net, and as many --interface. */
const MAX_NETS = 4;
/** dev_valid_name() of Linux, without what a shell or a rule file could mistake. */
const NAME = /^(?!\.{1,2}$)[^\s/:"'\\]{1,15}$/;

type Setter = (link: NetworkInterface, rule: Rule) => void;

/** Rules that are for the last interface before them. */
const SETTERS: Record<string, Setter> = {
  ip: (link, rule) => void (link.address = readAddress(rule)),
  ip6: (link, rule) => void (link.address6 = readAddress6(rule)),
  iprange: (link, rule) => void (link.range = readRange(rule)),
  netmask: (link, rule) => void (link.bits = readMask(rule)),
  mac: (link, rule) => void (link.mac = readMac(link, rule)),
  mtu: (link, rule) => void (link.mtu = readMtu(rule)),
  "veth-name": (link, rule) => void (link.hostName = readName(rule)),
};

/** Whether a rule means nothing without an interface of the sandbox's own. */
export function isInterfaceRule(name: string): boolean {
  return Object.hasOwn(SETTERS, name) || name === "defaultgw" || name === "netlock";
}

/** net, interface, and what belongs to them, in the order in which they stand. */
export function readInterfaces(draft: Draft): Pick<Network, "interfaces" | "link"> {
  const made: NetworkInterface[] = [];
  const moved: NetworkInterface[] = [];
  let gateway: string | undefined;
  for (const rule of draft.rules) {
    const setter = Object.hasOwn(SETTERS, rule.name) ? SETTERS[rule.name] : undefined;
    if (rule.name === "net") made.push(readNet(rule, made.length));
    else if (rule.name === "interface") moved.push({ kind: "move", on: checkHost(rule) });
    else if (rule.name === "defaultgw") gateway = readPlain(rule);
    else if (setter) setter(needLast(made, rule), rule);
    if (made.length > MAX_NETS || moved.length > MAX_NETS) throw refuseRule(rule, "BRIG_BAD_VALUE", `a maximum of ${MAX_NETS} network devices are allowed`, "leave some out");
  }
  return { interfaces: [...made, ...moved], ...(gateway === undefined ? {} : { link: { gateway } }) };
}

function needLast(made: readonly NetworkInterface[], rule: Rule): NetworkInterface {
  const last = made.at(-1);
  if (last) return last;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `${rule.name} belongs to a network, and none stands before it`, `--net=eth0 --${rule.name}=${rule.value}`);
}

/** A bridge takes a veth, everything else a macvlan on it; the access point of a wireless one knows a single MAC. */
function readNet(rule: Rule, index: number): NetworkInterface {
  const on = checkHost(rule);
  const link = findLink(on);
  return { kind: link?.kind === "bridge" ? "bridge" : link?.wireless ? "ipvlan" : "macvlan", on, name: `eth${index}` };
}

function checkHost(rule: Rule): string {
  const name = readName(rule);
  if (name === "lo") throw refuseRule(rule, "BRIG_BAD_VALUE", "cannot attach to lo device", "--net=none has a loopback interface of its own");
  if (findLink(name)) return name;
  throw refuseRule(rule, "BRIG_NO_SUCH_INTERFACE", `cannot find network device ${name}`, "ip link shows them; --net=user needs none");
}

function readName(rule: Rule): string {
  if (NAME.test(rule.value)) return rule.value;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `${JSON.stringify(rule.value)} is no name of an interface`, "ip link shows them");
}

function readAddress(rule: Rule): string {
  if (rule.value === "dhcp") throw refuseRule(rule, "BRIG_CANNOT_NETWORK", "brig runs no DHCP client in the sandbox", "name an address: --ip=10.10.20.56; or leave --ip out, and a free one is chosen");
  return rule.value === "none" ? "none" : readPlain(rule);
}

function readPlain(rule: Rule): string {
  if (isIPv4(rule.value)) return rule.value;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid IP address ${rule.value}`, `--${rule.name}=10.10.20.1`);
}

/** Without bits it is an address alone. */
function readAddress6(rule: Rule): string {
  const [address = "", bits = "128", ...more] = rule.value.split("/");
  if (rule.value === "dhcp") throw refuseRule(rule, "BRIG_CANNOT_NETWORK", "brig runs no DHCP client in the sandbox", "name an address: --ip6=fd00::2/64; a router's are taken by themselves");
  if (isIPv6(address) && !address.includes("%") && /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= 128 && more.length === 0) return `${address}/${bits}`;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid IPv6 address ${rule.value}`, "--ip6=2001:db8:0:f101::1/64");
}

function readRange(rule: Rule): [string, string] {
  const [first = "", last = "", ...more] = rule.value.split(",");
  if (isIPv4(first) && isIPv4(last) && more.length === 0 && toNumber(first) < toNumber(last)) return [first, last];
  throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid IP range ${rule.value}`, "--iprange=192.168.1.100,192.168.1.150");
}

function toNumber(text: string): number {
  return text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function readMask(rule: Rule): number {
  const ones = isIPv4(rule.value) ? toNumber(rule.value).toString(2).padStart(32, "0") : "";
  if (/^1+0*$/.test(ones)) return ones.lastIndexOf("1") + 1;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid network mask ${rule.value}`, "--netmask=255.255.255.0");
}

/** The lowest bit of the first byte is a group's (IEEE 802). */
function readMac(link: NetworkInterface, rule: Rule): string {
  if (link.kind === "ipvlan") throw refuseRule(rule, "BRIG_CANNOT_NETWORK", `${link.on} is wireless, and its MAC address cannot be another in the sandbox`, "leave --mac out");
  if (/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(rule.value) && rule.value !== "00:00:00:00:00:00") return rule.value.toLowerCase();
  throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid MAC address ${rule.value}`, "--mac=02:11:22:33:44:55");
}

/** firejail(1): from 576 to 9198. */
function readMtu(rule: Rule): number {
  const value = /^\d+$/.test(rule.value) ? Number(rule.value) : 0;
  if (value >= 576 && value <= 9198) return value;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid mtu value ${rule.value}`, "--mtu=1492: from 576 to 9198");
}
