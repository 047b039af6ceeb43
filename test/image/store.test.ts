process.env["BRIG_REGISTRIES_CONF"] = "/dev/null";
process.env["DOCKER_CONFIG"] = "/nonexistent";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { loadImages } from "../../src/image/archive/load.js";
import { importImage } from "../../src/image/archive/import.js";
import { saveImages } from "../../src/image/archive/save.js";
import { commitLayer, createImage } from "../../src/image/commit.js";
import { tagImage } from "../../src/image/names.js";
import { pruneImages } from "../../src/image/prune.js";
import { pullImage } from "../../src/image/pull.js";
import { formatReference, parseReference } from "../../src/image/reference.js";
import { removeImage } from "../../src/image/remove.js";
import { resolveImage } from "../../src/image/resolve.js";
import { findImage } from "../../src/image/store/find.js";
import type { ImageStore } from "../../src/image/store/open.js";
import { listImages } from "../../src/image/store/stored-image.js";
import { releaseImage, useImage } from "../../src/image/store/uses.js";
import { TestRegistry, sha } from "./hostile-registry.js";
import { checkout, has, isRoot, makeTar, openStage, readAll, runBrig, runBrigMeanwhile, streamOf } from "./stage.js";

const name = parseReference;
/** How often something is killed; more with BRIG_KILL_ROUNDS=N. */
const ROUNDS = Number(process.env["BRIG_KILL_ROUNDS"] ?? 24);

async function makeImage(store: ImageStore, word: string, content = word): Promise<string> {
  return await importImage(store, streamOf(makeTar([{ name: "f", data: content }])), { name: name(word), message: content });
}

const listBlobs = (store: ImageStore): string[] => readdirSync(join(store.folder, "blobs/sha256"));
const listLayers = (store: ImageStore): string[] => readdirSync(join(store.layers, "sha256"));

/** The index leads to whole images, and every blob is what its name says. */
async function assertWhole(store: ImageStore): Promise<void> {
  const damaged: string[] = [];
  const images = await listImages(store, (digest) => void damaged.push(digest));
  assert.deepEqual(damaged, []);
  const blobs = listBlobs(store);
  for (const blob of blobs) assert.equal(sha(readFileSync(join(store.folder, "blobs/sha256", blob))), `sha256:${blob}`);
  for (const { layers } of images) for (const { digest } of layers) assert.ok(blobs.includes(digest.slice(7)));
}

test("names come, move and go as docker has it, and the last one takes the image along", async (t) => {
  const { store } = await openStage(t);
  const first = await makeImage(store, "tool:1");
  await tagImage(store, "tool:1", name("tool:2"));
  await tagImage(store, first.slice(7, 19), name("other"));
  const second = await makeImage(store, "tool:2", "else");
  assert.equal((await findImage(store, "tool:2")).image.id, second);
  await assert.rejects(removeImage(store, first), { code: "BRIG_IMAGE_IN_USE", message: /must be forced\) - image is referenced in multiple repositories/ });
  assert.deepEqual(await removeImage(store, "tool:1"), { untagged: ["tool:1"], deleted: [], bytes: 0 });
  const gone = await removeImage(store, "other");
  assert.deepEqual([gone.untagged, gone.deleted[0]], [["other:latest"], first]);
  await makeImage(store, "tool:2", "third");
  const nameless = (await listImages(store)).find(({ id }) => id === second);
  assert.deepEqual(nameless?.names, []);
  await assert.rejects(findImage(store, "nothere"), { code: "BRIG_NO_IMAGE", message: "No such image: nothere:latest", exitCode: 1 });
  assert.deepEqual((await pruneImages(store, false)).deleted[0], second);
  await pruneImages(store, true);
  assert.deepEqual([await listImages(store), listBlobs(store), listLayers(store)], [[], [], []]);
});

