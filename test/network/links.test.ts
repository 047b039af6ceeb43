import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BRIG, cannotRun, DIES_WITH_TEST, waitFor } from "./internet.js";

const skip = cannotRun() ?? (spawnSync("sh", ["-c", "command -v tc flock"]).status === 0 ? false : "needs tc and flock");
const OUTSIDE = "93.184.216.34";

/** A host with an uplink, and what is beyond it: two network namespaces with a link between them. */
let folder: string;
let host: ChildProcess;
let outside: ChildProcess;
const servers: ChildProcess[] = [];

/** Says who asked and sends as many bytes as the path asks for. */
const SERVER = `require("node:http").createServer((q, r) => q.resume().on("end", () => r.end(q.socket.remoteAddress + "\\n" + "x".repeat(Number(q.url.slice(1)) || 0)))).listen(80, "0.0.0.0")`;

function enter(where: ChildProcess, words: readonly string[]): string[] {
  return [`--net=/proc/${where.pid}/ns/net`, ...words];
}

function run(where: ChildProcess, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync("nsenter", enter(where, words), { encoding: "utf8" });
  assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
  return stdout;
}

function brig(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: folder, BRIG_NO_CACHE: "1" };
  return spawnSync("nsenter", enter(host, [BRIG, "run", ...words]), { encoding: "utf8", env, cwd: folder, timeout: 30_000 });
}

async function keepNamespace(): Promise<ChildProcess> {
  const child = spawn("setpriv", [...DIES_WITH_TEST, "unshare", "--net", "sleep", "infinity"], { stdio: "ignore" });
  child.unref(); // a test that fails to begin must not wait for it
  const differs = `test "$(readlink /proc/${child.pid}/ns/net)" != "$(readlink /proc/self/ns/net)"`;
  await waitFor(() => spawnSync("sh", ["-c", differs]).status === 0);
  run(child, "ip", "link", "set", "lo", "up");
  return child;
}

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "brig-links-"));
  host = await keepNamespace();
  outside = await keepNamespace();
  run(host, "ip", "link", "add", "name", "up0", "type", "veth", "peer", "name", "out0", "netns", String(outside.pid));
  for (const words of [["address", "add", "203.0.113.1/24", "dev", "up0"], ["link", "set", "up0", "up"], ["route", "add", "default", "via", "203.0.113.2"]]) run(host, "ip", ...words);
  for (const words of [["address", "add", "203.0.113.2/24", "dev", "out0"], ["link", "set", "out0", "up"], ["address", "add", `${OUTSIDE}/32`, "dev", "lo"]]) run(outside, "ip", ...words);
  for (const where of [host, outside]) servers.push(spawn("setpriv", [...DIES_WITH_TEST, "nsenter", ...enter(where, [process.execPath, "-e", SERVER])], { stdio: "ignore" }));
  for (const server of servers) server.unref();
  await waitFor(() => [host, outside].every((where) => spawnSync("nsenter", enter(where, ["curl", "-s", "--noproxy", "*", "--max-time", "5", "http://127.0.0.1/"])).status === 0));
});

