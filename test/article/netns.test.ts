import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { brig, needsRoot, run } from "./brig.js";

let count = 0;
/** A name that goes with the test. */
function makeName(t: TestContext): string {
  const name = `brigtest-${process.pid}-${count++}`;
  t.after(() => {
    if (existsSync(`/run/netns/${name}`)) brig(["netns", "delete", name]);
  });
  return name;
}
const ip = (...words: string[]) => run("ip", words);
const list = (text: string) => text.split("\n").map((line) => line.split(" ")[0]);

test("netns add, exec NAME ip addr: one loopback, down, without an address", (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  assert.deepEqual(brig(["netns", "add", name]), { status: 0, stdout: "", stderr: "" });
  const { stdout } = brig(["netns", "exec", name, "ip", "addr"]);
  assert.match(stdout, /^1: lo: <LOOPBACK> .* state DOWN/);
  assert.doesNotMatch(stdout, /inet|^2:/m);
  assert.equal(stdout, ip("netns", "exec", name, "ip", "addr").stdout);
});

test("a shell inside has no way out, and with the loopback up that answers", (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  brig(["netns", "add", name]);
  assert.match(brig(["netns", "exec", name, "/bin/bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80"]).stderr, /Network is unreachable/);
  assert.match(brig(["netns", "exec", name, "/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/80"]).stderr, /Network is unreachable/);
  assert.equal(brig(["netns", "exec", name, "ip", "link", "set", "dev", "lo", "up"]).status, 0);
  assert.match(brig(["netns", "exec", name, "/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/80"]).stderr, /Connection refused/);
});

test("a veth pair, one end moved in, addresses, both up: they reach each other", (t) => {
  if (needsRoot(t)) return;
  const [name, outer, inner] = [makeName(t), `bv${process.pid}`, `bw${process.pid}`];
  t.after(() => ip("link", "delete", outer));
  brig(["netns", "add", name]);
  assert.equal(ip("link", "add", outer, "type", "veth", "peer", "name", inner).status, 0);
  assert.equal(ip("link", "set", inner, "netns", name).status, 0);
  ip("addr", "add", "198.51.100.1/30", "dev", outer);
  ip("link", "set", outer, "up");
  brig(["netns", "exec", name, "ip", "addr", "add", "198.51.100.2/30", "dev", inner]);
  brig(["netns", "exec", name, "ip", "link", "set", inner, "up"]);
  const reach = "exec 3<>/dev/tcp/$0/9";
  assert.match(run("bash", ["-c", reach, "198.51.100.2"]).stderr, /refused/);
  assert.match(brig(["netns", "exec", name, "bash", "-c", reach, "198.51.100.1"]).stderr, /refused/);
});

test("names are shared with ip in both directions", (t) => {
  if (needsRoot(t)) return;
  const [ours, theirs] = [makeName(t), makeName(t)];
  brig(["netns", "add", ours]);
  ip("netns", "add", theirs);
  for (const stdout of [brig(["netns", "list"]).stdout, ip("netns", "list").stdout])
    for (const name of [ours, theirs]) assert.ok(list(stdout).includes(name), stdout);
  assert.equal(brig(["netns", "list"]).stdout, ip("netns", "list").stdout);
  assert.equal(brig(["netns", "delete", theirs]).status, 0);
  assert.equal(ip("netns", "delete", ours).status, 0);
  assert.equal(existsSync(`/run/netns/${ours}`) || existsSync(`/run/netns/${theirs}`), false);
});

