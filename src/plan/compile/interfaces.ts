import { dirname, join } from "node:path";
import type { NetworkInterface, NetworkRules } from "../../spec/extension.js";
import { addStep, type Context, refuse } from "./context.js";
import { INTERFACES_SCRIPT } from "./interfaces-script.js";

const POINTER = "/annotations/dev.brig.network";
const TIMEOUT_MS = 30_000;
const PROGRAMS = { ip: "iproute2", nsenter: "util-linux", flock: "util-linux" };
/** Words of OP_COMPANION, and how many the script takes for an interface. */
const MAX_INTERFACES = 8;

/** Links to interfaces and bridges of the host, in a network of the sandbox's own; all of it goes when the sandbox ends. */
export function compileInterfaces(context: Context, interfaces: readonly NetworkInterface[]): void {
  const { extension, host, options } = context;
  if (!host.capabilities.has("CAP_NET_ADMIN") || !host.capabilities.has("CAP_SYS_ADMIN"))
    throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "an interface of the host needs root, who alone may change the host's links", "the user-space network needs no rights: --net=user, --net user");
  for (const [name, debian] of Object.entries(PROGRAMS))
    if (!host.hasTool(name)) throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `an interface of the host needs ${name}`, `apt-get install ${debian}`);
  if (interfaces.length > MAX_INTERFACES) throw refuse(extension, POINTER, "BRIG_BAD_SPEC", `there are more than ${MAX_INTERFACES} interfaces`, "leave some out");
  const lock = join(dirname(options.runFolder ?? "/run/brig"), "brig-interfaces.lock");
  const words = [extension.network?.link?.gateway ?? "", lock, ...interfaces.flatMap(listWords)].map((word) => word.replaceAll("%", "%%"));
  addStep(context, "parent", { op: "COMPANION", argv: ["/bin/sh", "-s", "--", "%p", ...words], input: INTERFACES_SCRIPT.replaceAll("%", "%%"), timeoutMs: TIMEOUT_MS, sockets: new Uint8Array(), endSignal: 0, substitute: true }, POINTER);
}

function listWords(each: NetworkInterface): string[] {
  const { kind, on, name = on, hostName = "", address = "", bits, range = ["", ""], address6 = "", mac = "", mtu } = each;
  return [kind, on, name, hostName, address, String(bits ?? ""), ...range, address6, mac, String(mtu ?? "")];
}

/** Firewalls of the sandbox's own network, in the words of the program that loads them. */
export function compileRules(context: Context, rules: readonly NetworkRules[]): void {
  for (const { language, text } of rules) {
    const name = { nft: "nft", iptables: "iptables-restore", ip6tables: "ip6tables-restore" }[language];
    const tool = context.host.hasTool(name);
    if (!tool) throw refuse(context.extension, POINTER, "BRIG_CANNOT_NETWORK", `the firewall needs ${name}`, `apt-get install ${language === "nft" ? "nftables" : "iptables"}`);
    addStep(context, "parent", { op: "RUN_INSIDE", argv: language === "nft" ? [tool, "-f", "-"] : [tool], input: text, timeoutMs: TIMEOUT_MS }, POINTER);
  }
}