after(async () => {
  for (const child of [...servers, host, outside]) {
    child?.ref();
    if (child?.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
  }
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Tables, links and forwarding, as they should be before and after every sandbox. */
function listTraces(): string {
  return run(host, "sh", "-c", "nft list tables; ip -o link | cut -d: -f2; cat /proc/sys/net/ipv4/conf/up0/forwarding");
}

const CURL = "curl -sS --max-time 5";

for (const mode of ["veth", "bridge"]) {
  test(`--net ${mode} reaches the outside through the host, which stays closed, and leaves nothing`, { skip }, () => {
    const clean = listTraces();
    const ran = brig("--net", mode, "--", "sh", "-c", `${CURL} http://${OUTSIDE}/; ${CURL} --max-time 1 -o /dev/null http://203.0.113.1/ 2>/dev/null; echo $?; ip -4 -o address show eth0`);
    const [from, refused, address] = ran.stdout.split("\n");
    assert.equal(from, "203.0.113.1", ran.stderr);
    assert.equal(refused, "28");
    assert.match(address ?? "", /inet 100\.(8[89]|9[0-2])\./);
    assert.equal(listTraces(), clean);
  });
}

test("address, router, hardware address, MTU and resolvers are what was asked for", { skip }, () => {
  const ran = brig("--net", "veth", "--ip", "10.7.0.9/24", "--gateway", "10.7.0.3", "--mac", "02:00:00:AA:00:05", "--mtu", "1400", "--dns", "10.1.1.1", "--dns", "10.1.1.2", "--", "sh", "-c", "ip -o link show eth0; ip -4 -o address show eth0; ip route; cat /etc/resolv.conf; echo x >/etc/resolv.conf");
  for (const part of ["mtu 1400", "02:00:00:aa:00:05", "inet 10.7.0.9/24", "default via 10.7.0.3", "nameserver 10.1.1.1\nnameserver 10.1.1.2\n"]) assert.ok(ran.stdout.includes(part), `${part} in ${ran.stdout} ${ran.stderr}`);
  assert.notEqual(ran.status, 0);
});

test("two sandboxes at once on brig's bridge have addresses of their own, and the last one takes it away", { skip }, async () => {
  const clean = listTraces();
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: folder, BRIG_NO_CACHE: "1" };
  const first = spawn("nsenter", enter(host, [BRIG, "run", "--net", "bridge", "--", "sh", "-c", "ip -4 -o address show eth0; cat"]), { env, cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  first.stdout.on("data", (chunk: Buffer) => (said += String(chunk)));
  await waitFor(() => said.includes("inet"));
  const second = brig("--net", "bridge", "--", "sh", "-c", `ip -4 -o address show eth0; ${CURL} http://${OUTSIDE}/`);
  const addressOf = (text: string): string | undefined => /inet (\S+)/.exec(text)?.[1];
  assert.ok(second.stdout.includes("203.0.113.1"), second.stderr);
  assert.notEqual(addressOf(said), addressOf(second.stdout));
  assert.ok(listTraces().includes("brig0"));
  first.stdin.end();
  await once(first, "exit");
  assert.equal(listTraces(), clean);
});

test("a bridge of the host's and a macvlan take the address that is given", { skip }, () => {
  run(host, "ip", "link", "add", "name", "br7", "type", "bridge");
  run(host, "ip", "address", "add", "10.9.0.1/24", "dev", "br7");
  run(host, "ip", "link", "set", "br7", "up");
  try {
    assert.equal(brig("--net", "bridge=br7", "--ip", "10.9.0.5/24", "--", "sh", "-c", `${CURL} http://10.9.0.1/`).stdout, "10.9.0.5\n");
    assert.match(brig("--net", "bridge=br8", "--ip", "10.9.0.5/24", "--", "true").stderr, /this host has no bridge br8/);
    assert.match(brig("--net", "bridge=br7", "--", "true").stderr, /nobody gives the sandbox an address on br7[\s\S]*--ip/);
  } finally {
    run(host, "ip", "link", "delete", "br7");
  }
  assert.equal(brig("--net", "macvlan=up0", "--ip", "203.0.113.7/24", "--gateway", "203.0.113.2", "--", "sh", "-c", `${CURL} http://${OUTSIDE}/`).stdout, "203.0.113.7\n");
});

test("a bandwidth holds in both directions", { skip }, () => {
  const down = `${CURL} --max-time 20 -o /dev/null -w '%{speed_download}\\n' http://${OUTSIDE}/600000`;
  const up = `head -c 300000 /dev/zero | ${CURL} --max-time 20 -o /dev/null -w '%{speed_upload}\\n' --data-binary @- http://${OUTSIDE}/`;
  const ran = brig("--net", "veth", "--bandwidth", "4mbit:2mbit", "--", "sh", "-c", `${down}; ${up}`);
  const [download = 0, upload = 0] = ran.stdout.split("\n").map(Number);
  assert.ok(download > 50_000 && download < 620_000, `${download} bytes a second of 500000`);
  assert.ok(upload > 25_000 && upload < 330_000, `${upload} bytes a second of 250000`);
});

test("a macvlan and pasta have the interface, the resolvers and the bandwidth that were asked for", { skip }, () => {
  const words = ["--mac", "02:00:00:00:00:07", "--mtu", "1300", "--dns", "10.1.1.1", "--bandwidth", "4mbit", "--", "sh", "-c", `ip -o link show eth0; ip -4 -o address show eth0; cat /etc/resolv.conf; ${CURL} --max-time 20 -o /dev/null -w '%{speed_download}\\n' http://${OUTSIDE}/2000000`];
  const cases = [["--net", "macvlan=up0", "--ip", "203.0.113.7/24", "--gateway", "203.0.113.2"]];
  if (spawnSync("sh", ["-c", "command -v pasta"]).status === 0) cases.push(["--net", "user", "--ip", "10.5.0.2/24"]);
  for (const how of cases) {
    const ran = brig(...how, ...words);
    for (const part of ["mtu 1300", "02:00:00:00:00:07", how[3] as string, "nameserver 10.1.1.1\n"]) assert.ok(ran.stdout.includes(part), `${part} in ${ran.stdout} ${ran.stderr}`);
    // a second's worth may come at once
    const speed = Number(ran.stdout.trimEnd().split("\n").at(-1));
    assert.ok(speed > 30_000 && speed < 900_000, `${how.join(" ")}: ${speed} bytes a second of 500000`);
  }
});

test("a killed supervisor leaves no link and no table", { skip }, async () => {
  const clean = listTraces();
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: folder, XDG_RUNTIME_DIR: folder, BRIG_NO_CACHE: "1" };
  const child = spawn("nsenter", enter(host, [BRIG, "run", "--net", "veth", "--", "sh", "-c", "echo up; sleep 60"]), { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  assert.notEqual(listTraces(), clean);
  child.kill("SIGKILL");
  await once(child, "exit");
  await waitFor(() => listTraces() === clean);
});

test("an ordinary user is told what needs no rights", { skip }, () => {
  for (const net of ["veth", "bridge", "bridge=br0", "macvlan=up0"]) {
    const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: "/nonexistent", XDG_RUNTIME_DIR: "/nonexistent" };
    const ran = spawnSync("setpriv", ["--reuid=54321", "--regid=54321", "--clear-groups", BRIG, "run", "--net", net, "--", "true"], { encoding: "utf8", env, cwd: "/" });
    assert.equal(ran.status, 125);
    assert.match(ran.stderr, /needs root[\s\S]*hint: --net user/);
  }
});

test("words that mean nothing together are refused", { skip }, () => {
  const cases: [string[], RegExp][] = [
    [["--net", "host", "--ip", "10.0.0.1/8"], /--ip means nothing with --net host/],
    [["--mtu", "1400"], /--mtu means nothing with --net none/],
    [["--net", "veth", "--gateway", "10.0.0.1"], /--gateway needs the sandbox's own address/],
    [["--net", "veth", "--ip", "10.0.0.1/32"], /need one network/],
    [["--net", "veth", "--ip", "10.0.0.2/24", "--gateway", "10.0.1.1"], /need one network/],
    [["--net", "veth", "--mac", "01:00:00:00:00:01"], /no hardware address/],
    [["--net", "macvlan"], /needs the interface/],
    [["--net", "bridge=../x"], /no name of an interface/],
    [["--net", "veth", "--dns", "10.0.0.1:5353"], /another port than 53/],
    [["--net", "veth", "--bandwidth", "fast"], /no bandwidth/],
    [["--net", "host", "--allow-host", "a.test"], /goes past a list/],
    [["--share", "net", "--allow-host", "a.test"], /goes past a list/],
    [["--allow-host", "a.test", "--publish", "80:80"], /ports/],
    [["--allow-host", "a.test", "--ip", "10.0.0.1/8"], /means nothing with a network of allowed hosts/],
    [["--allow-host", "127.0.0.0/8"], /own loopback/],
    [["--allow-host", "a..test"], /no host name/],
    [["--allow-host", "a.test:0"], /port/],
    [["--net-log", "x"], /needs a list of hosts/],
  ];
  for (const [words, expected] of cases) {
    const ran = brig(...words, "--", "true");
    assert.equal(ran.status, 125, words.join(" "));
    assert.match(ran.stderr, expected);
  }
});
