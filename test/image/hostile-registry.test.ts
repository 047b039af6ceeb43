process.env["BRIG_REGISTRY_RETRY_MS"] = "5";
process.env["BRIG_REGISTRY_STALL_MS"] = "300";
process.env["BRIG_REGISTRIES_CONF"] = "/dev/null";
process.env["DOCKER_CONFIG"] = "/nonexistent";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { MEDIA } from "../../src/image/oci.js";
import type { ImageStore } from "../../src/image/store/open.js";
import { listImages } from "../../src/image/store/stored-image.js";
import { removeImage } from "../../src/image/remove.js";
import { TestRegistry, sha } from "./hostile-registry.js";
import { openStage } from "./stage.js";

// behind the environment, which is read when they are loaded
const { pullImage } = await import("../../src/image/pull.js");
const { parseReference } = await import("../../src/image/reference.js");
const { parseRegistriesConf } = await import("../../src/image/registry/registries-conf.js");
const { parseChallenges } = await import("../../src/image/registry/challenge.js");
const { sendRequest } = await import("../../src/image/registry/http.js");
const { findProxy } = await import("../../src/image/registry/proxy.js");
const { readRetryAfter } = await import("../../src/image/registry/retry.js");

const big = randomBytes(300_000);

async function setUp(t: TestContext): Promise<{ registry: TestRegistry; store: ImageStore; image: ReturnType<TestRegistry["addImage"]>; pull: (name?: string) => ReturnType<typeof pullImage> }> {
  const registry = await new TestRegistry().start(t);
  const image = registry.addImage("1", [big, Buffer.from("small")]);
  const { store } = await openStage(t);
  return { registry, store, image, pull: (name = "a/b:1") => pullImage(store, parseReference(`${registry.host}/${name}`)) };
}

/** Nothing is named, and no blob is other than its name says. */
async function assertUntouched(store: ImageStore): Promise<void> {
  assert.deepEqual(await listImages(store), []);
  const blobs = join(store.folder, "blobs/sha256");
  for (const name of readdirSync(blobs)) assert.equal(sha(readFileSync(join(blobs, name))), `sha256:${name}`);
}

