/**
 * Functions of a shell: forwarding (ip-sysctl: conf/INTERFACE/forwarding) for an interface of brig's and for those of
 * the default routes, where the answers come in. What an interface had is kept, and given back when no interface of
 * brig's needs it any more. One that did not forward before lets nothing new through: its neighbours do not get a
 * router. `state` is the folder of what is kept; the caller holds its lock.
 *
 * IPv6 has it by interface since Linux 6.17 (force_forwarding); before, a host forwards or does not. Then it goes on
 * taking its own routes from its routers (accept_ra).
 */
export const FORWARDING = `
conf4=/proc/sys/net/ipv4/conf conf6=/proc/sys/net/ipv6/conf
uplinks() { ip "$1" route show default | while read -r line; do set -- $line; while [ $# -gt 1 ]; do [ "$1" != dev ] || echo "$2"; shift; done; done; }
keep_and_set() { [ "$(cat "$2")" != 0 ] || { echo "$2" >"$state/kept.$1"; echo "$3" >"$2"; }; }
guard() {
  list=
  for file in "$state"/kept.4.*; do [ ! -e "$file" ] || list="$list\${list:+, }\\"\${file##*/kept.4.}\\""; done
  echo "table inet brig_uplinks
delete table inet brig_uplinks"
  [ -z "$list" ] || echo "table inet brig_uplinks { chain forward { type filter hook forward priority filter - 5; policy accept; iifname { $list } ct state new drop; }; }"
}
forward_on() {
  : >"$state/user.$1"
  echo 1 >"$conf4/$1/forwarding"
  changed=
  for up in $(uplinks -4); do
    [ "$(cat "$conf4/$up/forwarding")" != 0 ] || { keep_and_set "4.$up" "$conf4/$up/forwarding" 1; changed=1; }
  done
  if [ -n "\${2-}" ] && [ -e "$conf6/all/forwarding" ] && [ "$(cat "$conf6/all/forwarding")" = 0 ]; then
    if [ -e "$conf6/$1/force_forwarding" ]; then
      echo 1 >"$conf6/$1/force_forwarding"
      for up in $(uplinks -6); do keep_and_set "6.$up" "$conf6/$up/force_forwarding" 1; done
    else
      for up in $(uplinks -6); do [ "$(cat "$conf6/$up/accept_ra")" != 1 ] || echo 2 >"$conf6/$up/accept_ra"; done
      keep_and_set 6.all "$conf6/all/forwarding" 1
    fi
  fi
  [ -z "$changed" ] || guard | nft -f -
}
forward_off() {
  rm -f "$state/user.$1"
  for file in "$state"/user.*; do
    [ -e "$file" ] || continue
    if [ -e "$conf4/\${file##*/user.}" ]; then return 0; fi
    rm -f "$file"
  done
  changed=
  for file in "$state"/kept.*; do
    [ -e "$file" ] || continue
    read -r path <"$file"
    [ ! -e "$path" ] || echo 0 >"$path"
    rm -f "$file"; changed=1
  done
  [ -z "$changed" ] || guard | nft -f -
}
`;
