import type { Link } from "./link-state.js";

/**
 * The nftables table of one connected namespace, as text for `nft -f`: what leaves its network is masqueraded, what
 * comes back is let through, and nothing else reaches it through this host (a host that forwards is a router for its
 * neighbours otherwise). A packet with another source address than the namespace's own is dropped.
 */
export function renderTable({ table, hostInterface, subnet }: Link): string {
  const name = JSON.stringify(hostInterface);
  return `table ip ${table} {
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname ${name} ip saddr != ${subnet} drop
    oifname ${name} ct state established,related accept
    oifname ${name} drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} oifname != ${name} masquerade
  }
}
`;
}
