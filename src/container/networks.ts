import type { AskedNetworks } from "../network/named/join.js";
import { BrigError } from "../error/brig-error.js";
import { createNetwork } from "../network/named/create.js";
import { readNetwork } from "../network/named/store.js";
import type { ContainerConfig, ContainerEndpoint, HostConfig } from "./model.js";

/** The network of containers that name none; "bridge" is docker's word for it. */
const DEFAULT_NETWORK = "default";

/**
 * The named networks that a container joins, and its published ports; undefined where it has none: "none", "host", or
 * another container's.
 * @throws BrigError BRIG_BAD_VALUE for ports where nothing can be published
 */
export function askNetworks(host: HostConfig, config: ContainerConfig, endpoint: ContainerEndpoint): AskedNetworks | undefined {
  const mode = host.NetworkMode;
  const publish = listPorts(host, config);
  if (mode === "host" || mode === "none" || mode.startsWith("container:")) {
    if (publish.length > 0 && mode.startsWith("container:")) throw new BrigError("conflicting options: port publishing and the container type network mode", { code: "BRIG_BAD_VALUE", hint: "publish them with the other container" });
    return undefined;
  }
  const name = mode === "default" || mode === "bridge" ? openDefault() : mode;
  return { networks: [{ name, ...endpoint }], publish, ...(host.Dns.length > 0 ? { dns: host.Dns } : {}) };
}

/** It is defined when the first container joins it. */
function openDefault(): string {
  try {
    if (readNetwork(DEFAULT_NETWORK) === undefined) createNetwork({ name: DEFAULT_NETWORK });
  } catch (error) {
    // another command has made it in the meantime
    if (!(error instanceof BrigError && error.code === "BRIG_NETWORK_EXISTS")) throw error;
  }
  return DEFAULT_NETWORK;
}

/** `PortBindings`, and with `--publish-all` each exposed port on a free one. */
function listPorts({ PortBindings, PublishAllPorts }: HostConfig, { ExposedPorts }: ContainerConfig): NonNullable<AskedNetworks["publish"]> {
  const bound = Object.entries(PortBindings).flatMap(([port, places]) => {
    const [guest, protocol] = splitPort(port);
    return places.map(({ HostIp, HostPort }) => ({ host: HostPort === "" ? 0 : Number(HostPort), guest, protocol, ...(HostIp ? { address: HostIp } : {}) }));
  });
  if (!PublishAllPorts) return bound;
  const left = Object.keys(ExposedPorts).filter((port) => !PortBindings[port]).map(splitPort);
  return [...bound, ...left.map(([guest, protocol]) => ({ host: 0, guest, protocol }))];
}

function splitPort(port: string): [number, "tcp" | "udp"] {
  const [number, protocol = "tcp"] = port.split("/");
  return [Number(number), protocol === "udp" ? "udp" : "tcp"];
}
