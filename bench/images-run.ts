/**
 * Unpacks a layer of 150 MB and 10,000 files, or gets it from a registry on loopback and unpacks it, in a folder in memory:
 * images-run.js pull|skopeo|unpack|tar BRIG
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { layerHome } from "../src/image/layers/layer-folder.js";
import { removeLayerFolder } from "../src/image/layers/remove-layer.js";
import { unpackLayer } from "../src/image/layers/unpack-layer.js";
import { writeDocument } from "../src/image/store/blobs.js";
import { openImageStore } from "../src/image/store/open.js";
import { serveRuns } from "./serve-runs.js";

const FILES = 10_000;
const BYTES = 15_000;
const [what, brig] = process.argv.slice(2) as [string, string];
const folder = mkdtempSync("/dev/shm/brig-bench-");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const sha = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Files as programs are: half of each can be squeezed. */
function packLayer(): Buffer {
  const source = join(folder, "source");
  for (let at = 0; at < FILES; at++) {
    const place = join(source, `folder${at % 100}`);
    mkdirSync(place, { recursive: true });
    const noise = createHash("shake256", { outputLength: BYTES / 2 }).update(String(at)).digest();
    writeFileSync(join(place, `file${at}`), Buffer.concat([noise, Buffer.alloc(BYTES / 2, "the same again ")]));
  }
  execFileSync("tar", ["--owner=0", "--group=0", "-cf", join(folder, "layer.tar"), "-C", source, "."]);
  rmSync(source, { recursive: true });
  return readFileSync(join(folder, "layer.tar"));
}

/** A registry that has one image and answers nothing else; "HOST:PORT". */
async function serveImage(tar: Buffer): Promise<string> {
  const layer = gzipSync(tar, { level: 6 });
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [sha(tar)] } }));
  const describe = (bytes: Buffer, type: string) => ({ mediaType: `application/vnd.oci.image.${type}`, digest: sha(bytes), size: bytes.length });
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: describe(config, "config.v1+json"), layers: [describe(layer, "layer.v1.tar+gzip")] }));
  const blobs = new Map([layer, config, manifest].map((bytes) => [sha(bytes), bytes]));
  const server = createServer(({ url = "" }, response) => {
    const name = url.split("/").at(-1)!;
    const bytes = url.endsWith("/manifests/1") ? manifest : blobs.get(name);
    if (bytes === manifest) response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json");
    response.writeHead(bytes || url === "/v2/" ? 200 : 404, { "content-length": bytes?.length ?? 0 }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function finish(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => void child.on("error", reject).on("close", (status) => (status === 0 ? resolve() : reject(new Error(`${child.spawnargs.join(" ")} ended with ${status}`)))));
}

const run = (program: string, words: string[], env = process.env): Promise<void> => finish(spawn(program, words, { stdio: "ignore", env }));

const tar = packLayer();
let count = 0;
/** A fresh place each time. */
const takePlace = (): string => join(folder, String(count++));
const removePlace = async (): Promise<void> => rmSync(join(folder, String(count - 1)), { recursive: true, force: true });

if (what === "pull" || what === "skopeo") {
  const host = await serveImage(tar);
  await serveRuns(async () => {
    const place = takePlace();
    if (what === "pull") return await run(brig, ["pull", "-q", `${host}/a:1`], { ...process.env, BRIG_DATA: place, BRIG_REGISTRIES_CONF: "/dev/null", DOCKER_CONFIG: folder });
    await run("skopeo", ["copy", "-q", "--src-tls-verify=false", `docker://${host}/a:1`, `oci:${place}:1`]);
    await run("umoci", ["unpack", ...(process.getuid?.() === 0 ? [] : ["--rootless"]), "--image", `${place}:1`, `${place}/bundle`]);
  }, removePlace);
} else {
  const store = await openImageStore({ data: join(folder, "data") });
  const diffId = sha(tar);
  const digest = writeDocument(store, gzipSync(tar, { level: 6 }));
  await serveRuns(async () => {
    if (what === "unpack") {
      return void (await unpackLayer(store, digest, diffId));
    }
    const place = takePlace();
    mkdirSync(place);
    await run("tar", ["-xzf", join(store.folder, "blobs", digest.replace(":", "/")), "-C", place]);
  }, async () => void ((await removePlace()), await removeLayerFolder(layerHome(store, diffId))));
}
process.exit(0);
