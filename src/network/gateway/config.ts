/** What the gateway is told on its standard input. */
export interface GatewayConfig {
  /** The sandbox's first process, on the host. */
  pid: number;
  allow: string[];
  deny: string[];
  /** Resolvers that are asked; empty: the host's. */
  servers: string[];
  /** Files that get a line for each attempt. */
  logs: string[];
}
