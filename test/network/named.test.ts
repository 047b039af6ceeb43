import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { BRIG, cannotRun, waitFor } from "./internet.js";
import { curl, NamedHost, SERVER } from "./named-host.js";

const skip = cannotRun() ?? (spawnSync("sh", ["-c", "command -v flock pgrep"]).status === 0 ? false : "needs flock and pgrep");
let host: NamedHost;

before(async () => {
  if (skip) return;
  host = await NamedHost.make();
  host.brig("network", "create", "--ipv6", "--label", "stage=test", "front");
  host.brig("network", "create", "back");
  host.brig("network", "create", "--internal", "quiet");
  host.brig("network", "create", "--isolated", "apart");
  const ports = ["-p", "8080:8000", "-p", "203.0.113.9:8081-8082:8000-8001", "-p", "5353:5353/udp", "-p", "8000"];
  host.brig("run", "-d", "-n", "web", "--net", "front:alias=shop", ...ports, "--", process.execPath, "-e", SERVER, "web");
  host.brig("run", "-d", "-n", "store", "--net", "back", "--", process.execPath, "-e", SERVER, "store");
  await waitFor(() => ["web", "store"].every((name) => host.run(BRIG, "exec", name, "--", ...curl("http://127.0.0.1:8000/")).status === 0));
});

after(async () => {
  await (host as NamedHost | undefined)?.[Symbol.asyncDispose]();
});

/** A shell on these networks; what fails in it says so. */
function on(net: string, script: string): string[] {
  return host.brig("run", "--net", net, "--", "sh", "-c", `c() { curl -sg --noproxy '*' --max-time 1 "$1" && echo || echo "none ($?)"; }\n${script}`).trimEnd().split("\n");
}

test("who is on a network finds the others by name, and the way out; who is not on it finds neither name nor address", { skip }, () => {
  const address = host.brig("exec", "web", "--", "ip", "-o", "-4", "address", "show", "eth0").match(/inet ([\d.]+)/)?.[1] ?? "";
  const v6 = host.brig("exec", "web", "--", "ip", "-o", "-6", "address", "show", "eth0").match(/inet6 (fd[\da-f:]+)/)?.[1] ?? "";
  const [web = "", shop, full, six, forward, back, out, out6] = on("front", `c http://web:8000/; c http://SHOP:8000/; c http://web.front:8000/; c http://[${v6}]:8000/; getent ahostsv4 web | head -n 1; getent hosts ${address}; c http://93.184.216.34/; c http://[2001:db8:1::2]/`);
  assert.match(web, /^web (fd|::ffff:10\.)/);
  for (const each of [shop, full, six]) assert.match(each ?? "", /^web /);
  assert.match(forward ?? "", new RegExp(`^${address} `));
  assert.match(back ?? "", /web/);
  assert.deepEqual([out, out6], ["outside saw ::ffff:203.0.113.1", "outside saw 2001:db8:1::1"]);
  const [noName, noAddress, own] = on("back", `c http://web:8000/; c http://${address}:8000/; c http://store:8000/`);
  assert.deepEqual([noName, noAddress], ["none (6)", "none (28)"]);
  assert.match(own ?? "", /^store /);
  assert.match(on("front", "getent ahostsv4 outside.example; getent hosts other.example || echo unknown").join("\n"), /^93\.184\.216\.34 [\s\S]*unknown$/, "the host's resolvers are asked");
  const both = on("back,front", "c http://web:8000/; c http://store:8000/; ip -o -4 route show default");
  assert.match(both.join("\n"), /^web .*\nstore .*\ndefault via 10\.\S+ dev eth0/);
});