test("a registry that lies about a digest or a size is found out, and nothing of it is kept", async (t) => {
  const lies: [name: string, match: RegExp, code: string, lie: (bytes: Buffer) => Buffer][] = [
    ["other bytes", /\/blobs\//, "BRIG_DIGEST_MISMATCH", (bytes) => Buffer.from(bytes).fill(7, 10, 20)],
    ["too many bytes", /\/blobs\//, "BRIG_REGISTRY_LIES", (bytes) => Buffer.concat([bytes, Buffer.from("more")])],
    ["too few bytes, always", /\/blobs\//, "BRIG_REGISTRY_LIES", (bytes) => bytes.subarray(0, -1)],
    ["another manifest for a digest", /\/manifests\/sha256/, "BRIG_DIGEST_MISMATCH", (bytes) => Buffer.concat([bytes, Buffer.from(" ")])],
    ["a manifest without an end", /\/manifests\/1/, "BRIG_REGISTRY_LIES", () => Buffer.alloc(9 << 20, " ")],
    ["a manifest that is none", /\/manifests\/1/, "BRIG_BAD_IMAGE", () => Buffer.from("{}")],
  ];
  const { registry, store, image, pull } = await setUp(t);
  for (const [name, match, code, lie] of lies) {
    registry.trick = (request, response) => {
      if (!match.test(request.url!)) return false;
      const digest = request.url!.split("/").at(-1)!;
      response.end(lie(registry.blobs.get(digest) ?? registry.manifests.get(digest)!.bytes));
      return true;
    };
    await assert.rejects(pull(match.source.includes("sha256") ? `a/b@${image.manifest}` : undefined), { code }, name);
    await assertUntouched(store);
  }
});

test("what is promised by tag and sent must agree", async (t) => {
  const { registry, store, pull } = await setUp(t);
  registry.trick = (request, response) => {
    if (!request.url!.endsWith("/manifests/1")) return false;
    response.setHeader("docker-content-digest", `sha256:${"0".repeat(64)}`).end(registry.manifests.get("1")!.bytes);
    return true;
  };
  await assert.rejects(pull(), { code: "BRIG_DIGEST_MISMATCH" });
  await assertUntouched(store);
});

test("a download that is cut or stalls goes on where it was, or anew where the registry knows no ranges", async (t) => {
  for (const knowsRanges of [true, false]) {
    const { registry, image, pull } = await setUp(t);
    const blob = registry.blobs.get(image.layers[0]!)!;
    registry.trick = (request, response, seen) => {
      if (!request.url!.endsWith(image.layers[0]!)) return false;
      if (!knowsRanges) delete request.headers.range;
      if (seen > 2) return false;
      response.writeHead(request.headers.range ? 206 : 200, { "content-length": blob.length, "content-range": `bytes ${/\d+/.exec(request.headers.range ?? "0")![0]}-` });
      const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
      response.write(blob.subarray(from, from + 100_000), () => seen === 1 && setTimeout(() => response.destroy(), 20)); // the second time it only stalls
      return true;
    };
    await pull();
    const ranges = registry.requests.filter(({ line }) => line.includes(image.layers[0]!)).map(({ headers }) => headers.range);
    if (knowsRanges) assert.deepEqual(ranges, [undefined, "bytes=100000-", "bytes=200000-"]);
    else assert.equal(ranges.length, 3);
  }
});

test("429 and 503 are waited for as Retry-After says, and given up on in the end", async (t) => {
  const { registry, pull } = await setUp(t);
  registry.trick = (request, response, seen) => {
    if (!/manifests|blobs/.test(request.url!) || seen > 2) return false;
    response.writeHead(seen === 1 ? 429 : 503, { "retry-after": "0" }).end();
    return true;
  };
  await pull();
  registry.trick = (_request, response) => (response.writeHead(429, { "retry-after": "0" }).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'), true);
  await assert.rejects(pull(), { code: "BRIG_REGISTRY_TOO_MANY", message: /slow down/ });
  assert.equal(readRetryAfter({ headers: { "retry-after": "2" } }), 2000);
  assert.equal(readRetryAfter({ headers: { "retry-after": "99999999" } }), 30_000);
  assert.equal(readRetryAfter({ headers: { "retry-after": "Thu, 01 Jan 2026 00:00:05 GMT" } }, Date.UTC(2026, 0, 1)), 5000);
});

test("a token that runs out in the middle is renewed, and one that is no good is not asked for forever", async (t) => {
  const { registry, pull } = await setUp(t);
  let issued = 0;
  let good = true;
  registry.trick = (request, response) => {
    if (request.url!.startsWith("/token")) return response.end(JSON.stringify({ token: `t${++issued}` })), true;
    const current = request.headers.authorization === `Bearer t${issued}` && issued > 0;
    if (good && current && !(request.url!.includes("/blobs/") && issued < 3)) return false;
    response.writeHead(401, { "www-authenticate": `Bearer realm="http://${registry.host}/token",service="s",scope="repository:a/b:pull"` }).end();
    return true;
  };
  await pull();
  assert.ok(issued >= 3);
  assert.match(registry.requests.find(({ line }) => line.includes("/token"))!.line, /service=s&scope=repository%3Aa%2Fb%3Apull/);
  good = false;
  const before = issued;
  await assert.rejects(pull("a/b:2"), { code: "BRIG_REGISTRY_UNAUTHORIZED" });
  assert.ok(issued - before < 6);
});

test("a redirection elsewhere is followed without what authorises, and not to what is no HTTP or without an end", async (t) => {
  const { registry, pull } = await setUp(t);
  const other = await new TestRegistry().start(t);
  const folder = (await openStage(t)).folder;
  mkdirSync(join(folder, "docker"));
  writeFileSync(join(folder, "docker/config.json"), JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from("me:secret").toString("base64") } } }));
  process.env["DOCKER_CONFIG"] = join(folder, "docker");
  t.after(() => (process.env["DOCKER_CONFIG"] = "/nonexistent"));
  let target = (url: string): string => `http://${other.host}${url}`;
  registry.trick = (request, response) => {
    if (request.headers.authorization === undefined) return response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end(), true;
    if (!request.url!.includes("/blobs/")) return false;
    response.writeHead(307, { location: target(request.url!) }).end();
    return true;
  };
  other.trick = (request, response) => (response.end(registry.blobs.get(request.url!.split("/").at(-1)!)), true);
  await pull();
  assert.ok(other.requests.length >= 3);
  assert.ok(other.requests.every(({ headers }) => headers.authorization === undefined));
  assert.ok(registry.requests.some(({ headers }) => headers.authorization === `Basic ${Buffer.from("me:secret").toString("base64")}`));
  for (const location of ["file:///etc/passwd", "http://["]) {
    target = () => location;
    registry.addImage("2", [randomBytes(100)]);
    await assert.rejects(pull("a/b:2"), { code: "BRIG_REGISTRY_REDIRECT" });
  }
  target = (url) => url;
  await assert.rejects(pull("a/b:2"), { code: "BRIG_REGISTRY_REDIRECT", message: /without an end/ });
});

