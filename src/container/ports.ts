import { listOpenPorts } from "../network/named/members.js";
import type { Container } from "./model.js";
import { sandboxIdOf } from "./status.js";

/** Where on the host a container's ports are, as long as it runs: "80/tcp" to `[{ HostIp, HostPort }]`; none: exposed only. */
export type PortMap = Record<string, { HostIp: string; HostPort: string }[] | null>;

/** What is published in truth, those that the host chose included, and what is merely exposed. */
export function readPorts(container: Container): PortMap {
  const ports: PortMap = Object.fromEntries(Object.keys({ ...container.Config.ExposedPorts, ...container.HostConfig.PortBindings }).map((port) => [port, null]));
  for (const { protocol, address, host, guest } of listOpenPorts(sandboxIdOf(container))) (ports[`${guest}/${protocol}`] ??= []).push({ HostIp: address, HostPort: String(host) });
  return ports;
}

/** "0.0.0.0:8080->80/tcp, 443/tcp". */
export function showPorts(ports: PortMap): string {
  return Object.entries(ports).flatMap(([port, places]) => (places === null ? [port] : places.map(({ HostIp, HostPort }) => `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}->${port}`))).join(", ");
}
