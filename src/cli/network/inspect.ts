import { createHash } from "node:crypto";
import { sweepNetworks } from "../../network/named/sweep.js";
import type { Membership, NetworkDefinition } from "../../network/named/definition.js";
import { listMembers } from "../../network/named/members.js";
import { findNetwork } from "../../network/named/store.js";
import { readSandbox } from "../../sandbox/sandbox.js";
import { openRunFolder } from "../../sandbox/run-folder.js";
import type { ParsedWords } from "../grammar.js";
import { printJson } from "../output/print.js";
import { reportError } from "../report-error.js";

/** As docker, everything that was found is printed, and what was not is an error; 1 then. */
export function inspectNetworks(words: ParsedWords): number {
  sweepNetworks();
  let status = 0;
  const found = words.operands.flatMap((reference) => {
    try {
      return [describeNetwork(findNetwork(reference))];
    } catch (error) {
      reportError(error, words.has("json"));
      status = 1;
      return [];
    }
  });
  printJson(found);
  return status;
}

/** In the form of the Docker Engine API (GET /networks/ID), which programs read. */
export function describeNetwork(definition: NetworkDefinition): unknown {
  const { name, id, created, driver, subnets, internal, isolated, options, labels } = definition;
  return {
    Name: name, Id: id, Created: created, Scope: "local", Driver: driver === "none" ? "null" : driver,
    EnableIPv4: subnets.length > 0, EnableIPv6: subnets.length > 1,
    IPAM: { Driver: "default", Options: {}, Config: subnets.map(({ subnet, gateway, range }) => ({ Subnet: subnet, ...(range === undefined ? {} : { IPRange: range }), ...(gateway === undefined ? {} : { Gateway: gateway }) })) },
    Internal: internal, Isolated: isolated, Attachable: true, Ingress: false, ConfigFrom: { Network: "" }, ConfigOnly: false,
    Containers: Object.fromEntries(listMembers(definition).map((member) => [member.sandbox, describeMember(definition, member)])),
    Options: options, Labels: labels,
  };
}

function describeMember({ id }: NetworkDefinition, { sandbox, address, address6 = "", mac, names }: Membership): unknown {
  const runFolder = openRunFolder();
  const name = (runFolder === undefined ? undefined : readSandbox(runFolder, sandbox)?.name) ?? names[0] ?? sandbox;
  return { Name: name, EndpointID: createHash("sha256").update(`${id} ${sandbox}`).digest("hex"), MacAddress: mac, IPv4Address: address, IPv6Address: address6 };
}
