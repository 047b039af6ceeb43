process.env["BRIG_REGISTRY_RETRY_MS"] = "5";
process.env["BRIG_REGISTRY_STALL_MS"] = "500";
process.env["BRIG_REGISTRIES_CONF"] = "/dev/null";
process.env["DOCKER_CONFIG"] = "/nonexistent";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test, type TestContext } from "node:test";
import { importImage } from "../../src/image/archive/import.js";
import { parseReference } from "../../src/image/reference.js";
import { findImage } from "../../src/image/store/find.js";
import { sha, TestRegistry } from "./hostile-registry.js";
import { makeTar, openStage, streamOf } from "./stage.js";

const { pushImage } = await import("../../src/image/push.js");

/** Uploads as distribution-spec has them, with something that happens before each answer. */
class Uploads {
  readonly blobs = new Map<string, Buffer>();
  received = Buffer.alloc(0);
  patches: string[] = [];
  before: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  /** @returns whether it was one of these */
  async answer(request: IncomingMessage, response: ServerResponse, host: string): Promise<boolean> {
    const url = new URL(request.url!, `http://${host}`);
    if (this.before(request, response)) return true;
    if (request.method === "HEAD") return response.writeHead(this.blobs.has(url.pathname.split("/").at(-1)!) ? 200 : 404).end(), true;
    if (request.method === "POST") return (this.received = Buffer.alloc(0)), response.writeHead(202, { location: "/up?state=a" }).end(), true;
    if (request.method === "GET" && url.pathname === "/up") return response.writeHead(204, { location: "/up?state=b", range: `0-${this.received.length - 1}` }).end(), true;
    if (request.method === "PATCH") return await this.#patch(request, response), true;
    if (request.method !== "PUT" || url.pathname !== "/up") return request.resume(), response.writeHead(201).end(), true;
    const digest = url.searchParams.get("digest")!;
    const good = sha(this.received) === digest && url.searchParams.get("state") !== null;
    if (good) this.blobs.set(digest, this.received);
    response.writeHead(good ? 201 : 400).end();
    return true;
  }

  async #patch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const range = request.headers["content-range"]!;
    this.patches.push(range);
    if (Number(range.split("-")[0]) !== this.received.length) return void response.writeHead(416).end();
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        this.received = Buffer.concat([this.received, chunk]);
        if (this.patches.length === 1 && this.received.length > 1_000_000) return void request.destroy();
      }
      response.writeHead(202, { location: "/up?state=c" }).end();
    } catch {
      // cut by the other side
    }
  }
}

async function setUp(t: TestContext): Promise<{ registry: TestRegistry; uploads: Uploads; push: () => ReturnType<typeof pushImage>; layer: () => Promise<string> }> {
  const registry = await new TestRegistry().start(t);
  const uploads = new Uploads();
  registry.trick = async (request, response) => request.url !== "/v2/" && (await uploads.answer(request, response, registry.host));
  const { store } = await openStage(t);
  const name = parseReference(`${registry.host}/a/b:1`);
  await importImage(store, streamOf(makeTar([{ name: "f", data: randomBytes(3 << 20) }])), { name });
  return { registry, uploads, push: () => pushImage(store, name), layer: async () => (await findImage(store, `${registry.host}/a/b:1`)).image.layers[0]!.digest };
}

test("an upload that is cut goes on behind what the registry has of it", async (t) => {
  const { uploads, push, layer } = await setUp(t);
  await push();
  assert.equal(uploads.blobs.size, 2);
  assert.ok(uploads.blobs.has(await layer()));
  const [first, second] = uploads.patches;
  assert.match(first!, /^0-/);
  assert.ok(Number(second!.split("-")[0]) > 1_000_000, second);
});

test("401 in the middle of an upload is answered with a fresh token, and 503 with patience", async (t) => {
  const { registry, uploads, push, layer } = await setUp(t);
  let issued = 0;
  let busy = 0;
  uploads.patches.push("none"); // no cut
  uploads.before = (request, response) => {
    if (request.url!.startsWith("/token")) return response.end(JSON.stringify({ access_token: `t${++issued}` })), true;
    const wanted = request.method === "PATCH" ? 2 : 1;
    if (issued < wanted || request.headers.authorization !== `Bearer t${issued}`) return request.resume(), response.writeHead(401, { "www-authenticate": `Bearer realm="http://${registry.host}/token",service="s"` }).end(), true;
    if (request.method === "POST" && busy++ === 0) return response.writeHead(503, { "retry-after": "0" }).end(), true;
    return false;
  };
  await push();
  assert.ok(uploads.blobs.has(await layer()));
  assert.ok(registry.requests.some(({ line }) => line.includes("scope=repository%3Aa%2Fb%3Apull%2Cpush")));
});

test("a registry that sends uploads elsewhere gets no password there, and what it refuses is told in its words", async (t) => {
  const { uploads, push } = await setUp(t);
  const other = await new TestRegistry().start(t);
  other.trick = (request, response) => (request.resume(), response.writeHead(request.method === "PUT" ? 201 : 202, { location: `http://${other.host}/up` }).end(), true);
  uploads.before = (request, response) => {
    if (request.headers.authorization === undefined && request.method !== "GET") return request.resume(), response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end(), true;
    return request.method === "POST" && (response.writeHead(202, { location: `http://${other.host}/up` }).end(), true);
  };
  process.env["DOCKER_CONFIG"] = "/nonexistent";
  await assert.rejects(push(), { code: "BRIG_REGISTRY_UNAUTHORIZED", message: /^push access denied for / });
  uploads.before = (request, response) => request.method === "POST" && (response.writeHead(202, { location: `http://${other.host}/up` }).end(), true);
  await push();
  assert.ok(other.requests.length > 0 && other.requests.every(({ headers }) => headers.authorization === undefined));
  uploads.before = (request, response) => request.method === "PUT" && (request.resume(), response.writeHead(400).end('{"errors":[{"code":"MANIFEST_INVALID","message":"no thanks"}]}'), true);
  await assert.rejects(push(), { message: /manifest invalid: no thanks/ });
});
