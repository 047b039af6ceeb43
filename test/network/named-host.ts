import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { BRIG, DIES_WITH_TEST, waitFor } from "./internet.js";

const SETTING = `set -e
mount -t tmpfs tmpfs /run
mkdir -p /var/lib/brig
mount -t tmpfs tmpfs /var/lib/brig
mkdir /run/work /run/netns
echo nameserver 203.0.113.2 >/run/resolvers
mount --bind /run/resolvers /etc/resolv.conf
echo 0 >/proc/sys/net/ipv4/ip_forward # a new network namespace begins with the machine's settings
ip link set lo up
ip netns add outside
ip link add name up0 type veth peer name out0 netns outside
ip address add 203.0.113.1/24 dev up0
ip address add 203.0.113.9/24 dev up0
ip -6 address add 2001:db8:1::1/64 dev up0 nodad
ip link set up0 up
ip route add default via 203.0.113.2
ip -6 route add default via 2001:db8:1::2
ip -n outside address add 203.0.113.2/24 dev out0
ip -n outside address add 93.184.216.34/32 dev lo
ip -n outside -6 address add 2001:db8:1::2/64 dev out0 nodad
ip -n outside link set lo up
ip -n outside link set out0 up
ip -n outside route add 10.208.0.0/12 via 203.0.113.1
exec sleep infinity`;

/** Says who asked, on a port for TCP, and on another one sends datagrams back. */
export const SERVER = `require("node:http").createServer((q, r) => r.end(process.argv[1] + " " + q.socket.remoteAddress)).listen(8000, "::");
const s = require("node:dgram").createSocket("udp4"); s.on("message", (m, r) => s.send("echo " + m, r.port, r.address)); s.bind(5353);`;

/** Knows one name: all others do not exist. */
const RESOLVER = `const d = require("node:dgram").createSocket("udp4"); d.on("message", (m, r) => {
  const known = m.includes("outside") && m[m.length - 3] === 1; const a = Buffer.concat([m, known ? Buffer.from("c00c00010001000000050004" + "5db8d822", "hex") : Buffer.alloc(0)]);
  a[2] = 0x81; a[3] = known || m.includes("outside") ? 0x80 : 0x83; a[7] = known ? 1 : 0; a[11] = 0; d.send(a, r.port, r.address); }); d.bind(53);
`;

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * A host of its own, with an uplink and what is beyond it: namespaces for processes, mounts and the network, so that
 * neither the machine's firewall nor its state has a part in it, and nothing stays.
 */
export class NamedHost implements AsyncDisposable {
  private constructor(private readonly keeper: ChildProcess, private readonly first: number) {}

  static async make(): Promise<NamedHost> {
    const keeper = spawn("setpriv", [...DIES_WITH_TEST, "unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", SETTING], { stdio: ["ignore", "ignore", "inherit"] });
    keeper.unref();
    const child = (): number => Number(spawnSync("pgrep", ["-P", String(keeper.pid)], { encoding: "utf8" }).stdout.trim());
    await waitFor(() => child() > 0);
    const host = new NamedHost(keeper, child());
    await waitFor(() => host.run("ip", "-n", "outside", "route", "show", "10.208.0.0/12").stdout !== "");
    const server = `${RESOLVER}require("node:http").createServer((q, r) => r.end("outside saw " + q.socket.remoteAddress)).listen(80, "::")`;
    host.start("ip", "netns", "exec", "outside", process.execPath, "-e", server);
    await waitFor(() => host.run("ip", "netns", "exec", "outside", ...curl("http://93.184.216.34/")).status === 0);
    return host;
  }

  /** A command on that host. */
  run(...words: string[]): Ran {
    const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: "/run/cache" };
    const { status, stdout, stderr } = spawnSync("nsenter", this.enter(words), { encoding: "utf8", env, timeout: 30_000 });
    return { status, stdout, stderr };
  }

  /** The same, which must succeed: its output. */
  must(...words: string[]): string {
    const { status, stdout, stderr } = this.run(...words);
    assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  }

  brig(...words: string[]): string {
    return this.must(BRIG, ...words);
  }

  /** Goes on in the background, until the host ends. */
  start(...words: string[]): ChildProcess {
    const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: "/run/cache" };
    const child = spawn("nsenter", this.enter(words), { stdio: ["ignore", "pipe", "pipe"], env });
    child.unref();
    return child;
  }

  fromOutside(url: string): Ran {
    return this.run("ip", "netns", "exec", "outside", ...curl(url));
  }

  private enter(words: string[]): string[] {
    return ["--target", String(this.first), "--net", "--mount", "--pid", "--wdns=/run/work", ...words];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keeper.ref();
    if (this.keeper.exitCode === null && this.keeper.kill("SIGKILL")) await once(this.keeper, "exit");
  }
}

export function curl(url: string): string[] {
  return ["curl", "-sg", "--noproxy", "*", "--max-time", "1", url];
}
