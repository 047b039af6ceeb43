/** A network as `brig network create` defined it: `networks/NAME/config.json` in the data folder. */
export interface NetworkDefinition {
  name: string;
  /** 64 hex digits. */
  id: string;
  /** ISO 8601. */
  created: string;
  /** "none": its members have loopback alone. */
  driver: "bridge" | "macvlan" | "ipvlan" | "none";
  /** The bridge that is made for it, or the host's interface that a macvlan or ipvlan is on; "" for "none". */
  device: string;
  /** IPv4 first, then IPv6 where there is one; none for the driver "none". */
  subnets: Subnet[];
  /** No way out, and none in. */
  internal: boolean;
  /** Its members do not reach each other. */
  isolated: boolean;
  /** Its addresses are not hidden behind the host's. */
  routed: boolean;
  mtu?: number;
  labels: Record<string, string>;
  /** `--opt`, as typed. */
  options: Record<string, string>;
}

/** "10.1.2.0/24" or "fd00:1::/64", with its router and the part of it that addresses are chosen from. */
export interface Subnet {
  subnet: string;
  gateway?: string;
  range?: string;
}

/** Where a sandbox stands in a network that it is connected to (`listMembers`). */
export interface Membership {
  network: string;
  /** The sandbox's id. */
  sandbox: string;
  /** The sandbox's first process. */
  pid: number;
  /** The host's end of its link; "" with a macvlan or ipvlan. */
  link: string;
  /** The sandbox's end: "eth0". */
  interface: string;
  /** "10.1.2.3/24". */
  address: string;
  address6?: string;
  mac: string;
  /** What the others call it. */
  names: string[];
}

/** A published port that is open on the host. */
export interface OpenPort {
  protocol: "tcp" | "udp";
  /** "0.0.0.0", "::". */
  address: string;
  host: number;
  guest: number;
}
