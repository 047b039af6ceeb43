import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

const brig = resolve("dist/brig");
const needed = ["ip", "nft", "iptables-restore", "flock", "tc"].filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
const skip = process.geteuid?.() !== 0 || !existsSync(brig) ? "needs root and a built launcher" : needed.length > 0 ? `needs ${needed.join(", ")}` : false;

/** A host of the test's own: a network namespace with a bridge, and an interface with a far end that has an address. */
let host: ChildProcess;
let folder = "";

function inHost(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, SHELL: "/bin/sh", BRIG_NO_CACHE: "1" };
  return spawnSync("nsenter", [`--net=/proc/${host.pid}/ns/net`, ...words], { encoding: "utf8", env, cwd: folder, timeout: 60_000 });
}

const firejail = (...words: string[]): ReturnType<typeof inHost> => inHost(brig, "firejail", "--noprofile", "--quiet", ...words);

const SET_UP = `ip link set lo up
ip link add fjbr0 type bridge; ip address add 10.77.0.1/24 dev fjbr0; ip link set fjbr0 up
ip link add fjup0 type veth peer name fjfar0; ip address add 10.78.0.5/24 dev fjup0; ip link set fjup0 up; ip link set fjfar0 up
ip link add fjown0 type veth peer name fjfar1; ip address add 10.79.0.1/24 dev fjown0; ip link set fjown0 up
ip route add default via 10.78.0.1`;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "brig-jail-net-"));
  host = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", `${SET_UP}\necho up; exec sleep infinity`], { stdio: ["ignore", "pipe", "inherit"] });
  await once(host.stdout!, "data");
  host.stdout!.destroy();
  host.unref();
});