test("what a container uses stays, and says so, until it is released", async (t) => {
  const { store } = await openStage(t);
  const id = await makeImage(store, "tool");
  const resolved = await resolveImage(store, "tool", { user: "abcdef0123456789" });
  await assert.rejects(removeImage(store, "tool"), { code: "BRIG_IMAGE_IN_USE", message: `conflict: unable to remove repository reference "tool:latest" (must force) - container abcdef012345 is using its referenced image ${id.slice(7, 19)}` });
  await assert.rejects(removeImage(store, id), { message: /\(must be forced\) - image is being used by stopped container abcdef012345/ });
  await assert.rejects(removeImage(store, id, { force: true, isRunning: () => true }), { message: /\(cannot be forced\) - image is being used by running container/ });
  assert.deepEqual((await removeImage(store, "tool", { force: true })).deleted, []);
  await pruneImages(store, true);
  assert.equal(readFileSync(join(resolved.layers[0]!.path, "f"), "utf8"), "tool");
  releaseImage(store, "abcdef0123456789");
  await pruneImages(store, true);
  assert.deepEqual([listBlobs(store), listLayers(store)], [[], []]);
  await assert.rejects(useImage(store, { user: "../x", manifest: id, image: id }), TypeError);
});

test("images that share layers keep them as long as one is there", async (t) => {
  const { store } = await openStage(t);
  const base = await commitLayer(store, streamOf(makeTar([{ name: "base" }])));
  const top = await commitLayer(store, streamOf(makeTar([{ name: "top" }])));
  const make = (word: string, layers: (typeof base)[]) => createImage(store, { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) } }, layers.map(({ layer }) => layer), [name(word)]);
  await make("one", [base]);
  await make("two", [base, top]);
  for (const word of ["one", "two"]) await resolveImage(store, word);
  assert.deepEqual((await removeImage(store, "two")).deleted.slice(1), [top.diffId]);
  assert.deepEqual(listLayers(store), [base.diffId.slice(7)]);
  assert.equal((await resolveImage(store, "one")).layers.length, 1);
});

test("orphans go when they are no longer young, and what is unfinished and locked stays", async (t) => {
  const { store } = await openStage(t);
  const orphan = await commitLayer(store, streamOf(makeTar([{ name: "x" }])));
  const path = join(store.folder, "blobs/sha256", orphan.layer.digest.slice(7));
  await pruneImages(store, false);
  assert.deepEqual(listBlobs(store).length, 1);
  utimesSync(path, 1, 1);
  mkdirSync(join(store.layers, "sha256", `${"a".repeat(64)}.new/root`), { recursive: true });
  mkdirSync(join(store.layers, "sha256", `${"b".repeat(64)}.dead-4194304-x/root`), { recursive: true });
  writeFileSync(join(store.folder, ".brig/ingest/old"), "half");
  utimesSync(join(store.folder, ".brig/ingest/old"), 1, 1);
  assert.equal((await pruneImages(store, false)).bytes, orphan.layer.size);
  assert.deepEqual([listBlobs(store), listLayers(store), readdirSync(join(store.folder, ".brig/ingest"))], [[], [], []]);
});

