import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HostLink, Network } from "../../spec/extension.js";
import { addStep, type Context, refuse } from "./context.js";
import { HOST_LINKS_SCRIPT } from "./host-links-script.js";

const POINTER = "/annotations/dev.brig.network";
const TIMEOUT_MS = 15_000;

/** The kernel takes a network apart behind its last process's end: the links of a machine that reboots may still be there. */
const AWAIT_GONE = 'for link; do n=0; while [ -e "/sys/class/net/$link" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done; done; exec "$0" -batch -';

/**
 * A machine's links. Those that the kernel removes with the machine's network (veth pairs, macvlan, ipvlan) are made by
 * one start of ip(8), and nobody stays for them; what has to be undone gets a companion.
 */
export function compileHostLinks(context: Context, { links = [], ports = [] }: Network): void {
  const { extension, host } = context;
  if (!host.capabilities.has("CAP_NET_ADMIN") || !host.capabilities.has("CAP_SYS_ADMIN"))
    throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "links need root, who alone may change the host's network", "--private-network needs no rights, and brig run --net user has a way out");
  checkHost(context, links);
  const kept = [...links.flatMap(listKept), ...ports.map(({ protocol, host: outer, guest }) => ["port", protocol, `${outer}:${guest}`])];
  const batch = links.flatMap(describeLink).map((line) => `${line}\n`).join("");
  const ip = requireTool(context, "ip", "iproute2");
  if (kept.length === 0) {
    const names = links.flatMap((link) => (link.kind === "veth" ? [link.host] : []));
    const argv = names.length === 0 ? [ip, "-batch", "-"] : ["/bin/sh", "-c", AWAIT_GONE, ip, ...names].map((word) => word.replaceAll("%", "%%"));
    if (batch !== "") addStep(context, "parent", { op: "RUN", argv, input: batch, timeoutMs: TIMEOUT_MS, substitute: true }, POINTER);
    return;
  }
  for (const [name, debian] of [["nsenter", "util-linux"], ["flock", "util-linux"], ...(ports.length > 0 ? [["nft", "nftables"]] : [])] as [string, string][]) requireTool(context, name, debian);
  const lock = join(dirname(context.options.runFolder ?? "/run/brig"), "brig-links.lock").replaceAll("%", "%%");
  const script = HOST_LINKS_SCRIPT.replaceAll("%", "%%").replaceAll("@LINKS@\n", batch);
  addStep(context, "parent", { op: "COMPANION", argv: ["/bin/sh", "-s", "--", "%p", lock, ...kept.flat()], input: script, timeoutMs: TIMEOUT_MS, sockets: new Uint8Array(), endSignal: 0, substitute: true }, POINTER);
}

function requireTool({ host, extension }: Context, name: string, debian: string): string {
  const tool = host.hasTool(name);
  if (tool) return tool;
  throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `the machine's links need ${name}`, `apt-get install ${debian}`);
}

/** The kernel's answers to these would not say which name was meant. */
function checkHost({ extension }: Context, links: readonly HostLink[]): void {
  const is = (name: string, what = ""): boolean => existsSync(`/sys/class/net/${name}${what}`);
  for (const [index, link] of links.entries()) {
    const fail = (message: string, hint: string): Error => refuse(extension, `${POINTER}/links/${index}`, "BRIG_CANNOT_NETWORK", message, hint);
    if (link.kind === "veth" && link.bridge !== undefined && !link.zone && !is(link.bridge, "/bridge")) throw fail(`this host has no bridge ${link.bridge}`, `ip link add ${link.bridge} type bridge && ip link set ${link.bridge} up`);
    if (link.kind === "veth" && is(link.host)) throw fail(`this host has an interface ${link.host} already`, "give the machine another name: --machine=");
    const on = link.kind === "interface" ? link.name : link.kind === "veth" ? undefined : link.on;
    if (on !== undefined && !is(on)) throw fail(`this host has no interface ${on}`, "ip link lists them");
  }
}

function listKept(link: HostLink): string[][] {
  if (link.kind === "interface") return [["interface", link.name, link.inner]];
  return link.kind === "veth" && link.zone && link.bridge !== undefined ? [["zone", link.bridge, "-"]] : [];
}

/** Lines of ip(8)'s batch language. */
function describeLink(link: HostLink): string[] {
  if (link.kind === "interface") return [];
  if (link.kind !== "veth") return [`link add link ${link.on} name ${link.inner} netns %p type ${link.kind} mode ${link.kind === "macvlan" ? "bridge" : "l2"}`];
  const address = (mac: string | undefined): string => (mac === undefined ? "" : ` address ${mac}`);
  const master = link.bridge === undefined ? "" : ` master ${link.bridge}`;
  return [`link add name ${link.host}${address(link.hostMac)} type veth peer name ${link.inner}${address(link.mac)} netns %p`, `link set dev ${link.host}${master} up`];
}