test("of an index the platform that was asked for is taken, and its size must be what the index says", async (t) => {
  const { registry, store } = await setUp(t);
  const arm = registry.addImage("arm", [Buffer.from("arm")], "arm64");
  const amd = registry.addImage("amd", [Buffer.from("amd")], "amd64");
  const describe = (image: typeof arm, architecture: string, extra = 0) => ({ mediaType: MEDIA.ociManifest, digest: image.manifest, size: image.bytes.length + extra, platform: { os: "linux", architecture } });
  const index = (extra: number): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [describe(arm, "arm64", extra), describe(amd, "amd64", extra)] }));
  const digest = registry.addManifest("multi", index(0), MEDIA.ociIndex);
  const name = parseReference(`${registry.host}/a/b:multi`);
  const pulled = await pullImage(store, name, { platform: { os: "linux", architecture: "arm64" } });
  assert.deepEqual([pulled.id, pulled.digest, pulled.isNew], [arm.config, digest, true]);
  await assert.rejects(pullImage(store, name, { platform: { os: "linux", architecture: "s390x" } }), { code: "BRIG_NO_PLATFORM", hint: /linux\/arm64, linux\/amd64/ });
  await assert.rejects(pullImage(store, parseReference(`${registry.host}/a/b:amd`), { platform: { os: "linux", architecture: "arm64" } }), { code: "BRIG_NO_PLATFORM" });
  registry.addManifest("lying", index(5), MEDIA.ociIndex);
  await assert.rejects(pullImage(store, { ...name, tag: "lying" }, { platform: { os: "linux", architecture: "amd64" } }), { code: "BRIG_REGISTRY_LIES" });
  assert.deepEqual((await listImages(store)).map(({ repoDigests }) => repoDigests), [[`${registry.host}/a/b@${digest}`]]);
  assert.deepEqual((await removeImage(store, `${registry.host}/a/b@${digest}`)).untagged, [`${registry.host}/a/b@${digest}`]);
  assert.equal((await pullImage(store, parseReference(`${registry.host}/a/b@${arm.manifest}`))).digest, arm.manifest);
  assert.deepEqual((await removeImage(store, `${registry.host}/a/b@${arm.manifest}`)).deleted, []);
  assert.deepEqual((await removeImage(store, arm.config)).deleted[0], arm.config);
});

test("a layer that is not what the image's config promises is refused, and nothing of it stays unpacked", async (t) => {
  const { registry, store, image, pull } = await setUp(t);
  const config = JSON.parse(registry.blobs.get(image.config)!.toString()) as { rootfs: { diff_ids: string[] } };
  config.rootfs.diff_ids[1] = `sha256:${"1".repeat(64)}`;
  const bytes = Buffer.from(JSON.stringify(config));
  registry.blobs.set(sha(bytes), bytes);
  const manifest = JSON.parse(image.bytes.toString()) as { config: { digest: string; size: number } };
  Object.assign(manifest.config, { digest: sha(bytes), size: bytes.length });
  registry.addManifest("1", Buffer.from(JSON.stringify(manifest)), MEDIA.ociManifest);
  await assert.rejects(pull(), { code: "BRIG_DIGEST_MISMATCH" });
  await assertUntouched(store);
  assert.ok(!existsSync(join(store.layers, "sha256", "1".repeat(64))));
});

