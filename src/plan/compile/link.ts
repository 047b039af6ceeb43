import { dirname, join } from "node:path";
import type { Network, NetworkLink } from "../../spec/extension.js";
import { addStep, type Context, refuse } from "./context.js";
import { LINK_SCRIPT } from "./link-script.js";

const POINTER = "/annotations/dev.brig.network";
const TIMEOUT_MS = 15_000;
const PROGRAMS = { ip: "iproute2", nft: "nftables", nsenter: "util-linux", flock: "util-linux" };
/** The sandbox's end of every link, as containers have it. */
export const INNER = "eth0";

/** A link to the host, to a bridge or on an interface; all of it goes when the sandbox ends. */
export function compileLink(context: Context, mode: Exclude<Network["mode"], "none" | "host" | "user" | "named">, link: NetworkLink): void {
  const { extension, host, options } = context;
  if (!host.capabilities.has("CAP_NET_ADMIN") || !host.capabilities.has("CAP_SYS_ADMIN"))
    throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `a ${mode} link needs root, who alone may change the host's links`, "--net user needs no rights");
  for (const [name, debian] of Object.entries(PROGRAMS))
    if (!host.hasTool(name)) throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `a ${mode} link needs ${name}`, `apt-get install ${debian}`);
  const own = mode === "veth" || (mode === "bridge" && link.on === undefined);
  const ends = findEnds(context, mode, link, own);
  const folder = join(dirname(options.runFolder ?? "/run/brig"), "brig-links");
  const words = [mode, link.on ?? "", link.address ?? "", ends.gateway, ends.host, link.mac ?? "", String(link.mtu ?? ""), folder].map((word) => word.replaceAll("%", "%%"));
  addStep(context, "parent", { op: "COMPANION", argv: ["/bin/sh", "-s", "--", "%p", ...words], input: LINK_SCRIPT.replaceAll("%", "%%"), timeoutMs: TIMEOUT_MS, sockets: new Uint8Array(), endSignal: 0, substitute: true }, POINTER);
  if (link.download !== undefined && mode !== "macvlan") shape(context, "brig%p", link.download, "RUN");
  compileBandwidth(context, mode === "macvlan" ? link : { ...link, download: undefined });
}

/** The router inside, and the host's own address on the link. */
function findEnds({ extension }: Context, mode: string, { address, gateway = "", on }: NetworkLink, own: boolean): { gateway: string; host: string } {
  if (address === undefined) {
    if (own) return { gateway, host: "" };
    throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `nobody gives the sandbox an address on ${on}`, "name one: --ip 10.1.2.3/24 --gateway 10.1.2.1");
  }
  if (mode !== "veth") return { gateway, host: "" };
  if (address.includes(":")) throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "a veth link has IPv4 addresses", "--net bridge=NAME takes IPv6");
  const bits = Number(address.split("/")[1]);
  const router = gateway || findRouter(address);
  if (bits > 30 || !sharesNetwork(address, router)) throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `${address} and its router ${router} need one network`, "a /30 or wider, such as --ip 10.77.0.2/30");
  return { gateway: router, host: `${router}/${bits}` };
}

/** The first address of the network, or the second where the sandbox has the first. */
export function findRouter(address: string): string {
  const [text = "", bits = "32"] = address.split("/");
  const own = toNumber(text);
  const first = own - (own % 2 ** (32 - Number(bits))) + 1;
  return toText(first === own ? first + 1 : first);
}

function sharesNetwork(address: string, router: string): boolean {
  const [text = "", bits = "32"] = address.split("/");
  const size = 2 ** (32 - Number(bits));
  return text !== router && Math.floor(toNumber(text) / size) === Math.floor(toNumber(router) / size);
}

function toNumber(text: string): number {
  return text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** What the sandbox's own interface sends is shaped, and what comes in beyond the rate is dropped. */
export function compileBandwidth(context: Context, { download, upload }: Pick<NetworkLink, "upload"> & { download?: number | undefined }): void {
  if (upload !== undefined) shape(context, INNER, upload, "RUN_INSIDE");
  if (download === undefined) return;
  const nft = context.host.hasTool("nft");
  if (!nft) throw refuse(context.extension, POINTER, "BRIG_CANNOT_NETWORK", "a limit on what is received needs nft", "apt-get install nftables");
  const rules = `table netdev brig {\n  chain receive {\n    type filter hook ingress device "${INNER}" priority 0; policy accept;\n    limit rate over ${Math.ceil(download / 8)} bytes/second burst ${findBurst(download)} bytes drop\n  }\n}\n`;
  addStep(context, "parent", { op: "RUN_INSIDE", argv: [nft, "-f", "-"], input: rules, timeoutMs: TIMEOUT_MS }, POINTER);
}

/** tc-tbf(8): the bucket holds a fiftieth of a second, or some packets. */
function shape(context: Context, device: string, rate: number, op: "RUN" | "RUN_INSIDE"): void {
  const tc = context.host.hasTool("tc");
  if (!tc) throw refuse(context.extension, POINTER, "BRIG_CANNOT_NETWORK", "a bandwidth needs tc", "apt-get install iproute2");
  const argv = [tc, "qdisc", "replace", "dev", device, "root", "tbf", "rate", `${rate}bit`, "burst", String(findBurst(rate)), "latency", "50ms"];
  addStep(context, "parent", { op, argv, input: "", timeoutMs: TIMEOUT_MS, substitute: true }, POINTER);
}

function findBurst(rate: number): number {
  return Math.min(2 ** 30, Math.max(16_000, Math.ceil(rate / 8 / 50)));
}
