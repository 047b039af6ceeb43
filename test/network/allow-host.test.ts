import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cannotRun, type Internet, makeInternet, type Ran } from "./internet.js";
import { ADDRESSES } from "./internet-names.js";

const skip = cannotRun() ?? false;
const PROBE = fileURLToPath(new URL("./try-network.js", import.meta.url));
const DNS = ["--dns", "127.0.0.1:5300", "--net-log", "log"];
const CURL = ["curl", "-sS", "--max-time", "8"];
const both = ["root", "user"] as const;

let internet: Internet;
before(async () => {
  if (!skip) internet = await makeInternet();
});
after(async () => {
  if (!skip) await internet[Symbol.asyncDispose]();
});

/** Runs the probe inside and returns what it printed, line by line, with all the rest. */
async function probe(allow: readonly string[], attempts: readonly string[], as: (typeof both)[number] = "root"): Promise<Ran & { lines: string[] }> {
  const hosts = allow.flatMap((host) => ["--allow-host", host]);
  const ran = await internet.run([...hosts, ...DNS, "--read", PROBE, "--", process.execPath, PROBE, ...attempts], as);
  assert.equal(ran.status, 0, ran.stderr);
  return { ...ran, lines: ran.stdout.trimEnd().split("\n") };
}

/** A question for A records of these labels. */
function ask(...labels: (string | Buffer)[]): string {
  const name = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([Buffer.from("123401000001000000000000", "hex"), ...name, Buffer.from("0000010001", "hex")]).toString("hex");
}

for (const as of both) {
  test(`an allowed name answers over HTTP and HTTPS, as ${as}`, { skip }, async () => {
    const ran = await internet.run(["--allow-host", "good.test", ...DNS, "--", "sh", "-c", `${CURL.join(" ")} http://good.test/a; ${CURL.join(" ")} -k https://good.test/b`], as);
    assert.equal(ran.stderr, "");
    assert.equal(ran.stdout, `GET ${ADDRESSES.good} good.test/a 0\nGET ${ADDRESSES.good} good.test/b 0\n`);
  });

  test(`a name that is not allowed does not even reach the resolver, as ${as}`, { skip }, async () => {
    const ran = await internet.run(["--allow-host", "good.test", ...DNS, "--", ...CURL, "http://other.test/"], as);
    assert.equal(ran.status, 6, ran.stderr);
    assert.deepEqual(ran.reached, []);
    const denied = ran.log.find(({ verdict }) => verdict === "denied");
    assert.equal(denied?.name, "other.test");
    assert.equal(denied?.program?.name, "curl");
  });

  test(`raw addresses, other resolvers, UDP, QUIC and IPv6 lead nowhere, as ${as}`, { skip }, async () => {
    const attempts = [
      `tcp ${ADDRESSES.other} 80 GET_/_HTTP/1.1\\nHost:_good.test\\n\\n`, `tcp ${ADDRESSES.good} 22`, `tcp ${ADDRESSES.six} 80 x`,
      `udp ${ADDRESSES.good} 123`, `udp ${ADDRESSES.good} 443`, `udp ${ADDRESSES.six} 123`, `dns ${ADDRESSES.other} ${ask("other", "test")}`,
      "abstract brig-test-internet", "tcp 127.0.0.1 5432", `tcp ::ffff:${ADDRESSES.other} 80 x`, "tcp 169.254.169.254 80 x", "tcp 10.0.0.1 80 x",
    ];
    const { lines, reached } = await probe(["good.test"], attempts, as);
    assert.deepEqual(lines, ["ECONNRESET", "ECONNRESET", "ECONNRESET", "EPERM", "EPERM", "EPERM", "code 3 answers 0", "ECONNREFUSED", "ECONNREFUSED", "ECONNRESET", "ECONNRESET", "ECONNRESET"]);
    assert.deepEqual(reached, []);
  });
}

test("nothing but the allowed ports of a name is open", { skip }, async () => {
  const { lines, log } = await probe(["good.test:8080"], ["look good.test", `tcp ${ADDRESSES.good} 80 GET_/_HTTP/1.1\\nHost:_good.test\\n\\n`, `tcp ${ADDRESSES.good} 8080 GET_/_HTTP/1.0\\nHost:_good.test:8080\\n\\n`]);
  assert.equal(lines[1], "ECONNRESET");
  assert.match(lines[2] ?? "", /200 OK/);
  assert.equal(log.find(({ verdict }) => verdict === "denied")?.reason, "the name is not allowed at this port");
});

