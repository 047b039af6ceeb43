/**
 * What stands beside a machine whose links have to be undone: zones' bridges that go with their last link, interfaces
 * that go back to the host, ports of the host that lead to whatever addresses the machine gives itself. A companion
 * (launcher/plan.h): descriptor 3 takes a byte when all is ready, and closes at the end.
 *
 * Words: pid, lock file, then for each link three: "zone" BRIDGE and nothing, "interface" NAME INNER, "port"
 * PROTOCOL HOST:INNER. The veth pairs are made by what is on descriptor 0 behind the first line "#links".
 */
export const HOST_LINKS_SCRIPT = `set -eu
pid=$1 lock=$2 table=brig_ports_$1
shift 2
exec 9>"$lock" 8<"/proc/$pid/ns/net"
count=$# interfaces= ports=

inside() { nsenter --net=/proc/self/fd/8 "$@" 8<&8; }
exists() { ip link show dev "$1" >/dev/null 2>&1; }
is_empty() { [ -z "$(ip -o link show master "$1" 2>/dev/null)" ]; }
release() { if exists "$1" && is_empty "$1"; then ip link delete "$1" 2>/dev/null || :; fi; }

undo() {
  code=$?
  trap - EXIT
  set +e
  flock 9
  while [ $# -gt 0 ]; do
    case $1 in
    interface) inside ip link set dev "$3" down; inside ip link set dev "$3" name "$2" netns $$;;
    zone) for link in $(ip -o link show master "$2" 2>/dev/null | sed -n 's/^[0-9]*: \\([^@:]*\\).*/\\1/p'); do case " $hosts " in *" $link "*) ip link delete "$link" 2>/dev/null;; esac; done; release "$2";;
    esac
    shift 3
  done
  [ -z "$ports" ] || nft delete table ip "$table" 2>/dev/null
  exit $code
}
hosts=$(sed -n 's/^link add name \\([^ ]*\\) .*/\\1/p' <<LINKS
@LINKS@
LINKS
)
trap 'undo "$@"' EXIT
trap 'exit 1' HUP INT TERM

flock 9
n=1
for word in "$@"; do
  case $n in
  1) kind=$word;;
  2) first=$word;;
  3)
    n=0
    case $kind in
    zone) if ! exists "$first"; then ip link add name "$first" type bridge; fi; ip link set dev "$first" up;;
    interface)
      ip link set dev "$first" netns "$pid"
      if [ "$first" != "$word" ]; then inside ip link set dev "$first" down name "$word"; fi;;
    port) ports="$ports$first:$word ";;
    esac;;
  esac
  n=$((n + 1))
done
ip -batch - <<LINKS
@LINKS@
LINKS

# The first address that is no loopback's; the rules follow it.
publishing='
publish() {
  address=$(nsenter --net=/proc/self/fd/8 ip -4 -o address show scope global | sed -n "s/.* inet \\\\([0-9.]*\\\\).*/\\\\1/p" | head -n 1)
  rules=
  if [ -n "$address" ]; then
    for port in $ports; do
      rest=\${port#*:}
      rules="$rules
    fib daddr type local \${port%%:*} dport \${rest%:*} dnat to $address:\${rest#*:}"
    done
  fi
  nft -f - <<RULES
table ip $table {}
delete table ip $table
table ip $table {
  chain prerouting { type nat hook prerouting priority dstnat; policy accept;$rules
  }
  chain output { type nat hook output priority -100; policy accept;$rules
  }
}
RULES
}'
watching="$publishing
nsenter --net=/proc/self/fd/8 setpriv --pdeathsig KILL ip monitor address 2>/dev/null | while read -r _; do publish; done"

if [ -n "$ports" ]; then
  eval "$publishing"
  publish
  # it has no part in the lock, and ends with this shell
  table=$table ports=$ports setpriv --pdeathsig KILL sh -c "$watching" </dev/null 3>&- 9>&- &
  watcher=$!
  flock -u 9
  printf r >&3
  read -r _ <&3 || :
  kill $watcher 2>/dev/null || :
  exit 0
fi
flock -u 9
printf r >&3
read -r _ <&3 || :
`;