test("an internal network has no way out, nor have questions; an isolated one none to its members; a host's services are closed", { skip }, () => {
  assert.deepEqual(on("quiet", "c http://93.184.216.34/; getent hosts example.com || echo no name; ip route show default"), ["none (7)", "no name"]);
  host.brig("run", "-d", "-n", "near", "--net", "apart", "--", process.execPath, "-e", SERVER, "near");
  const [near, out] = on("apart", "c http://near:8000/; c http://93.184.216.34/");
  assert.match(near ?? "", /^none/);
  assert.equal(out, "outside saw ::ffff:203.0.113.1");
  host.brig("rm", "-f", "near");
  host.start(process.execPath, "-e", 'require("node:net").createServer((s) => s.end("secret")).listen(99)');
  const closed = on("front", "sleep 0.3; for at in 203.0.113.1:99 $(ip route show default | cut -d' ' -f3):99; do c telnet://$at </dev/null; done");
  assert.ok(!closed.join().includes("secret") && closed.length === 2, closed.join());
});

test("a published port is open to the outside as far as the host's own firewall lets it in", { skip }, () => {
  const open = ["http://203.0.113.1:8080/", "http://[2001:db8:1::1]:8080/", "http://203.0.113.9:8081/"];
  for (const url of open) assert.match(host.fromOutside(url).stdout, /^web /, url);
  assert.match(host.must(...curl("http://127.0.0.1:8080/")), /^web /);
  assert.equal(host.fromOutside("http://203.0.113.1:8081/").status, 7, "only on the address that was named");
  const ask = 'const s = require("node:dgram").createSocket("udp4"); s.on("message", (m, r) => (console.log(m + " from " + r.address), process.exit())); s.send("hi", 5353, "203.0.113.9"); setTimeout(() => process.exit(1), 2000)';
  assert.equal(host.must("ip", "netns", "exec", "outside", process.execPath, "-e", ask), "echo hi from 203.0.113.9\n");
  const chosen = Number(host.must("sh", "-c", "cat /run/brig-networks/ports/*").match(/tcp 4\.0+ (\d+) 8000\n(?!.*8080)/)?.[1] ?? host.must("sh", "-c", "grep -h '^tcp 4.0* .* 8000' /run/brig-networks/ports/* | tail -n 1").split(" ")[2]);
  assert.match(host.fromOutside(`http://203.0.113.1:${chosen}/`).stdout, /^web /);

  const rules = "table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established,related accept; iif lo accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }";
  host.must("sh", "-c", `echo '${rules}' | nft -f -`);
  for (const url of open) assert.equal(host.fromOutside(url).status, 28, url);
  host.must("nft", "add", "rule", "inet", "filter", "input", "tcp", "dport", "8080", "accept");
  assert.match(host.fromOutside(open[0] ?? "").stdout, /^web /);
  assert.equal(host.fromOutside(open[2] ?? "").status, 28);
  assert.match(on("front", "c http://web:8000/")[0] ?? "", /^web /, "what is on the network does not hang on it");
  host.must("nft", "delete", "table", "inet", "filter");

  const taken = host.run(BRIG, "run", "--net", "back", "-p", "8080:80", "--", "true");
  assert.equal(taken.status, 125);
  assert.match(taken.stderr, /port 0\.0\.0\.0:8080\/tcp of the host is taken/);
});

