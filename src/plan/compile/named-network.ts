import type { Network, NetworkMember } from "../../spec/extension.js";
import { addStep, type Context, refuse } from "./context.js";
import { addressNumber, hexOf, readPrefix } from "./network-numbers.js";
import { renderWalls } from "./network-rules.js";
import { NETWORK_FUNCTIONS, NETWORK_INSIDE } from "./network-script.js";

const POINTER = "/annotations/dev.brig.network";
const TIMEOUT_MS = 20_000;
const PROGRAMS = { ip: "iproute2", nft: "nftables", nsenter: "util-linux", flock: "util-linux" };

/** Where the sandbox's questions are taken, on its loopback: below 1024, so that no payload without rights can take it first. */
const NAMES_PORT = 1021;

/**
 * Places in named networks: a shell makes them while the sandbox's first process waits, and becomes the launcher itself,
 * which answers for names, hands over published ports, and at the end lets a shell undo everything.
 */
export function compileNamedNetwork(context: Context, network: Network): void {
  const { extension, host, options } = context;
  if (!host.capabilities.has("CAP_NET_ADMIN") || !host.capabilities.has("CAP_SYS_ADMIN"))
    throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", "a named network needs root, who alone may change the host's links", "--net user needs no rights");
  for (const [name, debian] of Object.entries(PROGRAMS))
    if (!host.hasTool(name)) throw refuse(extension, POINTER, "BRIG_CANNOT_NETWORK", `a named network needs ${name}`, `apt-get install ${debian}`);
  const script = renderJoin({
    run: `${options.runFolder ?? "/run/brig"}-networks`, members: network.networks ?? [], names: listNames(context),
    servers: network.servers ?? [], ports: network.ports ?? [],
  });
  addStep(context, "parent", { op: "COMPANION", argv: ["/bin/sh", "-s"], input: script, timeoutMs: TIMEOUT_MS, sockets: encodeSockets(), endSignal: 0, substitute: true }, POINTER);
}

/** For datagrams and for streams. */
function encodeSockets(): Uint8Array {
  const [inet, stream, datagram] = [2, 1, 2];
  return new Uint8Array(new Uint16Array([inet, datagram, NAMES_PORT, 0, inet, stream, NAMES_PORT, 0]).buffer);
}

/** The host name that every sandbox has that was given none is nobody's. */
function listNames({ extension, spec }: Context): string[] {
  const names = [extension.name, spec.hostname === "brig" ? undefined : spec.hostname];
  return [...new Set(names.flatMap((name) => (name === undefined ? [] : [name.toLowerCase()])))];
}

interface Joined {
  /** The folder of what there is of networks. */
  run: string;
  members: NetworkMember[];
  names: string[];
  servers: string[];
  ports: NonNullable<Network["ports"]>;
}

/** For the launcher, which puts the sandbox's id and first process in. */
function renderJoin({ run, members, names, servers, ports }: Joined): string {
  const internal = members.every((member) => member.internal);
  const words = [...(internal ? [] : servers.slice(0, 8)).map((server) => `server=${hexOf(server)}`), ...ports.flatMap(renderPort).map((port) => `port=${port}`)];
  const functions = assign({ run }) + NETWORK_FUNCTIONS;
  const text = `${assign({ functions })}eval "$functions"
${NETWORK_INSIDE}
id=IDENTITY pid=PROCESS launcher=/proc/$PPID/exe inside= number=0 routed_by= routed6_by= mine= to=
${assign({ names: names.join(" ") })}names="$names${names.length > 0 ? " " : ""}$id"
read_start $$; owner="$$ $start"
prepare
${members.map(renderMember).join("")}inside="link set dev lo up
$inside"
enter ${NAMES_PORT}
exec "$launcher" --serve dns root="$run/names" of="$id" to="$to" open="$run/ports/$id" ${words.map(quote).join(" ")} -- /bin/sh -c "$functions
later=1; leave_all $id"
`;
  return text.replaceAll("%", "%%").replace("id=IDENTITY pid=PROCESS", "id=%i pid=%p");
}

