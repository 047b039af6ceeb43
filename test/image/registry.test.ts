process.env["BRIG_REGISTRIES_CONF"] = "/dev/null";
process.env["DOCKER_CONFIG"] = "/nonexistent";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { importImage } from "../../src/image/archive/import.js";
import { createImage } from "../../src/image/commit.js";
import { tagImage } from "../../src/image/names.js";
import { pullImage } from "../../src/image/pull.js";
import { pushImage } from "../../src/image/push.js";
import { parseReference } from "../../src/image/reference.js";
import { MEDIA } from "../../src/image/oci.js";
import { searchRegistry } from "../../src/image/registry/search.js";
import { listTags } from "../../src/image/registry/tags.js";
import { removeImage } from "../../src/image/remove.js";
import { resolveImage } from "../../src/image/resolve.js";
import { openImageStore } from "../../src/image/store/open.js";
import { findImage } from "../../src/image/store/find.js";
import { writeBlob } from "../../src/image/store/write-blob.js";
import { startRegistry } from "./debian-registry.js";
import { TestRegistry } from "./hostile-registry.js";
import { checkout, has, makeTar, openStage, runBrig, runBrigMeanwhile, streamOf } from "./stage.js";

const missing = ["docker-registry", "skopeo"].filter((program) => !has(program));
const sha = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

test("images go to Debian's registry and back, by brig and by skopeo, unchanged", async (t) => {
  if (missing.length > 0) return t.skip(`needs ${missing.join(", ")}`);
  const host = await startRegistry(t);
  const { store, folder } = await openStage(t);
  const content = randomBytes(40 << 20); // more than one chunk of an upload
  const id = await importImage(store, streamOf(makeTar([{ name: "big", data: content }])), { name: parseReference(`${host}/team/tool:1`), changes: ['CMD ["/big"]'] });
  const events: string[] = [];
  const { digest } = await pushImage(store, parseReference(`${host}/team/tool:1`), { onProgress: (event) => void (event.kind === "layer" && event.current === undefined && events.push(event.status)) });
  assert.deepEqual(events, ["Preparing", "Pushed"]);
  await tagImage(store, id, parseReference(`${host}/other/tool:2`));
  events.length = 0;
  await pushImage(store, parseReference(`${host}/other/tool:2`), { onProgress: (event) => void (event.kind === "layer" && event.current === undefined && events.push(event.status)) });
  assert.deepEqual(events, ["Preparing", "Mounted from team/tool"]);
  assert.deepEqual(await listTags(parseReference(`${host}/team/tool`)), ["1"]);
  assert.deepEqual((await searchRegistry(host, "tool", 25)).map(({ name }) => name), [`${host}/other/tool`, `${host}/team/tool`]);

  // skopeo: from the registry into another layout, within ours, and back to the registry under another name
  execFileSync("skopeo", ["copy", "-q", "--src-tls-verify=false", `docker://${host}/team/tool:1`, `oci:${folder}/layout:x`]);
  execFileSync("skopeo", ["copy", "-q", `oci:${folder}/layout:x`, `oci:${store.folder}:short`]);
  assert.equal((await findImage(store, "short")).image.id, id);
  execFileSync("skopeo", ["copy", "-q", "--dest-tls-verify=false", "--format", "v2s2", `oci:${store.folder}:${host}/team/tool:1`, `docker://${host}/skopeo/tool:3`]);
  const second = await openStage(t);
  const pulled = await pullImage(second.store, parseReference(`${host}/team/tool@${digest}`));
  assert.deepEqual([pulled.id, pulled.digest], [id, digest]);
  const resolved = await resolveImage(second.store, `${host}/team/tool@${digest}`);
  assert.equal(sha(readFileSync(join(resolved.layers[0]!.path, "big"))), sha(content));
  await pullImage(second.store, parseReference(`${host}/skopeo/tool:3`));
  const docker = (await findImage(second.store, `${host}/skopeo/tool:3`)).image;
  assert.equal(docker.manifest.mediaType, MEDIA.dockerManifest);
  assert.deepEqual(docker.config.rootfs.diff_ids, resolved.config.rootfs.diff_ids);
  assert.equal(readdirSync(join(second.store.layers, "sha256")).length, 1);
  if (has("umoci")) execFileSync("umoci", ["unpack", "--rootless", "--image", `${folder}/layout:x`, join(folder, "bundle")]);
  if (has("umoci")) assert.equal(sha(readFileSync(join(folder, "bundle/rootfs/big"))), sha(content));

  // the command, and docker's words
  const shown = runBrig(second.folder, ["pull", `${host}/team/tool:1`]);
  assert.match(shown.stdout, new RegExp(`^1: Pulling from team/tool\n[a-f0-9]{12}: Already exists\nDigest: ${digest}\nStatus: Downloaded newer image for ${host}/team/tool:1\n${host}/team/tool:1\n$`));
  assert.match(runBrig(second.folder, ["pull", `${host}/team/tool:1`]).stdout, /Status: Image is up to date for/);
  const lost = runBrig(second.folder, ["pull", `${host}/nobody/has`]);
  assert.deepEqual([lost.status, lost.stderr.split("\n")[0]], [1, `brig: manifest for ${host}/nobody/has:latest not found: manifest unknown: manifest unknown`]);
  assert.match(runBrig(second.folder, ["push", `${host}/team/tool:1`]).stdout, new RegExp(`Layer already exists\n1: digest: ${digest} size: \\d+\n$`));
});

