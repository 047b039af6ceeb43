import { isIP } from "node:net";
import type { HostConfig } from "../../container/model.js";
import { refuseValue } from "./values.js";

const SHAPE = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?(\d*(?:-\d+)?):)?(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/;

/** `-p [[ADDRESS:]HOST:]GUEST[/PROTOCOL]`, each port maybe a range, added to the bindings. */
export function addPorts(bindings: HostConfig["PortBindings"], text: string): void {
  const [whole, rawAddress = "", hostRange = "", first, last, protocol = "tcp"] = SHAPE.exec(text) ?? [];
  if (whole === undefined || first === undefined) throw refuseValue("--publish", text, `invalid publish opts format (should be name=value but got '${text}')`, "[ADDRESS:]HOST:GUEST[/tcp|/udp]");
  if (protocol === "sctp") throw refuseValue("--publish", text, "SCTP ports cannot be published", "tcp or udp");
  const address = rawAddress.replace(/^\[|\]$/g, "");
  if (address !== "" && isIP(address) === 0) throw refuseValue("--publish", text, `invalid IP address: ${address}`);
  const guests = listPorts(text, first, last ?? first);
  const [hostFirst, hostLast] = hostRange.split("-");
  const hosts = hostRange === "" ? guests.map(() => "") : listPorts(text, hostFirst!, hostLast ?? hostFirst!).map(String);
  if (hosts.length !== guests.length) throw refuseValue("--publish", text, "invalid ranges specified for container and host Ports");
  for (const [index, guest] of guests.entries()) (bindings[`${guest}/${protocol}`] ??= []).push({ HostIp: address, HostPort: hosts[index]! });
}

function listPorts(text: string, first: string, last: string): number[] {
  const [from, to] = [Number(first), Number(last)];
  if (from < 1 || to > 65_535 || to < from) throw refuseValue("--publish", text, `invalid port range: ${first === last ? first : `${first}-${last}`}`);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** `--expose 80`, `--expose 8000-8010/udp`. */
export function listExposed(text: string): string[] {
  const [, first, last, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (first === undefined) throw refuseValue("--expose", text, "invalid port format for --expose");
  return listPorts(text, first, last ?? first).map((port) => `${port}/${protocol}`);
}