test("an empty list, and one that forbids everything, reach nothing at all", { skip }, async () => {
  const profile = `${internet.folder}/nothing.toml`;
  writeFileSync(profile, "allowHosts = []\n");
  for (const words of [["--profile", profile], ["--allow-host", "*", "--deny-host", "*"]]) {
    const ran = await internet.run([...words, ...DNS, "--", "sh", "-c", `${CURL.join(" ")} http://good.test/; echo $?; ${CURL.join(" ")} http://${ADDRESSES.good}/; echo $?`]);
    assert.equal(ran.stdout, "6\n56\n", ran.stderr);
    assert.deepEqual(ran.reached, []);
  }
});

test("what a payload calls itself and asks for cannot write to a terminal from the log", { skip }, async () => {
  const script = `cp /usr/bin/curl /tmp/$(printf '\\033[2J\\302\\233'); /tmp/*2J* -s http://${ADDRESSES.other}/`;
  const ran = await internet.run(["--allow-host", "good.test", ...DNS, "--", "sh", "-c", script]);
  assert.equal(ran.log.length, 1, ran.stderr);
  assert.ok(ran.log[0]?.program?.name.includes("[2J"), JSON.stringify(ran.log));
  // oxlint-disable-next-line no-control-regex
  assert.match(ran.raw, /^[\n\x20-\x7e]*$/);
});

test("a wildcard is for the names below it alone", { skip }, async () => {
  const { lines } = await probe(["*.wild.test"], ["look a.wild.test", "look wild.test", "look awild.test", "look A.WILD.TEST."]);
  assert.deepEqual(lines, [ADDRESSES.good, "ENOTFOUND", "ENOTFOUND", ADDRESSES.good]);
});

test("denied names stay closed where everything else is open", { skip }, async () => {
  const ran = await internet.run(["--deny-host", "other.test", ...DNS, "--", "sh", "-c", `${CURL.join(" ")} http://good.test/; ${CURL.join(" ")} http://other.test/`]);
  assert.match(ran.stdout, /^GET/);
  assert.equal(ran.status, 6);
  assert.ok(!ran.reached.some((line) => line.includes("other")), ran.reached.join());
});

test("a name with NUL, a dot in a label or other bytes is no allowed name", { skip }, async () => {
  const names = [ask(Buffer.from("good.test\0"), "other", "test"), ask("good.test"), ask(Buffer.from([0x67, 0xc3, 0xb6]), "test"), ask("good", "test")];
  const { lines, reached } = await probe(["good.test", "*.other.test"], names.map((name) => `dns 8.8.8.8 ${name}`));
  assert.deepEqual(lines, ["code 3 answers 0", "code 3 answers 0", "code 3 answers 0", "code 0 answers 1"]);
  assert.deepEqual(reached, ["dns good.test"]);
});

test("broken questions are answered with an error, and the resolver lives on", { skip }, async () => {
  const broken = ["00", "123401000001000000000000", "12340100000100000000000040", "123401000002000000000000" + "0000010001", "123481000001000000000000" + "0000010001", "1234010000010000000000000362616400001000ff"];
  const { lines } = await probe(["good.test"], [...broken.map((hex) => `dns 127.0.0.53 ${hex}`), `dns 127.0.0.53 ${ask("good", "test")}`]);
  assert.equal(lines.at(-1), "code 0 answers 1");
  assert.deepEqual(lines.slice(0, -1), ["silence", "code 1 answers 0", "code 1 answers 0", "code 1 answers 0", "silence", "code 1 answers 0"]);
});

test("an allowed name that points into a private network or at the host itself is not told", { skip }, async () => {
  const { lines, log } = await probe(["inner.test", "loop.test", "mixed.test"], ["look inner.test", "look loop.test", "look mixed.test"]);
  assert.deepEqual(lines, ["ENOTFOUND", "ENOTFOUND", ADDRESSES.good]);
  assert.match(log.find(({ name }) => name === "inner.test")?.reason ?? "", /10\.0\.0\.1 is private/);
});