test("a name has its process ids, its process its name, and its id in this namespace, as ip says", (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  brig(["netns", "add", name]);
  const inside = spawn(findLauncher(), ["netns", "exec", name, "sh", "-c", "echo ready; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => inside.kill("SIGKILL"));
  return new Promise<void>((resolve) => inside.stdout.once("data", resolve)).then(() => {
    // In place: the program is the process that was started.
    assert.deepEqual(brig(["netns", "pids", name]).stdout, `${inside.pid}\n`);
    assert.equal(brig(["netns", "identify", String(inside.pid)]).stdout, `${name}\n`);
    assert.equal(brig(["netns", "set", name, "4711"]).status, 0);
    assert.ok(ip("netns", "list").stdout.includes(`${name} (id: 4711)`));
    for (const words of [["netns", "list"], ["netns", "list-id"], ["netns", "list-id", "nsid", "4711"], ["netns", "set", name, "5"]]) assert.deepEqual(brig(words), ip(...words), words.join(" "));
    assert.deepEqual(JSON.parse(brig(["netns", "-json", "list"]).stdout), JSON.parse(ip("-json", "netns", "list").stdout));
  });
});

test("attach gives a process's network namespace a name", (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  const inside = spawn("unshare", ["--net", "sh", "-c", "echo ready; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => inside.kill("SIGKILL"));
  return new Promise<void>((resolve) => inside.stdout.once("data", resolve)).then(() => {
    assert.deepEqual(brig(["netns", "attach", name, String(inside.pid)]), { status: 0, stdout: "", stderr: "" });
    assert.equal(ip("netns", "identify", String(inside.pid)).stdout, `${name}\n`);
  });
});

test("exec shows /etc/netns/NAME's files over /etc's, and /sys of the namespace", (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  brig(["netns", "add", name]);
  const had = existsSync("/etc/netns");
  t.after(() => rmSync(had ? `/etc/netns/${name}` : "/etc/netns", { recursive: true, force: true }));
  mkdirSync(`/etc/netns/${name}`, { recursive: true });
  writeFileSync(`/etc/netns/${name}/hostname`, "from the namespace\n");
  writeFileSync(`/etc/netns/${name}/no-such-file-in-etc`, "");
  const { stdout, stderr } = brig(["netns", "exec", name, "sh", "-c", "cat /etc/hostname; ls /sys/class/net"]);
  assert.equal(stdout, "from the namespace\nlo\n");
  assert.match(stderr, /^Bind .*no-such-file-in-etc failed: No such file or directory\n$/);
  assert.notEqual(readFileSync("/etc/hostname", "utf8"), "from the namespace\n");
});

test("exec has the program's status, and ip's own for what fails", (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  brig(["netns", "add", name]);
  for (const words of [["sh", "-c", "exit 7"], ["sh", "-c", "kill -9 $$"], ["no-such-program"], ["/etc/passwd"]])
    assert.deepEqual(brig(["netns", "exec", name, ...words]), ip("netns", "exec", name, ...words), words.join(" "));
  assert.deepEqual(brig(["netns", "add", name]), ip("netns", "add", name));
  assert.equal(brig(["netns", "exec", "no-such-name", "true"]).status, 255);
});

test("an ordinary user is refused, and leaves nothing", () => {
  const name = `brigtest-${process.pid}-ordinary`;
  assert.equal(brig(["netns", "add", name], { ordinary: true }).status, 1);
  assert.equal(existsSync(`/run/netns/${name}`), false);
});

test("monitor tells names as they come and go", async (t) => {
  if (needsRoot(t)) return;
  const name = makeName(t);
  const monitor = spawn(findLauncher(), ["netns", "monitor"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => monitor.kill("SIGKILL"));
  let told = "";
  const done = new Promise<void>((resolve) => monitor.stdout.on("data", (data: Buffer) => (told += String(data)).includes(`delete ${name}`) && resolve()));
  await new Promise((resolve) => setTimeout(resolve, 500));
  ip("netns", "add", name);
  brig(["netns", "delete", name]);
  await done;
  assert.deepEqual(told.split("\n").filter((line) => line.endsWith(name)), [`add ${name}`, `delete ${name}`]);
});

/** A host of its own (h) with a neighbour (o), so that no rule or setting of the real one is touched. */
function makeHost(t: TestContext) {
  const [outside, host] = [makeName(t), makeName(t)];
  for (const name of [outside, host]) ip("netns", "add", name);
  ip("-n", outside, "link", "add", "o0", "type", "veth", "peer", "name", "h0", "netns", host);
  const set = (name: string, link: string, address: string) => {
    ip("-n", name, "address", "add", address, "dev", link);
    ip("-n", name, "link", "set", link, "up");
    ip("-n", name, "link", "set", "lo", "up");
  };
  set(outside, "o0", "203.0.113.1/24");
  set(host, "h0", "203.0.113.2/24");
  ip("-n", host, "route", "add", "default", "via", "203.0.113.1");
  const onHost = (...words: string[]) => run("nsenter", [`--net=/run/netns/${host}`, ...words]);
  // a new network namespace begins with the settings of the real host, which may forward
  onHost("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward");
  return { outside, onHost, brigOnHost: (...words: string[]) => onHost(findLauncher(), ...words), rules: () => onHost("nft", "list", "ruleset").stdout, links: () => onHost("sh", "-c", "ls /proc/sys/net/ipv4/conf").stdout };
}
const serve = "const s=require('net').createServer(c=>c.end(c.remoteAddress)).listen(8080,'203.0.113.1',()=>console.log('ready'))";

test("connect gives a way out through NAT and lets nothing in; disconnect undoes all of it", async (t) => {
  if (needsRoot(t)) return;
  const { outside, onHost, brigOnHost, rules, links } = makeHost(t);
  if (onHost("nft", "list", "ruleset").status !== 0) return t.skip("nft does not work here");
  const name = makeName(t);
  brig(["netns", "add", name]);
  const before = { rules: rules(), links: links() };
  const server = spawn("ip", ["netns", "exec", outside, process.execPath, "-e", serve], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined } });
  t.after(() => server.kill("SIGKILL"));
  await new Promise((resolve) => server.stdout.once("data", resolve));

  const connected = brigOnHost("netns", "connect", name);
  assert.equal(connected.status, 0, connected.stderr);
  const out = brig(["netns", "exec", name, "bash", "-c", "cat </dev/tcp/203.0.113.1/8080"]);
  assert.equal(out.stdout, "203.0.113.2", out.stderr);
  const subnet = /100\.\d+\.\d+\.\d+\/30/.exec(connected.stdout)?.[0] ?? "";
  ip("-n", outside, "route", "add", subnet, "via", "203.0.113.2");
  const inner = subnet.replace(/\d+\/30$/, (end) => String(Number.parseInt(end) + 2));
  assert.equal(run("ip", ["netns", "exec", outside, "timeout", "1", "bash", "-c", `exec 3<>/dev/tcp/${inner}/80`]).status, 124);
  assert.equal(onHost("cat", "/proc/sys/net/ipv4/ip_forward").stdout, "0\n");
  assert.match(brigOnHost("netns", "connect", name).stderr, /is connected already/);

  assert.equal(brigOnHost("netns", "disconnect", name).status, 0);
  assert.deepEqual({ rules: rules(), links: links() }, before);
  assert.equal(onHost("cat", "/proc/sys/net/ipv4/conf/h0/forwarding").stdout, "0\n");
  assert.equal(brigOnHost("netns", "disconnect", name).status, 1);
});

test("the uplink forwards until the last namespace behind it is gone, and delete disconnects", (t) => {
  if (needsRoot(t)) return;
  const { onHost, brigOnHost, rules } = makeHost(t);
  if (onHost("nft", "list", "ruleset").status !== 0) return t.skip("nft does not work here");
  const names = [makeName(t), makeName(t)];
  for (const name of names) {
    brig(["netns", "add", name]);
    assert.equal(brigOnHost("netns", "connect", name).status, 0);
  }
  const forwards = () => onHost("cat", "/proc/sys/net/ipv4/conf/h0/forwarding").stdout;
  assert.equal(forwards(), "1\n");
  brigOnHost("netns", "delete", names[0]!);
  assert.equal(forwards(), "1\n");
  brigOnHost("netns", "delete", names[1]!);
  assert.equal(forwards(), "0\n");
  assert.equal(rules(), "");
});

test("a connect that fails half-way leaves nothing behind", (t) => {
  if (needsRoot(t)) return;
  const { brigOnHost, rules, links } = makeHost(t);
  const name = makeName(t);
  brig(["netns", "add", name]);
  const before = links();
  // The last step but NAT fails: there is a default route already.
  ip("-n", name, "link", "add", "d0", "type", "veth", "peer", "name", "d1");
  ip("-n", name, "link", "set", "d0", "up");
  ip("-n", name, "link", "set", "d1", "up");
  assert.equal(ip("-n", name, "route", "add", "default", "dev", "d0").status, 0);
  const { status, stderr } = brigOnHost("netns", "connect", name);
  assert.equal(status, 1);
  assert.match(stderr, /route add default .* failed: RTNETLINK answers: File exists/);
  assert.equal(links(), before);
  assert.equal(rules(), "");
  assert.equal(brigOnHost("netns", "disconnect", name).status, 1);
});

test("a network that the host uses is not taken", (t) => {
  if (needsRoot(t)) return;
  const { brigOnHost } = makeHost(t);
  const name = makeName(t);
  brig(["netns", "add", name]);
  assert.match(brigOnHost("netns", "connect", name, "--subnet", "203.0.113.128/30", "--no-nat").stderr, /203\.0\.113\.0\/24, which this host uses/);
});
