import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { MEDIA } from "../../src/image/oci.js";
import { makeTar } from "./stage.js";

export const sha = (bytes: Buffer | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A request that a test answers itself: true, or it is answered as a good registry would. */
export type Trick = (request: IncomingMessage, response: ServerResponse, seen: number) => boolean | Promise<boolean>;

/** A registry of one image, that does what a test tells it to. */
export class TestRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { bytes: Buffer; type: string }>();
  /** "GET /v2/…" in their order. */
  readonly requests: { line: string; headers: IncomingMessage["headers"] }[] = [];
  trick: Trick = () => false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(t: TestContext): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return this;
  }

  count(part: string): number {
    return this.requests.filter(({ line }) => line.includes(part)).length;
  }

  /** An image of layers with these contents. @returns the manifest's digest and the blobs' */
  addImage(tag: string, contents: Buffer[], architecture = process.arch === "arm64" ? "arm64" : "amd64"): { manifest: string; config: string; layers: string[]; bytes: Buffer } {
    const tars = contents.map((data, at) => makeTar([{ name: `file${at}`, data }]));
    const layers = tars.map((tar) => this.#add(gzipSync(tar, { level: 1 })));
    const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: { Cmd: ["x"] }, rootfs: { type: "layers", diff_ids: tars.map(sha) } }));
    const describe = (digest: string, mediaType: string) => ({ mediaType, digest, size: this.blobs.get(digest)!.length });
    const configDigest = this.#add(config);
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config: describe(configDigest, MEDIA.ociConfig), layers: layers.map((digest) => describe(digest, MEDIA.ociLayerGzip)) }));
    return { manifest: this.addManifest(tag, bytes, MEDIA.ociManifest), config: configDigest, layers, bytes };
  }

  addManifest(tag: string, bytes: Buffer, type: string): string {
    const entry = { bytes, type };
    this.manifests.set(tag, entry).set(sha(bytes), entry);
    return sha(bytes);
  }

  #add(bytes: Buffer): string {
    this.blobs.set(sha(bytes), bytes);
    return sha(bytes);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method} ${request.url}`;
    this.requests.push({ line, headers: request.headers });
    response.on("error", () => undefined);
    if (await this.trick(request, response, this.count(line))) return;
    const [, kind, name = ""] = /\/(manifests|blobs)\/([^/?]+)$/.exec(request.url ?? "") ?? [];
    const manifest = kind === "manifests" ? this.manifests.get(name) : undefined;
    const blob = kind === "blobs" ? this.blobs.get(name) : undefined;
    if (request.url === "/v2/") return void response.end("{}");
    if (manifest) return void response.writeHead(200, { "content-type": manifest.type, "docker-content-digest": sha(manifest.bytes) }).end(manifest.bytes);
    if (blob) return this.#sendBlob(request, response, blob);
    response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
  }

  #sendBlob(request: IncomingMessage, response: ServerResponse, blob: Buffer): void {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from === 0) return void response.writeHead(200, { "content-length": blob.length }).end(blob);
    response.writeHead(206, { "content-range": `bytes ${from}-${blob.length - 1}/${blob.length}` }).end(blob.subarray(from));
  }
}
