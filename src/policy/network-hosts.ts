import { resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { formatAddress, isWithin, readRange, type Range } from "../network/rules/address.js";
import { type HostRule, parseAllowedHost, parseDeniedHost } from "../network/rules/host-rule.js";
import type { NetworkFilter } from "../spec/extension.js";
import { describeOrigin } from "../spec/origin.js";
import { type Draft, originOfOption } from "./draft.js";
import { parseResolver } from "./parse/ip.js";

/** `allowHosts`, `denyHosts` and what goes with them. */
export function setHosts(draft: Draft): NetworkFilter {
  const { allowHosts, denyHosts = [], dns, netLog } = draft.options;
  if (draft.options.publish?.length) throw refuse(draft, "/publish", "ports cannot be published into a network of allowed hosts", "leave --publish or the lists out");
  // whoever only forbids has everything else in mind, and by a name, since an address would lead around what he forbids
  const allow = allowHosts ?? ["*:*"];
  const rules = allow.map((text) => parseAllowedHost(text, "--allow-host"));
  for (const text of denyHosts) parseDeniedHost(text, "--deny-host");
  const loopback = rules.flatMap((rule, index) => listLoopback(draft, rule, index));
  const udp = rules.filter(({ protocol }) => protocol === "udp").flatMap(({ ports }) => ports);
  const servers = dns?.map((text) => formatServer(parseResolver(text)));
  draft.notes.push(allow.length === 0 ? "the payload reaches nothing: the list of allowed hosts is empty" : `the payload reaches ${allow.join(", ")} and nothing else; what it tries is logged`);
  return {
    allow, deny: denyHosts,
    ...(loopback.length > 0 ? { loopback } : {}),
    ...(udp.length > 0 ? { udp } : {}),
    ...(servers ? { servers } : {}),
    ...(netLog === undefined ? {} : { log: resolve(draft.context.cwd, netLog) }),
  };
}

const LOOPBACK = ["127.0.0.0/8", "::1"];

/** The host's own loopback, where a rule names it: one address and its ports, since the rest is the sandbox's. */
function listLoopback(draft: Draft, { host, ports, text }: HostRule, index: number): NonNullable<NetworkFilter["loopback"]> {
  if (typeof host === "string" || !LOOPBACK.some((range) => isWithin(host, readRange(range) as Range))) return [];
  const single = host.bits === (host.family === 4 ? 32 : 128);
  if (single && ports.every(({ first, last }) => last - first < 65534)) return ports.map((port) => ({ address: formatAddress(host), ...port }));
  throw refuse(draft, `/allowHosts/${index}`, `${text} would take the sandbox's own loopback away`, "name one address with its port, such as 127.0.0.1:5432");
}

function formatServer({ address, port }: { address: string; port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function refuse(draft: Draft, pointer: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", origin: describeOrigin(originOfOption(draft, pointer)), hint });
}