test("a member's address cannot be another's, and neighbours of the host get no router", { skip }, () => {
  const address = host.brig("exec", "web", "--", "ip", "-o", "-4", "address", "show", "eth0").match(/inet ([\d.]+)/)?.[1] ?? "";
  assert.match(host.run(BRIG, "run", "--net", `front:ip=${address}`, "--", "true").stderr, /the address \S+ of the network front is [0-9a-f]{12}'s/);
  const own = address.replace(/\d+$/, "200");
  assert.match(on(`front:ip=${own},mac=02:00:00:00:00:07`, "ip -o address show eth0; ip -o link show eth0").join("\n"), new RegExp(`inet ${own}/24`));
  // the uplink forwards now, for what comes back: nothing new gets through from there
  const back = host.brig("exec", "store", "--", "ip", "-o", "-4", "address", "show", "eth0").match(/inet ([\d.]+)/)?.[1] ?? "";
  assert.equal(host.must("cat", "/proc/sys/net/ipv4/conf/up0/forwarding"), "1\n");
  for (const to of [address, back]) assert.equal(host.fromOutside(`http://${to}:8000/`).status, 28, to);
  assert.match(host.must("nft", "list", "table", "inet", "brig_uplinks"), /iifname "up0" ct state new drop/);
});

test("a running sandbox is connected to one more network and disconnected again", { skip }, () => {
  host.brig("network", "connect", "--alias", "depot", "front", "store");
  assert.match(on("front", "c http://depot:8000/; getent ahostsv4 store")[0] ?? "", /^store /);
  assert.match(host.brig("exec", "store", "--", ...curl("http://web:8000/")), /^web /);
  const again = host.run(BRIG, "network", "connect", "front", "store");
  assert.deepEqual([again.status, /in the network front already/.test(again.stderr)], [1, true]);
  const inspected = JSON.parse(host.brig("network", "inspect", "front")) as { Labels: unknown; IPAM: { Config: { Subnet: string; Gateway: string }[] }; Containers: Record<string, { Name: string; IPv4Address: string }> }[];
  assert.deepEqual(Object.values(inspected[0]?.Containers ?? {}).map(({ Name }) => Name).toSorted(), ["store", "web"]);
  assert.deepEqual(inspected[0]?.Labels, { stage: "test" });
  host.brig("network", "disconnect", "front", "store");
  assert.equal(host.run(BRIG, "exec", "store", "--", ...curl("http://web:8000/")).status, 6);
  assert.equal(host.run(BRIG, "network", "disconnect", "front", "store").status, 1);
  // one that was on no network at all: somebody else than itself has to notice its end
  host.brig("run", "-d", "-n", "alone", "--", "sleep", "100");
  host.brig("network", "connect", "back", "alone");
  assert.match(host.brig("exec", "alone", "--", "ip", "route", "show", "default"), /^default via 10\./);
  assert.match(on("back", "getent hosts alone")[0] ?? "", /alone/);
  host.brig("rm", "-f", "alone");
  const used = host.run(BRIG, "network", "rm", "back");
  assert.deepEqual([used.status, /network back is in use by .*store/.test(used.stderr)], [1, true]);
});

test("twenty that come at once have twenty addresses", { skip }, () => {
  host.brig("network", "create", "many");
  const script = `for n in $(seq 20); do ${BRIG} run --net many --share cgroup -- sh -c 'ip -o -4 address show eth0; sleep 2' & done; wait`;
  const addresses = [...host.must("sh", "-c", script).matchAll(/inet ([\d.]+)/g)].map(([, address]) => address);
  assert.equal(new Set(addresses).size, 20, addresses.join(" "));
});

test("who answers for names has no rights, and takes whatever is sent", { skip }, () => {
  const uids = host.must("sh", "-c", "for pid in $(pgrep -f -- '--serve dns'); do grep -e ^Uid -e ^CapEff -e ^NoNewPrivs /proc/$pid/status; done");
  assert.match(uids, /Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1/);
  const junk = `const s = require("node:dgram").createSocket("udp4"); const h = (t) => Buffer.from(t, "hex");
const head = "123401000001000000000000"; const label = (t) => Buffer.from([t.length]).toString("hex") + Buffer.from(t).toString("hex");
const all = ["", "12", head, head + "3f", head + "c00c00010001", head + "00".repeat(5), head + label("../../../etc/passwd") + "0000010001", head + label("..") + label("..") + "0000010001",
  head + label("@4.00000000") + "0000010001", head + label("a".repeat(63)).repeat(5) + "0000010001", head.replace("0001", "ffff") + "00", head + label("web") + "00000c0001", ...Array.from({ length: 300 }, () => require("node:crypto").randomBytes(Math.floor(Math.random() * 600)).toString("hex"))];
s.on("message", () => {}); for (const each of all) s.send(h(each), 53, "127.0.0.11"); setTimeout(() => process.exit(), 300);`;
  host.brig("run", "--net", "front", "--", process.execPath, "-e", junk);
  const [, again] = on("front", `${process.execPath} -e '${junk.replaceAll("'", "'\\''")}'; echo; c http://web:8000/`);
  assert.match(again ?? "", /^web /);
  // over a stream, as a resolver asks that wants it so
  assert.match(on("front", "RES_OPTIONS=use-vc getent ahostsv4 shop")[0] ?? "", /^10\./);
});

test("networks are listed, pruned and removed as docker's are", { skip }, () => {
  const listed = host.brig("network", "ls");
  assert.match(listed, /^NETWORK ID +NAME +DRIVER +SCOPE\n[0-9a-f]{12} +apart +bridge +local\n/);
  for (const name of ["bridge", "host", "none"]) assert.match(listed, new RegExp(` ${name} `));
  assert.match(host.brig("network", "ls", "-q", "--filter", "label=stage=test"), /^[0-9a-f]{12}\n$/);
  assert.equal(host.brig("network", "rm", "apart"), "apart\n");
  assert.equal(host.run(BRIG, "network", "rm", "apart").status, 1);
  assert.match(host.run(BRIG, "network", "inspect", "apart").stderr, /network apart not found/);
  assert.match(host.run(BRIG, "network", "create", "front").stderr, /network with name front already exists/);
  assert.match(host.run(BRIG, "network", "create", "--subnet", "203.0.113.128/25", "clash").stderr, /meets 203\.0\.113\.0\/24/);
  assert.match(host.brig("network", "prune", "--force"), /^Deleted Networks:\n(?:\w+\n)*many\n/);
});

test("what killed sandboxes have left is gone with the next command, and what nobody needs goes by itself", { skip }, async () => {
  const left = (): string => host.must("sh", "-c", "ip -o link show type bridge; ip -o link show type veth | grep -v up0; nft list tables; find /run/brig-networks -type f ! -name lock; cat /proc/sys/net/ipv4/conf/up0/forwarding /proc/sys/net/ipv6/conf/up0/f*forwarding");
  const supervisor = (name: string): string => `$(cut -d' ' -f3 /run/brig/$(readlink /run/brig/names/${name})/process)`;
  const members = (name: string): number => Object.keys((JSON.parse(host.brig("network", "inspect", name)) as { Containers: object }[])[0]?.Containers ?? {}).length;
  // its supervisor alone: who stands beside it notices
  host.brig("network", "create", "--internal", "still");
  host.brig("run", "-d", "-n", "first", "--net", "still", "--", "sleep", "100");
  assert.equal(members("still"), 1);
  host.must("sh", "-c", `kill -9 ${supervisor("first")}`);
  await waitFor(() => members("still") === 0);
  // all of them: nobody notices before the next command
  host.brig("network", "create", "gone");
  host.brig("run", "-d", "-n", "second", "--net", "gone:alias=other", "-p", "9000:9000", "--", "sleep", "100");
  const id = host.brig("network", "ls", "-q", "--filter", "name=gone").trim();
  const folder = `/run/brig-networks/nets/${id}/endpoints`;
  host.must("sh", "-c", `kill -9 ${supervisor("second")} $(sed -n 's/^owner=\\([0-9]*\\) .*/\\1/p' ${folder}/*)`);
  await waitFor(() => host.fromOutside("http://203.0.113.1:9000/").status === 7);
  assert.equal(host.must("sh", "-c", `ls ${folder} | wc -l`), "1\n");
  host.brig("ps");
  assert.equal(host.must("sh", "-c", `ls ${folder} | wc -l`), "0\n");
  assert.equal(host.run("sh", "-c", `nft list tables | grep -q ${id}`).status, 1);
  host.brig("rm", "-f", "web", "store");
  await waitFor(() => !/br-|bn|brig_|endpoints|leases|names/.test(left())).catch(() => assert.fail(left()));
  assert.match(left(), /^0\n(0\n)*$/);
});
