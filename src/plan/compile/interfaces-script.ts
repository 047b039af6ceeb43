/**
 * What stands beside a sandbox that is connected to interfaces and bridges of the host, as root. It is a companion
 * (launcher/plan.h): descriptor 3 takes a byte when all is ready, and closes at the end, when it undoes everything.
 *
 * Words: pid, default gateway, file of the lock, then eleven for each interface, each of which may be empty but the
 * first three: kind, the host's interface, name inside, name of the host's end, address, bits, first and last address to
 * choose from, IPv6 address, MAC, MTU. An address of "none" is none.
 *
 * An address is taken when nobody answers to ARP for it: a neighbour that is asked for by hand (NTF_USE) is looked for
 * from the address 0.0.0.0 as long as the interface has none, which is a probe as RFC 5227 has it.
 */
export const INTERFACES_SCRIPT = `set -eu
pid=$1 default=$2 lock=$3
shift 3
exec 8<"/proc/$pid/ns/net"
made= moved=

inside() { nsenter --net=/proc/self/fd/8 "$@"; }
fail() { echo "$*" >&2; exit 1; }
number() { (IFS=.; set -- $1; echo $((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))); }
dotted() { echo $(($1 >> 24 & 255)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255)); }
# The first IPv4 address of an interface of the host, with its bits.
configured() { ip -4 -o address show dev "$1" primary | while read -r _ _ _ found _; do echo "$found"; break; done; }
find_router() { ip -4 route show default | while read -r _ _ via _; do echo "$via"; break; done; }
state() { inside ip -4 neigh show nud all to "$2" dev "$1" | while read -r line; do echo "\${line##* }"; break; done; }

undo() {
  code=$?
  trap - EXIT
  set +e
  for link in $made; do ip link delete "$link" 2>/dev/null; done
  printf '%s' "$moved" | while read -r name flags addresses; do
    inside ip link set dev "$name" netns $$ || continue
    for each in $addresses; do ip address add "$each" dev "$name"; done
    case $flags in *UP*) ip link set dev "$name" up;; esac
  done
  exit $code
} 2>/dev/null
trap undo EXIT
trap 'exit 1' HUP INT TERM

# Whether somebody has the address already: three questions, a twentieth of a second apart.
is_taken() {
  inside ip neigh replace "$2" dev "$1" nud none use || return 1
  looks=0
  while [ $looks -lt 20 ]; do
    case $(state "$1" "$2") in FAILED|"") return 1;; REACHABLE|STALE|DELAY|PROBE) return 0;; esac
    sleep 0.03
    looks=$((looks + 1))
  done
  return 1
}

choose() {
  own=$(number "\${4:-0.0.0.0}") router=$(number "\${5:-0.0.0.0}") size=$(($3 - $2 + 1)) tries=0
  [ $size -gt 0 ] || fail "the range of addresses for $1 is empty"
  while [ $tries -lt 32 ] && [ $tries -lt $size ]; do
    spot=$(($2 + (pid * 7 + tries * 13) % size))
    tries=$((tries + 1))
    [ $spot != "$own" ] && [ $spot != "$router" ] || continue
    address=$(dotted $spot)
    is_taken "$1" "$address" || return 0
  done
  fail "cannot find a free address on $on: all that were tried are taken"
}

move() {
  flags=$(ip -o link show dev "$on") || fail "this host has no interface $on"
  flags=\${flags#*<}; flags=\${flags%%>*}
  kept=$(ip -o address show dev "$on" scope global | while read -r _ _ _ each _; do printf '%s ' "$each"; done)
  ip link set dev "$on" netns "$pid"
  moved="$moved$on $flags $kept
"
  for each in $kept; do inside ip address add "$each" dev "$on"; done
}

connect() {
  case $kind in
  bridge)
    [ -n "$(ip -o link show dev "$on" type bridge 2>/dev/null)" ] || fail "this host has no bridge $on"
    ip link add name "$end" type veth peer name "$name" netns "$pid"
    made="$made $end"
    [ -z "$mtu" ] || ip link set dev "$end" mtu "$mtu"
    ip link set dev "$end" master "$on" up;;
  macvlan|ipvlan)
    ip link show dev "$on" >/dev/null 2>&1 || fail "this host has no interface $on"
    how=bridge
    [ $kind = macvlan ] || how=l2
    ip link add link "$on" name "$end" type $kind mode $how
    ip link set dev "$end" netns "$pid" name "$name" || { ip link delete "$end"; exit 1; };;
  esac
  [ -z "$mac" ] || inside ip link set dev "$name" address "$mac"
  [ -z "$mtu" ] || inside ip link set dev "$name" mtu "$mtu"
  inside ip link set dev "$name" up
}

give_address() {
  with=$(configured "$on") way=
  [ -n "$bits" ] || bits=\${with#*/}
  if [ $kind = bridge ]; then way=\${with%/*}; else way=$(find_router); fi
  way=\${default:-$way}
  # an interface without an address: as with --ip=none
  if [ -z "$address" ] && [ -z "$with" ] && [ -z "$first" ]; then return 0; fi
  [ -n "$bits" ] || fail "$on has no address, so that nobody knows the network of $address: name its mask"
  host=\${with%/*}
  known=$host
  [ -z "$first" ] || known=$first
  [ -z "$address" ] || known=$address
  mask=$(((0xffffffff << (32 - bits)) & 0xffffffff))
  base=$(($(number "$known") & mask))
  top=$((base | (~mask & 0xffffffff)))
  if [ -n "$with" ] && [ "$bits" = "\${with#*/}" ] && [ $(($(number "$host") & mask)) != $base ]; then fail "$known is not in the network of $on, $with"; fi
  inside sh -c "echo 50 >/proc/sys/net/ipv4/neigh/$name/retrans_time_ms"
  if [ -n "$address" ]; then
    is_taken "$name" "$address" && fail "the address $address is in use on $on"
  elif [ -n "$first" ]; then
    choose "$name" "$(number "$first")" "$(number "$last")" "$host" "$way"
  else
    choose "$name" $((base + 1)) $((top - 1)) "$host" "$way"
  fi
  inside ip address add "$address/$bits" broadcast + dev "$name"
  inside ip neigh flush dev "$name" nud all 2>/dev/null || :
  if [ -n "$way" ] && [ -z "$routed" ] && { [ -n "$default" ] || [ $(($(number "$way") & mask)) = $base ]; }; then inside ip route add default via "$way" dev "$name" && routed=1; fi
}

inside ip link set dev lo up
exec 9>"$lock"
flock 9
routed=
while [ $# -ge 11 ]; do
  kind=$1 on=$2 name=$3 end=$4 address=$5 bits=$6 first=$7 last=$8 address6=$9
  shift 9
  mac=$1 mtu=$2
  shift 2
  if [ "$kind" = move ]; then
    move
    inside ip link set dev "$on" up
    continue
  fi
  end=\${end:-brig$pid$(echo "$name" | tr -cd 0-9)}
  connect
  if [ "$address" != none ]; then give_address; else address=; fi
  [ -z "$address6" ] || inside ip -6 address add "$address6" dev "$name" nodad
done
flock -u 9
printf r >&3
read -r _ <&3 || :
`;
