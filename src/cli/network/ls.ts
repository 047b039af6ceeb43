import { createHash } from "node:crypto";
import { sweepNetworks } from "../../network/named/sweep.js";
import type { NetworkDefinition } from "../../network/named/definition.js";
import { listMembers } from "../../network/named/members.js";
import { listNetworks, PREDEFINED } from "../../network/named/store.js";
import type { ParsedWords } from "../grammar.js";
import { print, printJson } from "../output/print.js";
import { renderTable } from "../output/table.js";
import { type Filtered, matchesList } from "./filter.js";

/** `brig network ls`: brig's own, and what is there without having been made. */
export function showNetworks(words: ParsedWords): void {
  sweepNetworks();
  const own = listNetworks();
  const matches = matchesList(words.values("filter"), (network) => listMembers(network).length > 0, ({ name }) => isPredefined(name));
  const shown = [...listPredefined(), ...own].filter(matches).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const showId = ({ id }: Filtered): string => (words.has("no-trunc") ? id : id.slice(0, 12));
  if (words.has("json")) return printJson(shown.map((network) => describe(network, own)));
  if (words.has("quiet")) return print(shown.map((network) => `${showId(network)}\n`).join(""));
  print(renderTable(["NETWORK ID", "NAME", "DRIVER", "SCOPE"], shown.map((network) => [showId(network), network.name, network.driver, "local"])));
}

function describe(network: Filtered, own: NetworkDefinition[]): unknown {
  const definition = own.find(({ id }) => id === network.id);
  return { id: network.id, name: network.name, driver: network.driver, labels: network.labels, ...(definition ? { created: definition.created, subnets: definition.subnets, internal: definition.internal, members: listMembers(definition) } : {}) };
}

function isPredefined(name: string): boolean {
  return (PREDEFINED as readonly string[]).includes(name);
}

/** Their ids are made of their names, so that they stay. */
export function listPredefined(): Filtered[] {
  const drivers = { bridge: "bridge", host: "host", none: "null" };
  return PREDEFINED.map((name) => ({ name, id: createHash("sha256").update(`brig network ${name}`).digest("hex"), driver: drivers[name], labels: {} }));
}
