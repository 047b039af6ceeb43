/** A link or bridge whose other side is kept apart from the host and from everything that the host reaches but the outside. */
export interface WalledDevice {
  table: string;
  device: string;
  /** "10.1.2.0/24", and IPv6's. */
  subnets: string[];
  /** No way out, and none in. */
  internal?: boolean;
  /** What leaves keeps its address: the outside knows the way back. */
  routed?: boolean;
  /** What is behind it reaches services of the host itself. */
  openHost?: boolean;
}

/**
 * An nftables table of its own, as a transaction for `nft -f` that replaces it where it is there. What comes back is let
 * through; nothing else reaches what is behind the device through this host, nor, unless it is said, the host itself.
 * What leaves with another's address is dropped. The chains come before those of the host, and accept nothing that the
 * host's own refuse (nft(8): a packet goes on to the next chain of the hook).
 */
export function renderWalls({ table, device, subnets, internal = false, routed = false, openHost = false }: WalledDevice): string {
  const name = JSON.stringify(device);
  const own = subnets.map((subnet) => ({ subnet, family: subnet.includes(":") ? "ip6" : "ip" }));
  const input = [
    "type filter hook input priority filter - 5; policy accept;",
    `iifname ${name} ct state established,related accept`,
    `iifname ${name} icmp type echo-request accept`,
    `iifname ${name} icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept`,
    `iifname ${name} drop`,
  ];
  const forward = [
    "type filter hook forward priority filter - 5; policy accept;",
    // a host that filters bridges (br_netfilter) sees here what stays on the bridge
    `iifname ${name} oifname ${name} accept`,
    ...(internal ? [`iifname ${name} drop`, `oifname ${name} drop`] : []),
    ...own.map(({ subnet, family }) => `iifname ${name} meta nfproto ${family === "ip" ? "ipv4" : "ipv6"} ${family} saddr != ${subnet} drop`),
    ...["ip", "ip6"].filter((family) => !own.some((each) => each.family === family)).map((family) => `iifname ${name} meta nfproto ${family === "ip" ? "ipv4" : "ipv6"} drop`),
    `oifname ${name} ct state established,related accept`,
    `oifname ${name} drop`,
  ];
  const nat = ["type nat hook postrouting priority srcnat; policy accept;", ...own.map(({ subnet, family }) => `${family} saddr ${subnet} oifname != ${name} masquerade`)];
  const chains = { ...(openHost ? {} : { input }), forward, ...(internal || routed ? {} : { postrouting: nat }) };
  const body = Object.entries(chains).map(([chain, rules]) => `  chain ${chain} {\n${rules.map((rule) => `    ${rule}\n`).join("")}  }\n`);
  return `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${body.join("")}}\n`;
}