test("archives of brig's are read by skopeo and podman, and theirs by brig, compressed or not", async (t) => {
  if (!has("skopeo")) return t.skip("needs skopeo");
  const { store, folder } = await openStage(t);
  const id = await makeImage(store, "team/tool:1");
  const bytes = await readAll(await saveImages(store, ["team/tool:1"]));
  assert.ok(bytes.equals(await readAll(await saveImages(store, ["team/tool:1"]))), "the same image is the same archive");
  writeFileSync(join(folder, "ours.tar"), bytes);
  const run = (...words: string[]): void => assert.equal(spawnSync("skopeo", ["copy", "-q", ...words]).status, 0, words.join(" "));
  run(`docker-archive:${folder}/ours.tar:team/tool:1`, `docker-archive:${folder}/docker.tar:theirs:1`);
  run(`oci-archive:${folder}/ours.tar:docker.io/team/tool:1`, `oci-archive:${folder}/oci.tar:theirs:2`);
  spawnSync("gzip", ["-k", join(folder, "docker.tar")]);
  spawnSync("zstd", ["-q", join(folder, "oci.tar")]);
  for (const [file, word] of [["ours.tar", "team/tool:1"], ["docker.tar", "theirs:1"], ["docker.tar.gz", "theirs:1"], ["oci.tar", "theirs:2"], ...(has("zstd") ? [["oci.tar.zst", "theirs:2"]] : [])] as const) {
    await pruneImages(store, true);
    const shown = runBrig(folder, ["load", "-i", join(folder, file)]);
    assert.equal(shown.stdout, `Loaded image: ${word}\n`, shown.stderr);
    assert.equal((await findImage(store, word)).image.id, id, file);
    assert.equal(readFileSync(join((await resolveImage(store, word)).layers[0]!.path, "f"), "utf8"), "team/tool:1");
  }
  if (!has("podman") || !isRoot) return;
  writeFileSync(join(folder, "containers.conf"), '[engine]\nlock_type = "file"\n'); // its own are in /dev/shm, and stay
  const places = ["--root", "--runroot", "--tmpdir"].flatMap((word) => [word, join(folder, `podman${word}`)]);
  const podman = (...words: string[]) => spawnSync("podman", [...places, "--storage-driver", "vfs", ...words], { encoding: "utf8", env: { ...process.env, CONTAINERS_CONF: join(folder, "containers.conf") } });
  assert.match(podman("load", "-q", "-i", join(folder, "ours.tar")).stdout, /Loaded image: docker.io\/team\/tool:1/);
  assert.equal(podman("save", "-q", "--format", "docker-archive", "-o", join(folder, "podman.tar"), "docker.io/team/tool:1").status, 0);
  podman("rmi", "-fa");
  await pruneImages(store, true);
  assert.deepEqual((await loadImages(store, streamOf(readFileSync(join(folder, "podman.tar"))))).map(({ names }) => names.map(formatReference)), [["docker.io/team/tool:1"]]);
  spawnSync("umount", [join(folder, "podman--root/vfs")], { stdio: "ignore" });
});

test("archives that lack something, lead elsewhere or are none are refused, and change nothing", async (t) => {
  const { store } = await openStage(t);
  const manifest = (entry: object): { name: string; data: string } => ({ name: "manifest.json", data: JSON.stringify([entry]) });
  const refused: [Parameters<typeof makeTar>[0], RegExp][] = [
    [[], /holds no image/],
    [[{ name: "manifest.json", data: "{" }], /makes no sense/],
    [[manifest({ Config: "c.json", Layers: [] })], /lacks c.json/],
    [[manifest({ Config: "../../etc/passwd", Layers: [] })], /lacks \.\.\/\.\.\/etc\/passwd/],
    [[manifest({ Config: "c", Layers: [] }), { name: "c", type: "2", link: "/etc/passwd" }], /lacks c/],
    [[manifest({ Config: "c", Layers: [] }), { name: "c", type: "2", link: "c" }], /lacks c/],
    [[manifest({ Config: "c", Layers: ["l"] }), { name: "c", data: "{}" }], /makes no sense/],
    [[{ name: "oci-layout", data: "{}" }, { name: "index.json", data: JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: "x", digest: `sha256:${"0".repeat(64)}`, size: 1 }] }) }], /lacks sha256:0/],
  ];
  for (const [entries, message] of refused) await assert.rejects(loadImages(store, streamOf(makeTar(entries))), { message, exitCode: 1 });
  await assert.rejects(loadImages(store, streamOf(Buffer.from("nothing"))), { code: "BRIG_BAD_ARCHIVE" });
  const rest = Readable.from([makeTar([{ name: "x", size: 2 ** 32, data: "y" }]), Buffer.alloc(1)]);
  await assert.rejects(loadImages(store, rest), { code: "BRIG_BAD_ARCHIVE", message: /is cut/ });
  assert.ok(rest.destroyed);
  assert.deepEqual(await listImages(store), []);
});