test("layers that are compressed with zstd, or not at all, are unpacked", async (t) => {
  if (!has("zstd")) return t.skip("needs zstd");
  const { store } = await openStage(t);
  const tar = makeTar([{ name: "f", data: "hello" }]);
  for (const [mediaType, bytes] of [[MEDIA.ociLayer, tar], [MEDIA.ociLayerZstd, execFileSync("zstd", ["-c"], { input: tar })]] as const) {
    const { digest, size } = await writeBlob(store, streamOf(bytes));
    const { id } = await createImage(store, { architecture: "amd64", os: "linux", author: mediaType, rootfs: { type: "layers", diff_ids: [sha(tar)] } }, [{ mediaType, digest, size }], [parseReference("x")]);
    const { layers } = await resolveImage(store, id);
    assert.equal(readFileSync(join(layers[0]!.path, "f"), "utf8"), "hello");
    await removeImage(store, id);
  }
});

test("a hundred pulls at once, in several processes, fetch each layer once", async (t) => {
  const registry = await new TestRegistry().start(t);
  const image = registry.addImage("1", [randomBytes(200_000), randomBytes(1000)]);
  const { store, folder } = await openStage(t);
  const name = `${registry.host}/a/b:1`;
  const here = Array.from({ length: 92 }, () => pullImage(store, parseReference(name)));
  const env = { ...process.env, BRIG_DATA: join(folder, "data") };
  const others = Array.from({ length: 8 }, () => new Promise<number | null>((resolve) => spawn(join(checkout, "dist/brig"), ["pull", "-q", name], { env, stdio: "ignore" }).on("close", resolve)));
  assert.deepEqual(await Promise.all(others), Array.from({ length: 8 }, () => 0));
  assert.equal(new Set((await Promise.all(here)).map(({ id }) => id)).size, 1);
  for (const digest of [...image.layers, image.config]) assert.equal(registry.count(digest), 1);
  assert.deepEqual(readdirSync(join(store.layers, "sha256")).length, 2);
  assert.deepEqual(readdirSync(join(store.folder, ".brig/ingest")), []);
  const { manifests } = JSON.parse(readFileSync(join(store.folder, "index.json"), "utf8")) as { manifests: unknown[] };
  assert.equal(manifests.length, 1);
});

test("login tries, keeps and forgets passwords where docker does, and helpers are asked", async (t) => {
  const registry = await new TestRegistry().start(t);
  registry.addImage("1", [Buffer.from("x")]);
  registry.trick = (request, response) => {
    if (request.headers.authorization === `Basic ${Buffer.from("me:secret").toString("base64")}`) return false;
    response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
    return true;
  };
  const { folder } = await openStage(t);
  const config = join(folder, "docker/config.json");
  const bad = await runBrigMeanwhile(folder, ["login", "-u", "me", "--password-stdin", registry.host], { input: "wrong\n" });
  assert.deepEqual([bad.status, /unauthorized/.test(bad.stderr)], [1, true]);
  const denied = await runBrigMeanwhile(folder, ["pull", `${registry.host}/a/b:1`]);
  assert.match(denied.stderr, /pull access denied for .*, repository does not exist or may require 'brig login'/);
  const good = await runBrigMeanwhile(folder, ["login", "-u", "me", "--password-stdin", registry.host], { input: "secret\n" });
  assert.deepEqual([good.status, good.stdout], [0, "Login Succeeded\n"], good.stderr);
  assert.equal(statSync(config).mode & 0o777, 0o600);
  assert.equal((JSON.parse(readFileSync(config, "utf8")) as { auths: Record<string, { auth: string }> }).auths[registry.host]!.auth, Buffer.from("me:secret").toString("base64"));
  assert.equal((await runBrigMeanwhile(folder, ["pull", "-q", `${registry.host}/a/b:1`])).status, 0);
  assert.equal((await runBrigMeanwhile(folder, ["logout", registry.host])).stdout, `Removing login credentials for ${registry.host}\n`);
  assert.equal((await runBrigMeanwhile(folder, ["pull", "-q", `${registry.host}/a/b:1`])).status, 1);

  mkdirSync(join(folder, "bin"));
  const log = join(folder, "log");
  const helper = join(folder, "bin/docker-credential-test");
  writeFileSync(helper, `#!/bin/sh\nread input; echo "$1 $input" >>${log}\n[ "$1" != get ] || echo '{"ServerURL":"x","Username":"me","Secret":"secret"}'\n`);
  chmodSync(helper, 0o755);
  writeFileSync(config, JSON.stringify({ credsStore: "nothere", credHelpers: { [registry.host]: "test" }, other: { kept: 1 } }));
  const env = { PATH: `${join(folder, "bin")}:${process.env["PATH"]}` };
  assert.equal((await runBrigMeanwhile(folder, ["pull", "-q", `${registry.host}/a/b:1`], { env })).status, 0);
  assert.equal((await runBrigMeanwhile(folder, ["login", "-u", "me", "--password-stdin", registry.host], { env, input: "secret" })).status, 0);
  assert.match(readFileSync(log, "utf8"), new RegExp(`get ${registry.host}\n[^]*store \\{"ServerURL":"${registry.host}","Username":"me","Secret":"secret"\\}`));
  assert.deepEqual(JSON.parse(readFileSync(config, "utf8")), { credsStore: "nothere", credHelpers: { [registry.host]: "test" }, other: { kept: 1 }, auths: { [registry.host]: {} } });
  const lacking = await runBrigMeanwhile(folder, ["pull", "localhost:1/x"], { env });
  assert.match(lacking.stderr, /the credential helper docker-credential-nothere is missing/);
});

test("a store that another process opens at the same time is made once", async (t) => {
  const { folder } = await openStage(t);
  const data = join(folder, "fresh");
  await Promise.all(Array.from({ length: 10 }, () => openImageStore({ data })));
  assert.equal(readFileSync(join(data, "images/oci-layout"), "utf8"), '{"imageLayoutVersion":"1.0.0"}');
});
