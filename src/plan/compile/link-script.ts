/**
 * What stands beside a sandbox with a link of its own, as root: makes the link and all that belongs to it, waits for
 * the sandbox's end, and undoes everything. A shell, since it is there as long as the sandbox and should take little
 * memory. It is a companion (launcher/plan.h): descriptor 3 takes a byte when all is ready, and closes at the end.
 *
 * Words: pid, mode, bridge or interface, address/bits, gateway, the host's address/bits, MAC, MTU, folder. Each may be
 * empty but pid, mode and folder.
 *
 * What somebody killed has left is found by its names: a table brig_PID whose link brigPID is gone.
 */
export const LINK_SCRIPT = `set -eu
pid=$1 mode=$2 on=$3 address=$4 gateway=$5 host=$6 mac=$7 mtu=$8 state=$9
link=brig$pid table=brig_$pid lease= forward=/proc/sys/net/ipv4/conf
mkdir -p -m 0700 "$state"
exec 9>"$state/lock"

inside() { nsenter --net="/proc/$pid/ns/net" "$@"; }
exists() { ip link show dev "$1" >/dev/null 2>&1; }
tables() { nft list tables ip | while read -r _ _ name; do case $name in brig_*) echo "$name";; esac; done; }
uplink() { ip -4 route show default | while read -r line; do set -- $line; while [ $# -gt 1 ]; do [ "$1" = dev ] && echo "$2" && return; shift; done; done | head -n 1; }

# What comes back is let through and nothing else from outside, nor to the host itself: no service of its own is opened.
nat() {
  nft -f - <<RULES
table ip $3 {
  chain input {
    type filter hook input priority -5; policy accept;
    iifname "$1" ct state established,related accept
    iifname "$1" icmp type echo-request accept
    iifname "$1" drop
  }
  chain forward {
    type filter hook forward priority -5; policy accept;
    iifname "$1" ip saddr != $2 drop
    oifname "$1" ct state established,related accept
    oifname "$1" drop
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr $2 oifname != "$1" masquerade
  }
}
RULES
  if [ -e "/proc/sys/net/ipv6/conf/$1/disable_ipv6" ]; then echo 1 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"; fi
  echo 1 >"$forward/$1/forwarding"
  up=$(uplink)
  [ -n "$up" ] || return 0
  if [ "$(cat "$forward/$up/forwarding")" = 0 ]; then echo 0 >"$state/forwarding.$up"; echo 1 >"$forward/$up/forwarding"; fi
}

# The uplinks forward as they did, when nobody needs it any more.
unforward() {
  [ -z "$(tables)" ] || return 0
  for file in "$state"/forwarding.*; do
    [ -e "$file" ] || continue
    name=\${file##*/forwarding.}
    if [ -e "$forward/$name/forwarding" ]; then echo 0 >"$forward/$name/forwarding"; fi
    rm -f "$file"
  done
}

sweep() {
  for name in $(tables); do
    [ "$name" = brig_bridge ] || exists "brig\${name#brig_}" || nft delete table ip "$name"
  done
  for file in "$state"/lease.*; do
    [ -e "$file" ] || continue
    exists "brig$(cat "$file")" || rm -f "$file"
  done
}

undo() {
  code=$?
  trap - EXIT
  set +e
  flock 9
  ip link delete "$link" 2>/dev/null
  nft delete table ip "$table" 2>/dev/null
  if [ "$mode" = bridge ] && [ -z "$on" ]; then
    [ -z "$lease" ] || rm -f "$lease"
    if [ -z "$(ip -o link show master brig0 2>/dev/null)" ]; then ip link delete brig0 2>/dev/null; nft delete table ip brig_bridge 2>/dev/null; fi
  fi
  unforward
  exit $code
}
trap undo EXIT
trap 'exit 1' HUP INT TERM

flock 9
sweep

# A free network for the two ends of a link, of the addresses that carriers use behind their NAT (RFC 6598).
choose_pair() {
  n=$pid
  while :; do
    n=$((n % 65536)); base=100.$((88 + n / 16384)).$((n / 64 % 256)) last=$((n % 64 * 4))
    [ -n "$(ip -4 route show root "$base.$last/30")" ] || break
    n=$((n + 1))
  done
  gateway=$base.$((last + 1)); host=$gateway/30 address=$base.$((last + 2))/30
}

choose_on_bridge() {
  n=$pid
  while :; do
    n=$((n % 65533)); spot=$((n + 2)); address=100.92.$((spot / 256)).$((spot % 256))/16 lease=$state/lease.$spot
    if (set -C; echo "$pid" >"$lease") 2>/dev/null; then break; fi
    n=$((n + 1))
  done
}

case $mode in
veth)
  [ -n "$address" ] || choose_pair
  ip link add name "$link" type veth peer name eth0 netns "$pid"
  ip address add "$host" dev "$link"
  ip link set dev "$link" up
  nat "$link" "$host" "$table";;
bridge)
  if [ -z "$on" ]; then
    on_bridge=brig0
    [ -n "$address" ] || choose_on_bridge
    gateway=\${gateway:-100.92.0.1}
    if ! exists brig0; then
      ip link add name brig0 type bridge
      ip address add 100.92.0.1/16 dev brig0
      ip link set dev brig0 up
      nft list table ip brig_bridge >/dev/null 2>&1 && nft delete table ip brig_bridge
      nat brig0 100.92.0.0/16 brig_bridge
    fi
  else
    on_bridge=$on
    [ -n "$(ip -o link show dev "$on" type bridge 2>/dev/null)" ] || { echo "this host has no bridge $on" >&2; exit 1; }
  fi
  ip link add name "$link" type veth peer name eth0 netns "$pid"
  ip link set dev "$link" master "$on_bridge" up;;
macvlan)
  exists "$on" || { echo "this host has no interface $on" >&2; exit 1; }
  ip link add link "$on" name "$link" type macvlan mode bridge
  ip link set dev "$link" netns "$pid" name eth0;;
esac
[ -z "$mtu" ] || [ "$mode" = macvlan ] || ip link set dev "$link" mtu "$mtu"

inside ip link set dev lo up
[ -z "$mac" ] || inside ip link set dev eth0 address "$mac"
[ -z "$mtu" ] || inside ip link set dev eth0 mtu "$mtu"
inside ip address add "$address" dev eth0
inside ip link set dev eth0 up
[ -z "$gateway" ] || inside ip route add default via "$gateway"
flock -u 9
printf r >&3
read -r _ <&3 || :
`;
