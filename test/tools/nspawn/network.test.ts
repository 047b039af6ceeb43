import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findLauncher } from "../../../src/launch/find-launcher.js";
import { debianRoot } from "../../roots/debian-root.js";
import { freshName, nspawn, ran } from "./nspawn.js";

const PATIENCE_MS = 20_000;

/** What is done to links happens in a network of the test's own: a process that holds it, and how to get there. */
function makeHost(t: TestContext): { enter: string[]; run: (...words: string[]) => string } {
  const holder = spawn("unshare", ["-n", "sh", "-c", "ip link set lo up; echo; exec sleep 300"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => holder.kill("SIGKILL"));
  const enter = ["nsenter", `--net=/proc/${holder.pid}/ns/net`];
  const until = Date.now() + PATIENCE_MS;
  while (ran("readlink", [`/proc/${holder.pid}/ns/net`]).stdout === ran("readlink", ["/proc/self/ns/net"]).stdout && Date.now() < until) ran("sleep", ["0.02"]);
  return { enter, run: (...words) => ran(enter[0]!, [...enter.slice(1), ...words]).stdout };
}

function start(t: TestContext, enter: string[], words: string[]): ChildProcess {
  const child = spawn(enter[0]!, [...enter.slice(1), findLauncher(), "nspawn", "-qP", ...words], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function until(what: string, look: () => boolean): Promise<void> {
  for (const limit = Date.now() + PATIENCE_MS; !look(); await sleep(20)) if (Date.now() > limit) throw new Error(`${what} did not happen`);
}

test("links to a bridge and to a zone, bare or on an interface, come and go with their machines", async (t) => {
  // the names of links are looked up in /sys, which is the host's own: the bridge is there by the same name
  const root = debianRoot(t);
  if (root === undefined) return;
  const bridge = `nb${process.pid}`.slice(0, 15);
  if (ran("ip", ["link", "add", bridge, "type", "bridge"]).status !== 0) return t.skip("no bridge can be made");
  t.after(() => void ran("ip", ["link", "del", bridge]));
  const name = freshName("l");
  const volatile = ["--volatile=overlay", "-M", name, "-D", root];
  const inner = (...words: string[]): string => nspawn("-qP", ...words, ...volatile, "ip", "-br", "link").stdout.replace(/ .*/g, "").trim();
  assert.match(inner(`--network-bridge=${bridge}`), /^lo\nhost0@if\d+$/);
  assert.match(inner("-n", "--network-veth-extra=xh:xi"), /^lo\nhost0@if\d+\nxi@if\d+$/);
  assert.match(inner(`--network-macvlan=${bridge}`), new RegExp(`^lo\\nmv-${bridge}@if\\d+$`));
  assert.equal(inner("--private-network"), "lo");
  const zone = `z${process.pid}`.slice(0, 12);
  const first = start(t, ["env"], [`--network-zone=${zone}`, "--volatile=overlay", "-M", freshName("z"), "-D", root, "sh", "-c", "ip -br link; read x"]);
  await until("the zone's bridge", () => existsSync(`/sys/class/net/vz-${zone}/brif/vb-${freshName("z")}`));
  assert.match(inner(`--network-zone=${zone}`), /^lo\nhost0@if\d+$/);
  assert.ok(existsSync(`/sys/class/net/vz-${zone}`), "one of its machines is left");
  first.stdin!.end("\n");
  await until("the bridge's end", () => !existsSync(`/sys/class/net/vz-${zone}`));
  assert.equal(existsSync(`/sys/class/net/ve-${name}`), false);
});

test("a port of the host leads to whatever address the machine gives itself", async (t) => {
  const root = debianRoot(t);
  if (root === undefined) return;
  if (ran("which", ["nft"]).status !== 0) return t.skip("nft is not installed");
  const { enter, run } = makeHost(t);
  const name = freshName("p");
  const server = "ip addr add 10.98.7.2/24 dev host0; ip link set host0 up; ip route add default via 10.98.7.1; echo up; exec perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 5, ReuseAddr => 1) or die $!; while (my $c = $s->accept) { print $c \"from the machine\\n\"; close $c }'";
  const machine = start(t, enter, ["-n", "-p", "8080:80", "--volatile=overlay", "-M", name, "-D", root, "sh", "-c", server]);
  let shown = "";
  machine.stdout!.on("data", (data: Buffer) => (shown += String(data)));
  await until("its start", () => shown.includes("up"));
  run("ip", "addr", "add", "10.98.7.1/24", "dev", `ve-${name}`.length <= 15 ? `ve-${name}` : run("sh", "-c", "ip -br link | sed -n 's/^\\(ve-[^@ ]*\\).*/\\1/p'").trim());
  const ask = (): string => run("perl", "-MIO::Socket::INET", "-e", 'my $s = IO::Socket::INET->new(PeerAddr => "10.98.7.1", PeerPort => 8080, Timeout => 1) or exit 1; print <$s>');
  await until("an answer", () => ask() === "from the machine\n");
  assert.match(run("nft", "list", "ruleset"), /dnat to 10\.98\.7\.2:80/);
  machine.kill("SIGTERM");
  await until("the end of its rules", () => !run("nft", "list", "ruleset").includes("dnat"));
});