test("an address is open only as long as the answer lives", { skip }, async () => {
  const request = `tcp ${ADDRESSES.good} 80 GET_/_HTTP/1.0\\nHost:_brief.test\\n\\n`;
  const { lines } = await probe(["brief.test"], ["look brief.test", request, "wait 8000", request]);
  assert.match(lines[1] ?? "", /200 OK/);
  assert.equal(lines[3], "ECONNRESET");
});

test("the Host of every request is held against the name", { skip }, async () => {
  const requests = [
    "GET_/_HTTP/1.1\\nHost:_shared.test\\n\\n",
    "GET_/1_HTTP/1.1\\nHost:_good.test\\n\\nGET_/2_HTTP/1.1\\nHost:_shared.test\\n\\n",
    "GET_http://shared.test/_HTTP/1.1\\nHost:_good.test\\n\\n",
    "GET_/_HTTP/1.1\\nHost:_good.test\\nHost:_shared.test\\n\\n",
    "POST_/_HTTP/1.1\\nHost:_good.test\\nContent-Length:_4\\nTransfer-Encoding:_chunked\\n\\n0\\n\\nGET_/_HTTP/1.1\\nHost:_shared.test\\n\\n",
    "GET_/_HTTP/1.0\\n\\n",
    "CONNECT_shared.test:443_HTTP/1.1\\nHost:_shared.test\\n\\n",
    "CONNECT_good.test:80_HTTP/1.1\\nHost:_good.test\\n\\n",
    "GET_/_HTTP/1.1\\nHost:_good.test:22\\n\\n",
    "PRI_*_HTTP/2.0\\n\\nSM\\n\\n",
    "\\n\\nGET_/_HTTP/1.1\\nHost:_shared.test\\n\\n",
  ];
  const { lines, reached, log } = await probe(["good.test"], ["look good.test", ...requests.map((text) => `tcp ${ADDRESSES.good} 80 ${text}`)]);
  const codes = lines.slice(1).map((line) => [...line.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code).join(","));
  assert.deepEqual(codes, ["403", "200,403", "403", "403", "400", "403", "403", "403", "403", "400", "403"]);
  assert.deepEqual(reached.filter((line) => !line.startsWith("dns")), [`http ${ADDRESSES.good} good.test/1`]);
  assert.ok(log.some(({ reason, name }) => reason === "CONNECT through an allowed host" && name === "shared.test:443"));
});

test("the name in TLS is held against the name, and TLS without one is refused", { skip }, async () => {
  const word = (name: string, options = ""): string => `${CURL.join(" ")} -k ${options} https://${name}/; echo $?`;
  const script = [word("good.test"), word("shared.test", `--connect-to shared.test:443:${ADDRESSES.good}:443`), word(ADDRESSES.good), word("good.test", `--resolve good.test:443:${ADDRESSES.other}`)].join("\n");
  const ran = await internet.run(["--allow-host", "good.test", ...DNS, "--", "sh", "-c", script]);
  const lines = ran.stdout.trimEnd().split("\n");
  assert.deepEqual([lines[1], ...lines.slice(2)], ["0", "35", "35", "35"], ran.stdout + ran.stderr);
  assert.deepEqual(ran.log.filter(({ verdict }) => verdict === "denied").map(({ reason, program }) => [reason, program?.name]), [
    ["TLS for a name that is not allowed at this address", "curl"], ["TLS that names no server", "curl"], ["no allowed name has this address now", "curl"],
  ]);
});

test("a web port speaks nothing but HTTP and TLS", { skip }, async () => {
  const { lines, reached } = await probe(["good.test"], ["look good.test", `tcp ${ADDRESSES.good} 443 SSH-2.0-x\\n`, `tcp ${ADDRESSES.good} 80 \x01binary`]);
  assert.deepEqual(lines.slice(1), ["ECONNRESET", "ECONNRESET"]);
  assert.ok(reached.every((line) => line === "dns good.test"), reached.join());
});

test("other protocols pass at a port that was named, also where the server speaks first", { skip }, async () => {
  const { lines } = await probe(["good.test:22"], ["look good.test", `tcp ${ADDRESSES.good} 22 SSH-2.0-x\\n`, `tcp ${ADDRESSES.good} 22`]);
  assert.deepEqual(lines.slice(1), ['got "welcome\\nSSH-2.0-x\\r\\n"', 'got "welcome\\n"']);
});