test("a disk that is full is an error with a hint, and the store stays whole and usable", async (t) => {
  if (!isRoot) return t.skip("needs root");
  const { folder } = await openStage(t);
  const registry = await new TestRegistry().start(t);
  registry.addImage("big", [randomBytes(6 << 20)]);
  registry.addImage("swells", [Buffer.alloc(12 << 20)]);
  registry.addImage("small", [Buffer.from("s")]);
  const disk = join(folder, "disk");
  mkdirSync(disk);
  const brig = join(checkout, "dist/brig");
  const script = `set -e; mount -t tmpfs -o size=4m none ${disk}; export BRIG_DATA=${disk}; for tag in big swells; do ${brig} pull -q ${registry.host}/a/b:$tag && echo pulled; done; ${brig} pull -q ${registry.host}/a/b:small; ${brig} images -q | wc -l; ls ${disk}/layers/sha256 | wc -l; ${brig} rmi ${registry.host}/a/b:small >${disk}/../rmi; ls ${disk}/images/blobs/sha256 | wc -l`;
  const ran = await new Promise<{ output: string; errors: string }>((resolve) => {
    const child = spawn("unshare", ["-m", "sh", "-c", script.replace("set -e; ", "")]);
    let [output, errors] = ["", ""];
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    child.on("close", () => resolve({ output, errors }));
  });
  assert.equal(ran.errors.match(/no space is left on the disk\n {2}hint: brig system df/g)?.length, 2, ran.errors);
  // two configs and the layer that did not fit unpacked are orphans, and young
  assert.deepEqual(ran.output.split("\n").map((line) => line.trim()), [`${registry.host}/a/b:small`, "1", "1", "3", ""]);
});

test("killed at any moment of pull, load and rmi, the store stays whole and the next command works", async (t) => {
  const { store, folder } = await openStage(t);
  const registry = await new TestRegistry().start(t);
  registry.addImage("1", [randomBytes(3 << 20), randomBytes(200_000), Buffer.from("x")]);
  const word = `${registry.host}/a/b:1`;
  await pullImage(store, name(word));
  writeFileSync(join(folder, "archive.tar"), await readAll(await saveImages(store, [word])));
  const commands = [["pull", "-q", word], ["rmi", "-f", word], ["load", "-q", "-i", join(folder, "archive.tar")]];
  for (let round = 0; round < ROUNDS; round++) {
    const env = { ...process.env, BRIG_DATA: join(folder, "data") };
    const child = spawn(process.execPath, [join(checkout, "dist/cli/main.cjs"), ...commands[round % 3]!], { env, stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("close", resolve));
    await Promise.race([sleep(60 + ((round * 37) % 163)), ended]);
    child.kill("SIGKILL");
    await ended;
    await assertWhole(store);
  }
  assert.equal((await runBrigMeanwhile(folder, ["pull", "-q", word])).status, 0);
  const { layers } = await resolveImage(store, word);
  assert.equal(layers.length, 3);
  await removeImage(store, word, { force: true });
  for (const file of listBlobs(store)) utimesSync(join(store.folder, "blobs/sha256", file), 1, 1);
  for (const file of listLayers(store)) if (/^[a-f0-9]{64}$/.test(file)) utimesSync(join(store.layers, "sha256", file), 1, 1);
  for (const file of readdirSync(join(store.folder, ".brig/ingest"))) utimesSync(join(store.folder, ".brig/ingest", file), 1, 1);
  await pruneImages(store, true);
  assert.deepEqual([listBlobs(store), listLayers(store).filter((file) => !file.endsWith(".lock")), readdirSync(join(store.folder, ".brig/ingest"))], [[], [], []]);
});
