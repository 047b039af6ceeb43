import type { Container } from "./model.js";
import type { ContainerState } from "./status.js";

/** "0.0.0.0:8080->80/tcp, 443/tcp": what is published while it runs, and what is merely exposed. */
export function readOpenPorts({ HostConfig, Config }: Container, { Status }: ContainerState): string[] {
  if (Status !== "running" && Status !== "paused") return [];
  const bound = Object.entries(HostConfig.PortBindings).flatMap(([port, places]) => places.map(({ HostIp, HostPort }) => `${HostIp || "0.0.0.0"}:${HostPort}->${port}`));
  const exposed = Object.keys(Config.ExposedPorts).filter((port) => !HostConfig.PortBindings[port]);
  return [...bound, ...exposed];
}
