import { request as requestHttp } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Agent as HttpsAgent } from "node:https";
import { isLoopback } from "./registries-conf.js";

/** The proxy for a URL, as curl and docker have it: HTTPS_PROXY or HTTP_PROXY, but for what NO_PROXY names and this host. */
export function findProxy(url: URL, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const text = env[name] || env[name.toUpperCase()];
  if (!text || isLoopback(url.hostname) || isExcepted(url, env["no_proxy"] || env["NO_PROXY"] || "")) return undefined;
  const proxy = text.includes("://") ? text : `http://${text}`;
  return URL.canParse(proxy) ? new URL(proxy) : undefined;
}

/** "*", "host", ".domain", "host:port". */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const own = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  return list.split(/[\s,]+/).filter(Boolean).some((item) => {
    const domain = item.replace(/^\*?\./, "").replace(/:\d+$/, "");
    return item === "*" || item === own || (!/:\d+$/.test(item) && (hostname === domain || hostname.endsWith(`.${domain}`)));
  });
}

/** What a proxy wants to know of who asks. */
export function authorizeProxy({ username, password }: URL): Record<string, string> {
  if (!username) return {};
  return { "proxy-authorization": `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}` };
}

/** HTTPS through a proxy's tunnel (RFC 9110, CONNECT). */
export class TunnelAgent extends HttpsAgent {
  constructor(
    private readonly proxy: URL,
    private readonly target: URL,
    options: ConstructorParameters<typeof HttpsAgent>[0],
  ) {
    super(options);
  }

  override createConnection(options: object, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const done = (error: Error | null, socket?: TLSSocket): void => callback?.(error, socket as Duplex);
    const place = `${this.target.hostname}:${this.target.port || 443}`;
    const request = requestHttp({ host: this.proxy.hostname, port: this.proxy.port || 80, method: "CONNECT", path: place, headers: { host: place, ...authorizeProxy(this.proxy) } });
    request.on("connect", ({ statusCode }, socket: Socket) => {
      if (statusCode !== 200) return done(new Error(`the proxy ${this.proxy.host} answers with status ${statusCode}`));
      done(null, connectTls({ ...this.options, ...options, socket, servername: this.target.hostname }));
    });
    request.on("error", (error) => done(error)).end();
  }
}
