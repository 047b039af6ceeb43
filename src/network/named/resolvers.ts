import { readFileSync } from "node:fs";
import { formatAddress, readAddress } from "../rules/address.js";

/** What the host asks names of (resolv.conf(5)). Who asks on a sandbox's behalf is on the host: its loopback will do. */
export const RESOLVER_FILE = "/etc/resolv.conf";

/** resolv.conf(5): MAXNS. */
const MOST = 3;

/** The host's resolvers; none where it has none. */
export function listResolvers(file = RESOLVER_FILE): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  const found = text.split("\n").flatMap((line) => readAddress(/^nameserver\s+(\S+)/.exec(line)?.[1] ?? "") ?? []);
  return [...new Set(found.map(formatAddress))].slice(0, MOST);
}
