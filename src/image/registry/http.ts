import { type ClientRequest, Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Readable } from "node:stream";
import { imageError } from "../image-error.js";
import { authorizeProxy, findProxy, TunnelAgent } from "./proxy.js";
import { readTlsFiles } from "./tls-files.js";

export interface HttpWish {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  url: URL;
  headers?: Record<string, string>;
  /** A function, since it is called again when the request is repeated. */
  body?: Buffer | (() => Readable);
  signal?: AbortSignal | undefined;
  /** The certificate need not be vouched for. */
  insecure?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where it came from, behind redirections. */
  url: URL;
  body: IncomingMessage;
}

/** Milliseconds without a byte after which a server counts as stalled. */
export const STALL_MS = Number(process.env["BRIG_REGISTRY_STALL_MS"]) || 60_000;
const REDIRECTS_MAX = 10;
const REDIRECTS = [301, 302, 303, 307, 308];
const SECRET_HEADERS = ["authorization", "cookie"];

const plainAgent = new HttpAgent({ keepAlive: true });
const agents = new Map<string, HttpsAgent>();

function findAgent(url: URL, insecure: boolean): HttpAgent | HttpsAgent {
  if (url.protocol === "http:") return plainAgent;
  const key = `${url.host} ${insecure}`;
  const known = agents.get(key);
  if (known) return known;
  const options = { keepAlive: true, rejectUnauthorized: !insecure, ...readTlsFiles(url.host) };
  const proxy = findProxy(url);
  const made = proxy ? new TunnelAgent(proxy, url, options) : new HttpsAgent(options);
  agents.set(key, made);
  return made;
}

/**
 * One request, whatever its status. Redirections of GET and HEAD are followed; what authorises goes to nobody but the
 * origin that it was meant for, and nothing goes from HTTPS to plain HTTP.
 *
 * @throws BrigError BRIG_REGISTRY_UNREACHABLE, BRIG_REGISTRY_REDIRECT; the signal's reason
 */
export async function sendRequest(wish: HttpWish): Promise<HttpAnswer> {
  let { url, headers = {} } = wish;
  for (let hops = 0; ; hops++) {
    const body = await sendOnce({ ...wish, url, headers });
    const status = body.statusCode ?? 0;
    const follows = REDIRECTS.includes(status) && body.headers.location !== undefined && (wish.method === "GET" || wish.method === "HEAD");
    if (!follows) return { status, headers: body.headers, url, body };
    body.resume();
    const next = resolveLocation(body.headers.location!, url);
    if (hops === REDIRECTS_MAX) throw imageError("BRIG_REGISTRY_REDIRECT", `${wish.url.host} sends from one place to the next without an end`);
    if (next.origin !== url.origin) headers = withoutSecrets(headers);
    url = next;
  }
}

/** @throws BrigError BRIG_REGISTRY_REDIRECT */
export function resolveLocation(location: string, base: URL): URL {
  if (!URL.canParse(location, base.href)) throw imageError("BRIG_REGISTRY_REDIRECT", `${base.host} sends to ${JSON.stringify(location)}, which is no URL`);
  const next = new URL(location, base);
  const isWeb = next.protocol === "https:" || next.protocol === "http:";
  if (!isWeb || (base.protocol === "https:" && next.protocol === "http:"))
    throw imageError("BRIG_REGISTRY_REDIRECT", `${base.host} sends to ${next.protocol}//${next.host}, which is less safe than where it came from`);
  next.username = next.password = "";
  return next;
}

/** Where a list goes on (RFC 8288, rel="next"). */
export function findNextPage({ headers, url }: HttpAnswer): URL | undefined {
  const link = /<([^>]+)>;\s*rel="?next"?/.exec(String(headers["link"] ?? ""))?.[1];
  return link === undefined ? undefined : resolveLocation(link, url);
}

export function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !SECRET_HEADERS.includes(name.toLowerCase())));
}

function sendOnce({ method, url, headers, body, signal, insecure = false }: HttpWish): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const proxy = url.protocol === "http:" ? findProxy(url) : undefined; // which gets the whole URL
    const way = proxy ? { hostname: proxy.hostname, port: proxy.port || 80, path: url.href } : {};
    const send = url.protocol === "http:" ? requestHttp : requestHttps;
    const length = Buffer.isBuffer(body) ? { "content-length": String(body.length) } : {};
    const request: ClientRequest = send(url, { method, agent: findAgent(url, insecure), ...way, headers: { "user-agent": "brig", ...(proxy ? { host: url.host, ...authorizeProxy(proxy) } : {}), ...length, ...headers }, ...(signal ? { signal } : {}) });
    request.setTimeout(STALL_MS, () => request.destroy(Object.assign(new Error(`no answer for ${STALL_MS / 1000} seconds`), { code: "ETIMEDOUT" })));
    request.on("response", resolve);
    request.on("error", (error) => reject(signal?.aborted ? (signal.reason as Error) : unreachable(url, error)));
    if (typeof body === "function") {
      const source = body();
      source.on("error", (error) => request.destroy(error)).pipe(request);
    } else request.end(body);
  });
}

export function unreachable(url: URL, cause: Error): Error {
  const { code } = cause as NodeJS.ErrnoException;
  const certificate = code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code);
  const hint = certificate ? `put the certificate authority's file into /etc/docker/certs.d/${url.host}/ca.crt` : "is the name right, and the network there?";
  return imageError("BRIG_REGISTRY_UNREACHABLE", `cannot reach ${url.protocol}//${url.host}: ${cause.message}`, hint, cause);
}

/** The whole body, of which there must not be more than `most` bytes. @throws BrigError BRIG_REGISTRY_LIES */
export async function readBody({ body, url }: HttpAnswer, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw imageError("BRIG_REGISTRY_LIES", `${url.host} sends more than the ${most} bytes that ${url.pathname} may have`);
      chunks.push(chunk);
    }
  } catch (error) {
    body.destroy();
    throw error instanceof Error && error.name === "BrigError" ? error : unreachable(url, error as Error);
  }
  return Buffer.concat(chunks);
}