after(async () => {
  if (host?.exitCode === null) {
    host.ref();
    host.kill("SIGKILL");
    await once(host, "exit");
  }
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const LINKS = "ip -o link | cut -d: -f2 | cut -d@ -f1 | sort; ip -4 -o address | tr -s ' ' | cut -d' ' -f2,4 | sort";

test("a network on a bridge has a free address of it and the bridge as router, and nothing stays", { skip }, () => {
  const before = inHost("sh", "-c", LINKS).stdout;
  const { stdout, stderr, status } = firejail("--net=fjbr0", "sh", "-c", "ip -4 -o address show dev eth0; ip route show default; ping -c1 -W2 10.77.0.1 >/dev/null && echo reached");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /eth0\s+inet 10\.77\.0\.\d+\/24/);
  assert.match(stdout, /default via 10\.77\.0\.1 dev eth0/);
  assert.match(stdout, /^reached$/m);
  assert.equal(inHost("sh", "-c", LINKS).stdout, before);
});

test("--net=INTERFACE and what follows it set that interface, and the next --net has its own", { skip }, () => {
  const words = ["--net=fjup0", "--ip=10.78.0.99", "--mac=02:11:22:33:44:55", "--mtu=1400", "--net=fjbr0", "--iprange=10.77.0.50,10.77.0.51", "--ip6=fd00::2/64", "--veth-name=fjmine", "--net=fjbr0", "--ip=none", "--dns=1.1.1.1"];
  const { stdout, stderr } = firejail(...words, "sh", "-c", "ip -o address; ip -o link show dev eth0; ip route show default; cat /etc/resolv.conf");
  assert.match(stdout, /eth0\s+inet 10\.78\.0\.99\/24/, stderr);
  assert.match(stdout, /eth0@.*mtu 1400.*02:11:22:33:44:55/);
  assert.match(stdout, /eth1\s+inet 10\.77\.0\.5[01]\/24/);
  assert.match(stdout, /eth1\s+inet6 fd00::2\/64/);
  assert.doesNotMatch(stdout, /eth2\s+inet /);
  assert.match(stdout, /default via 10\.78\.0\.1 dev eth0/);
  assert.match(stdout, /^nameserver 1\.1\.1\.1$/m);
});

test("an address that somebody has is refused, and one that is chosen is nobody's", { skip }, async () => {
  assert.match(firejail("--net=fjbr0", "--ip=10.77.0.1", "true").stderr, /10\.77\.0\.1 is in use on fjbr0/);
  assert.match(firejail("--net=fjup0", "--ip=10.79.0.9", "true").stderr, /not in the network of fjup0/);
  const range = "--iprange=10.77.0.60,10.77.0.61";
  const first = spawn("nsenter", [`--net=/proc/${host.pid}/ns/net`, brig, "firejail", "--noprofile", "--quiet", "--net=fjbr0", range, "sh", "-c", "ip -4 -o address show dev eth0; read x"], { stdio: ["pipe", "pipe", "inherit"], cwd: folder });
  const [shown] = (await once(first.stdout, "data")) as [Buffer];
  const address = /inet ([\d.]+)/.exec(String(shown))?.[1];
  const { stdout } = firejail("--net=fjbr0", range, "sh", "-c", "ip -4 -o address show dev eth0");
  assert.deepEqual([address, /inet ([\d.]+)/.exec(stdout)?.[1]].sort(), ["10.77.0.60", "10.77.0.61"]);
  first.stdin.end();
  await once(first, "exit");
});

test("--interface takes an interface with its address and gives it back", { skip }, () => {
  const { stdout, stderr } = firejail("--interface=fjown0", "sh", "-c", "ip -4 -o address show dev fjown0");
  assert.match(stdout, /fjown0\s+inet 10\.79\.0\.1\/24/, stderr);
  for (let tries = 0; tries < 100 && inHost("ip", "link", "show", "dev", "fjown0").status !== 0; tries++) spawnSync("sleep", ["0.05"]);
  assert.match(inHost("ip", "-4", "-o", "address", "show", "dev", "fjown0").stdout, /10\.79\.0\.1\/24/);
});

test("--netfilter closes what comes in, and a file of iptables rules with arguments counts", { skip }, () => {
  assert.match(firejail("--net=fjbr0", "--ip=none", "--netfilter", "nft", "list", "ruleset").stdout, /hook input priority filter; policy drop/);
  const { stdout } = firejail("--net=fjbr0", "--ip=none", "--netfilter=/etc/firejail/tcpserver.net,5001", "iptables-save");
  if (existsSync("/etc/firejail/tcpserver.net")) assert.match(stdout, /--dport 5001/);
  assert.match(firejail("--net=fjbr0", "--netfilter=/etc/firejail/tcpserver.net,5001;x", "true").stderr, /no words of a firewall/);
});

test("what cannot be had says why and how to go on", { skip }, () => {
  const cases: [string[], RegExp][] = [
    [["--net=nowhere0"], /cannot find network device nowhere0/],
    [["--net=lo"], /cannot attach to lo/],
    [["--ip=10.0.0.1"], /none[^]*--net=user/],
    [["--ip=10.0.0.1", "--net=fjbr0"], /belongs to a network/],
    [["--net=fjbr0", "--ip=dhcp"], /no DHCP client/],
    [["--net=fjbr0", "--ip=10.0.0.999"], /invalid IP address/],
    [["--net=fjbr0", "--mac=01:11:22:33:44:55"], /invalid MAC/],
    [["--net=fjbr0", "--mtu=100"], /invalid mtu/],
    [["--net=fjbr0", "--netmask=255.0.255.0"], /invalid network mask/],
    [["--net=fjbr0", "--netlock"], /--allow-host/],
    [Array<string>(5).fill("--net=fjbr0"), /maximum of 4/],
  ];
  for (const [words, said] of cases) {
    const { status, stderr } = firejail(...words, "true");
    assert.equal(status, 1, words.join(" "));
    assert.match(stderr, said, words.join(" "));
  }
  const user = inHost("setpriv", "--reuid=4713", "--regid=4713", "--clear-groups", brig, "firejail", "--noprofile", "--net=fjup0", "--ip=10.78.0.7", "true");
  assert.match(user.stderr, /needs root[^]*--net=user/);
});