test("an abort ends a pull at once, and the next one goes on with what it brought", async (t) => {
  const { registry, store, image, pull } = await setUp(t);
  const controller = new AbortController();
  registry.trick = (request, response) => {
    if (!request.url!.endsWith(image.layers[0]!)) return false;
    response.writeHead(200).write(registry.blobs.get(image.layers[0]!)!.subarray(0, 50_000), () => setTimeout(() => controller.abort(), 50));
    return true;
  };
  await assert.rejects(pullImage(store, parseReference(`${registry.host}/a/b:1`), { signal: controller.signal }), { name: "AbortError" });
  await assertUntouched(store);
  registry.trick = () => false;
  await pull();
  assert.equal(registry.requests.findLast(({ line }) => line.includes(image.layers[0]!))!.headers.range, "bytes=50000-");
});

test("mirrors are asked first, and the registry itself when they fail; what is blocked is not asked at all", async (t) => {
  const { registry, store } = await setUp(t);
  const broken = await new TestRegistry().start(t);
  const text = `[[registry]]\nprefix = "registry.example/team"\nlocation = "${registry.host}/a"\n[[registry.mirror]]\nlocation = "${broken.host}/m"\ninsecure = true\n[[registry]]\nprefix = "bad.example"\nblocked = true\n`;
  const registries = parseRegistriesConf(text, "registries.conf");
  const { name } = await pullImage(store, parseReference("registry.example/team/b:1"), { registries });
  assert.equal(`${name.domain}/${name.path}`, "registry.example/team/b");
  assert.ok(broken.count("/v2/m/b/manifests/1") > 0);
  await assert.rejects(pullImage(store, parseReference("bad.example/x"), { registries }), { code: "BRIG_REGISTRY_BLOCKED" });
  assert.deepEqual(parseRegistriesConf("", "none").findEndpoints("docker.io", "library/x"), [{ host: "registry-1.docker.io", path: "library/x", insecure: false }]);
  assert.throws(() => parseRegistriesConf("[[registry", "f"), { code: "BRIG_BAD_REGISTRIES_CONF" });
});

test("a proxy is used for what it should be, with the whole URL or a tunnel", async (t) => {
  const { registry, store } = await setUp(t);
  const tunnels: string[] = [];
  const proxy = createServer().on("connect", (request, socket) => {
    tunnels.push(`${request.url} ${request.headers["proxy-authorization"]}`);
    socket.end("HTTP/1.1 403 no\r\n\r\n");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  Object.assign(process.env, { http_proxy: `http://${registry.host}`, https_proxy: `http://me:pw@127.0.0.1:${(proxy.address() as AddressInfo).port}`, no_proxy: "direct.example" });
  t.after(() => {
    for (const name of ["http_proxy", "https_proxy", "no_proxy"]) delete process.env[name];
    proxy.close();
  });
  await assert.rejects(pullImage(store, parseReference("far.example/a/b:1")), { code: "BRIG_REGISTRY_UNREACHABLE", message: /the proxy .* answers with status 403/ });
  assert.equal(tunnels[0], `far.example:443 Basic ${Buffer.from("me:pw").toString("base64")}`);
  const send = (url: string) => sendRequest({ method: "GET", url: new URL(url) });
  const { status, body } = await send("http://far.example/v2/a/b/manifests/1");
  body.resume();
  assert.deepEqual([status, registry.requests.at(-1)!.line, registry.requests.at(-1)!.headers.host], [200, "GET http://far.example/v2/a/b/manifests/1", "far.example"]);
  assert.deepEqual(["http://direct.example/", "http://sub.direct.example:8080/", "http://localhost:1/", "http://other.example/"].map((url) => findProxy(new URL(url)) !== undefined), [false, false, false, true]);
});

test("challenges are read as RFC 9110 has them", () => {
  assert.deepEqual(parseChallenges('Basic realm="a, b", Bearer realm="https://x/t?a=\\"b\\"",service=s , scope="r:a:pull,push"'), [
    { scheme: "basic", parameters: { realm: "a, b" } },
    { scheme: "bearer", parameters: { realm: 'https://x/t?a="b"', service: "s", scope: "r:a:pull,push" } },
  ]);
  for (const text of ["", ",,", '"x"', "Bearer", 'Bearer realm="open', "=x"]) assert.ok(parseChallenges(text).length <= 1);
});