test("a body, a websocket and an upgrade that is refused go through", { skip }, async () => {
  const upgrade = (to: string): string => `tcp ${ADDRESSES.good} 80 GET_/u_HTTP/1.1\\nHost:_good.test\\nConnection:_Upgrade\\nUpgrade:_${to}\\n\\n`;
  const { lines } = await probe(["good.test"], ["look good.test", `tcp ${ADDRESSES.good} 80 PUT_/_HTTP/1.1\\nHost:_good.test\\nContent-Length:_5\\n\\nhello`, `${upgrade("websocket")}`, upgrade("h2c")]);
  assert.match(lines[1] ?? "", /PUT 93\.184\.216\.34 good\.test\/ 5/);
  assert.match(lines[2] ?? "", /101 Switching/);
  assert.match(lines[3] ?? "", /200 OK[\s\S]*GET 93\.184\.216\.34 good\.test\/u 0/);
});

test("UDP passes to the ports that are named with it, from connected sockets", { skip }, async () => {
  const { lines, reached, log } = await probe(["good.test:123/udp", "*.wild.test:443/udp", "good.test"], ["look good.test", `udp-to ${ADDRESSES.good} 123`, `udp ${ADDRESSES.good} 123`, `udp-to ${ADDRESSES.good} 443`, `udp-to ${ADDRESSES.other} 123`, `udp-to ${ADDRESSES.good} 5000`, `tcp ${ADDRESSES.good} 123`]);
  assert.deepEqual(lines.slice(1), ["hello", "silence", "silence", "silence", "EPERM", "ECONNRESET"]);
  assert.deepEqual(reached.filter((line) => !line.startsWith("dns")), [`udp ${ADDRESSES.good} 123`]);
  assert.ok(log.some(({ kind, verdict, name }) => kind === "udp" && verdict === "allowed" && name === "good.test"));
});

test("addresses and the host's own loopback are open where they are named", { skip }, async () => {
  const { lines } = await probe([`${ADDRESSES.good}:22`, "127.0.0.1:5432", `[${ADDRESSES.six}]:22`], [`tcp ${ADDRESSES.good} 22`, `tcp ${ADDRESSES.good} 80 x`, "tcp 127.0.0.1 5432", "tcp 127.0.0.1 5433", `tcp ${ADDRESSES.six} 22`]);
  assert.deepEqual(lines, ['got "welcome\\n"', "ECONNRESET", 'got "local\\n"', "ECONNREFUSED", 'got "welcome\\n"']);
});

test("a payload with every right over its network reaches no more", { skip }, async () => {
  const script = `nft flush ruleset; ip route show table all | head -n 3; ${CURL.join(" ")} http://${ADDRESSES.other}/; echo $?; ip link add x type veth peer name y netns 1; echo $?`;
  const ran = await internet.run(["--allow-host", "good.test", "--cap-add", "net_admin", ...DNS, "--", "sh", "-c", script]);
  assert.ok(!ran.stdout.includes("GET"), ran.stdout);
  assert.deepEqual(ran.reached, []);
});

test("nothing of it is left when the sandbox has ended, and nothing is open when its gateway is killed", { skip }, async () => {
  const pending = internet.run(["--allow-host", "good.test", ...DNS, "--", "sh", "-c", `${CURL.join(" ")} http://good.test/; sleep 3; ${CURL.join(" ")} http://good.test/`]);
  await new Promise((done) => setTimeout(done, 2000));
  const gateways = findGateways();
  assert.equal(gateways.length, 1);
  for (const pid of gateways) process.kill(pid, "SIGKILL");
  const ran = await pending;
  assert.equal(ran.stdout.split("\n").filter((line) => line.startsWith("GET")).length, 1, ran.stdout);
  assert.notEqual(ran.status, 0);
  assert.deepEqual(findGateways(), []);
});

/** Gateways in the tests' own network namespace. */
function findGateways(): number[] {
  const own = internet.host("readlink", "/proc/self/ns/net").trim();
  const script = `for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q 'gateway.cj[s]' && [ "$(readlink $p/ns/net)" = '${own}' ] && echo \${p#/proc/}; done; true`;
  return internet.host("sh", "-c", script).split("\n").filter(Boolean).map(Number);
}
