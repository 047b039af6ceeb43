import { FORWARDING } from "./forwarding-script.js";

/**
 * Functions of a shell for named networks, whose state is in the folder `run` (docs/networks.md, "What there is while
 * somebody is on it"). They are what everybody runs: the one that stands beside a sandbox, `brig network connect`, and
 * who clears up after those that were killed. Everything of one network is done under the lock nets/ID/lock.
 */
export const NETWORK_FUNCTIONS = `set -eu
umask 022
PATH=\${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
state=$run/forwarding later=
${FORWARDING}
fail() { echo "$1" >&2; exit 1; }
lock() { exec 9>"$1/lock"; flock 9; }
unlock() { exec 9>&-; }
# Field 22 of a process's stat, "" when it is gone or only its status is left.
read_start() {
  start=
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  line=\${line##*) }
  set -- $line
  case $1 in Z|X) ;; *) start=\${20-};; esac
}
claim() { set -C; if { echo "$id" >"$nets/leases/$1"; } 2>/dev/null; then set +C; else set +C; return 1; fi; }
with_forwarding() { mkdir -p "$state"; exec 8>"$state/lock"; flock 8; "$@"; exec 8>&-; }

down() {
  for file in "$1"/endpoints/*; do if [ -e "$file" ]; then return 0; fi; done
  [ -e "$1/device" ] || return 0
  read -r device table <"$1/device"
  ip link delete dev "$device" 2>/dev/null || :
  nft -f - <<RULES
table inet $table
delete table inet $table
RULES
  with_forwarding forward_off "$device"
  rm -f "$1/device" "$1/next"
}

# A sandbox out of a network: the network's folder, the sandbox's id. The record goes last.
leave() {
  link= leases= names= places= process= names_folder=$run/names/\${1##*/}
  while IFS='=' read -r key value; do
    case $key in pid) process=$value;; link) link=$value;; leases) leases=$value;; names) names=$value;; places) places=$value;; esac
  done <"$1/endpoints/$2"
  # with the last process of a sandbox goes its network, and with that the link
  [ -z "$link" ] || [ ! -e "/proc/$process" ] || ip link delete dev "$link" 2>/dev/null || :
  if [ -z "$leases" ]; then
    for file in "$1"/leases/*; do [ -e "$file" ] || continue; read -r holder <"$file"; [ "$holder" != "$2" ] || leases="$leases \${file##*/}"; done
  fi
  all=
  for lease in $leases; do all="$all $1/leases/$lease"; done
  for place in $places; do
    all="$all $names_folder/@$place"
    for each in $names; do all="$all $names_folder/$each/$place"; done
  done
  [ -z "$all" ] || rm -f $all
  all=
  for each in $names; do all="$all $names_folder/$each"; done
  [ -z "$all" ] || rmdir $all 2>/dev/null || :
  for file in "$run/names/.of/$2"/*; do
    [ ! -L "$file" ] || [ "$(readlink "$file")" != "../../\${1##*/}" ] || rm -f "$file"
  done
  rm -f "$1/endpoints/$2"
  if [ -z "$later" ]; then down "$1"; else linger "$1" >/dev/null 2>&1 & fi
}

# The kernel takes its time over making and unmaking a bridge: who comes next may find it there.
linger() { unlock; sleep 2; lock "$1"; down "$1"; }

leave_all() {
  for each_network in "$run"/nets/*; do
    [ -e "$each_network/endpoints/$1" ] || continue
    lock "$each_network"
    [ ! -e "$each_network/endpoints/$1" ] || leave "$each_network" "$1"
    unlock
  done
  rm -rf "$run/names/.of/$1" "$run/ports/$1"
}

# What those have left who were killed, and whose owner too.
sweep_network() {
  for file in "$1"/endpoints/*; do
    [ -e "$file" ] || continue
    read -r line <"$file" || line=
    line=\${line#owner=}
    was=\${line#* }
    read_start "\${line% *}"
    [ "$start" = "$was" ] && [ -n "$was" ] || { sandbox=\${file##*/}; leave "$1" "$sandbox"; rm -rf "$run/names/.of/$sandbox" "$run/ports/$sandbox"; }
  done
}

# The next one of the network's addresses, as a number.
choose() {
  n=$first tried=0
  [ ! -e "$nets/next" ] || read -r n <"$nets/next"
  [ "$n" -ge "$first" ] && [ "$n" -le "$last" ] || n=$first
  while [ "$tried" -le $((last - first)) ]; do
    case " $reserved " in *" $n "*) ;; *) if claim "$n"; then break; fi;; esac
    n=$((n + 1)) tried=$((tried + 1))
    [ "$n" -le "$last" ] || n=$first
  done
  [ "$tried" -le $((last - first)) ] || fail "network $name has no address left"
  echo "$((n + 1))" >"$nets/next"
}

has_interface() { while read -r word _; do if [ "$word" = "$1:" ]; then return 0; fi; done <"/proc/$pid/net/dev"; return 1; }

# Where a sandbox is in a network, from variables: net name driver device table mtu walls, first last base reserved
# subnet bits gateway want, prefix6 bits6 gateway6 want6 hex6, mac aliases isolated. Adds to "inside" what ip does there.
join() {
  nets=$run/nets/$net
  [ -d "$nets/endpoints" ] || mkdir -p "$nets/leases" "$nets/endpoints"
  lock "$nets"
  sweep_network "$nets"
  endpoint=$nets/endpoints/$id
  [ ! -e "$endpoint" ] || { mine=\${mine% *}; fail "it is in the network $name already"; }
  echo "owner=$owner" >"$endpoint"
  if [ -n "$want" ]; then
    n=$want
    claim "$n" || { read -r holder <"$nets/leases/$n"; fail "the address $wanted of the network $name is $holder's"; }
  else choose; fi
  hex=$(printf '%08x' "$n") places=4.$hex address=$((n >> 24)).$((n >> 16 & 255)).$((n >> 8 & 255)).$((n & 255)) leases=$n
  [ -n "$to" ] || to=$places
  address6=
  if [ -n "$want6" ]; then
    address6=$want6 places="$places 6.$hex6" leases="$leases 6.$hex6"
    claim "6.$hex6" || fail "the address $want6 of the network $name is taken"
  elif [ -n "$prefix6" ]; then
    low=$(printf '%08x' $((n - base)))
    address6=$prefix6:\${low%????}:\${low#????} places="$places 6.$hexprefix6$low" leases="$leases 6.$hexprefix6$low"
    claim "6.$hexprefix6$low" || fail "the address $address6 of the network $name is taken"
  fi
  [ -n "$mac" ] || mac=02:b1:\${hex%??????}:$(h=\${hex#??}; echo "\${h%????}"):$(h=\${hex#????}; echo "\${h%??}"):\${hex#??????}
  while has_interface "eth$number"; do number=$((number + 1)); done
  inner=eth$number link=
  number=$((number + 1))
  [ "$driver" != bridge ] || link=bn\${pid}e\${inner#eth}
  all_names="$names $aliases"
  printf 'pid=%s\\nlink=%s\\ninterface=%s\\naddress=%s\\naddress6=%s\\nmac=%s\\ngateway=%s\\nleases=%s\\nplaces=%s\\nnames=%s\\n' \\
    "$pid" "$link" "$inner" "$address/$bits" "\${address6:+$address6/$bits6}" "$mac" "$way" "$leases" "$places" "$all_names" >>"$endpoint"
  folders=
  for each in $all_names; do folders="$folders $run/names/$net/$each"; done
  mkdir -p "$run/names/.of/$id" $folders
  for each in $all_names; do for place in $places; do : >"$run/names/$net/$each/$place"; done; done
  for place in $places; do echo "\${names%% *}" >"$run/names/$net/@$place"; done
  ln -sfn "../../$net" "$run/names/.of/$id/$name"
  case $driver in
  bridge) join_bridge;;
  macvlan|ipvlan)
    [ -e "$conf4/$device" ] || fail "this host has no interface $device"
    mode="macvlan mode bridge"
    [ "$driver" = macvlan ] || mode="ipvlan mode l2"
    ip link add link "$device" name "$inner" \${mtu:+mtu "$mtu"} netns "$pid" type $mode
    [ "$driver" = ipvlan ] || inside="\${inside}link set dev $inner address $mac
";;
  esac
  [ -n "$address6" ] || inside="\${inside}link set dev $inner addrgenmode none
"
  inside="\${inside}address add $address/$bits dev $inner
\${address6:+address add $address6/$bits6 dev $inner nodad
}link set dev $inner up
"
  [ -z "$way" ] || [ -n "$routed_by" ] || { inside="\${inside}route replace default via $way
"; routed_by=$way; }
  [ -z "$way6" ] || [ -n "$routed6_by" ] || { inside="\${inside}route replace default via $way6
"; routed6_by=$way6; }
  unlock
}

join_bridge() {
  batch=
  if [ ! -e "$nets/device" ] || [ ! -e "$conf4/$device" ]; then
    echo "$device $table" >"$nets/device"
    [ -e "$conf4/$device" ] || ip link add name "$device" address "$bridge_mac" type bridge
    [ -n "$gateway6" ] || [ ! -e "$conf6/$device" ] || echo 1 >"$conf6/$device/disable_ipv6"
    batch="address replace $gateway/$bits dev $device
\${gateway6:+address replace $gateway6/$bits6 dev $device nodad
}"
    [ -n "$closed" ] || with_forwarding forward_on "$device" "$gateway6"
  fi
  # each time: a host's firewall that is loaded anew (flush ruleset) takes brig's walls with it
  nft list chain inet "$table" forward >/dev/null 2>&1 || nft -f - <<RULES
$walls
RULES
  ip -batch - <<BATCH
\${batch}link add name $link \${mtu:+mtu $mtu} type veth peer name $inner address $mac \${mtu:+mtu $mtu} netns $pid
link set dev $link addrgenmode none
link set dev $link master $device up
link set dev $device up
BATCH
  [ -z "$isolated" ] || ip link set dev "$link" type bridge_slave isolated on
}

undo() {
  code=$?
  trap - EXIT
  set +e
  [ -z "$mine" ] || for each_mine in $mine; do
    [ -e "$run/nets/$each_mine/endpoints/$id" ] || continue
    lock "$run/nets/$each_mine"
    leave "$run/nets/$each_mine" "$id"
    unlock
  done
  exit $code
}

prepare() {
  trap undo EXIT
  trap 'exit 1' HUP INT TERM
  [ -d "$run/ports" ] || { mkdir -p -m 0700 "$run"; mkdir -p "$run/nets" "$run/names/.of" "$run/ports"; }
}

sweep_all() {
  for network in "$run"/nets/*; do
    [ -d "$network/endpoints" ] || continue
    lock "$network"
    sweep_network "$network"
    down "$network"
    unlock
  done
  if [ -d "$state" ]; then with_forwarding forward_off none; fi
}
`;

/** What the sandbox's own network gets: its addresses, and questions for names to who answers them. */
export const NETWORK_INSIDE = `
enter() {
  INSIDE=$inside NAMES=$1 nsenter --net="/proc/$pid/ns/net" /bin/sh -c 'set -e
ip -batch - <<BATCH
$INSIDE
BATCH
[ -n "$NAMES" ] || exit 0
# every port of its own network is its own: nobody is there whom a low one would tell anything
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
nft -f - <<RULES
table inet brig_names
delete table inet brig_names
table inet brig_names { chain output { type nat hook output priority -100; policy accept; ip daddr 127.0.0.11 meta l4proto { tcp, udp } th dport 53 dnat ip to 127.0.0.1:$NAMES; }; }
RULES'
}
`;