/** What connects a sandbox that runs; `owner` is who stands beside it, "" where nobody does: then the shell becomes that. */
export function renderConnect(asked: { run: string; member: NetworkMember; names: string[]; id: string; pid: number; owner: string; launcher: string }): string {
  const { run, member, names, id, pid, owner, launcher } = asked;
  const functions = assign({ run }) + NETWORK_FUNCTIONS;
  return `${assign({ functions })}eval "$functions"
${NETWORK_INSIDE}
inside= number=0 mine= to=
${assign({ id, pid: String(pid), owner, launcher, names: [...names, id].join(" ") })}
beside=$owner
[ -n "$owner" ] || { read_start $$; owner="$$ $start"; }
routed_by=$(nsenter --net="/proc/$pid/ns/net" ip -4 route show default) routed6_by=$(nsenter --net="/proc/$pid/ns/net" ip -6 route show default)
prepare
${renderMember(member)}enter ""
trap - EXIT
echo ready >&3
[ -z "$beside" ] || exit 0
exec >/dev/null 2>&1 3>&-
exec "$launcher" --serve until="$pid" -- /bin/sh -c "$functions
later=1; leave_all $id"
`;
}

/** The default route goes to another network, where there is one. */
export function renderDisconnect({ run, net, id, pid }: { run: string; net: string; id: string; pid: number }): string {
  return `${assign({ run })}${NETWORK_FUNCTIONS}${assign({ net, id, pid: String(pid) })}
inner= way=
while IFS='=' read -r key value; do case $key in interface) inner=$value;; esac; done <"$run/nets/$net/endpoints/$id"
lock "$run/nets/$net"
if [ -n "$inner" ] && [ -e "/proc/$pid/ns/net" ]; then nsenter --net="/proc/$pid/ns/net" ip link delete dev "$inner" 2>/dev/null || :; fi
leave "$run/nets/$net" "$id"
unlock
for file in "$run"/nets/*/endpoints/"$id"; do
  [ ! -e "$file" ] || while IFS='=' read -r key value; do case $key in gateway) way=\${way:-$value};; esac; done <"$file"
done
[ -z "$way" ] || [ -n "$(nsenter --net="/proc/$pid/ns/net" ip -4 route show default)" ] || nsenter --net="/proc/$pid/ns/net" ip route add default via "$way"
`;
}

export function renderSweep(run: string): string {
  return `${assign({ run })}${NETWORK_FUNCTIONS}sweep_all\n`;
}

/** A place in one network, as variables and a call of the shell's. */
function renderMember(member: NetworkMember): string {
  const { name, id, driver, device, gateway = "", gateway6 = "", address = "", address6 = "", mac = "", aliases = [], mtu = "", subnet, subnet6 } = member;
  const { first, last, base, bits } = readPrefix(subnet, member.range);
  const short = id.slice(0, 12);
  const inet6 = subnet6 === undefined ? { prefix: "", hex: "", bits: "" } : splitPrefix(subnet6);
  const closed = member.internal ? "1" : "";
  const variables = {
    net: short, name, driver, device, table: `brig_${short}`, mtu: String(mtu), closed, isolated: member.isolated ? "1" : "",
    walls: driver === "bridge" ? renderWalls({ table: `brig_${short}`, device, subnets: [subnet, ...(subnet6 === undefined ? [] : [subnet6])], internal: member.internal ?? false, routed: member.routed ?? false }) : "",
    first: String(first), last: String(last), base: String(base), bits: String(bits), gateway, gateway6,
    reserved: [gateway].filter(Boolean).map(addressNumber).join(" "),
    want: address && String(addressNumber(address)), wanted: address, want6: address6, hex6: address6 && hexOf(address6).slice(2),
    prefix6: inet6.prefix, hexprefix6: inet6.hex, bits6: String(inet6.bits),
    mac, aliases: aliases.map((alias) => alias.toLowerCase()).join(" "),
    bridge_mac: `02:b0:${short.slice(0, 2)}:${short.slice(2, 4)}:${short.slice(4, 6)}:${short.slice(6, 8)}`,
    way: closed ? "" : gateway, way6: closed ? "" : gateway6,
  };
  return `${assign(variables)}mine="$mine $net"\njoin\n`;
}

/** "fd00:1:2:3:0:0" and "fd00000100020003" with zeros: what stands before the last 32 bits. */
function splitPrefix(subnet6: string): { prefix: string; hex: string; bits: string } {
  const [address = "", bits = "64"] = subnet6.split("/");
  const hex = hexOf(address).slice(2, 26);
  return { hex, prefix: (hex.match(/.{4}/g) ?? []).join(":"), bits };
}

/** Without an address on all of the host's, IPv6's as far as there are any. */
function renderPort({ protocol, address, host, guest }: NonNullable<Network["ports"]>[number]): string[] {
  if (address !== undefined) return [`${protocol}/${hexOf(address)}/${host}/${guest}`];
  return [`${protocol}/${hexOf("0.0.0.0")}/${host}/${guest}`, `${protocol}?/${hexOf("::")}/=/${guest}`];
}

/** Variables of a shell. */
function assign(variables: Record<string, string>): string {
  return Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}\n`).join("");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
