import { imageError } from "../image-error.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import type { Credentials } from "./credentials.js";
import { type HttpAnswer, type HttpWish, readBody, resolveLocation, sendRequest, unreachable, withoutSecrets } from "./http.js";
import type { Endpoint } from "./registries-conf.js";
import { isPassingStatus, PassingFailure, readRetryAfter, retryPassing } from "./retry.js";

const TOKEN_MAX = 1 << 20;
const ERROR_MAX = 64 << 10;
const TLS_FAILURES = /EPROTO|ERR_SSL|WRONG_VERSION|ECONNRESET|ECONNREFUSED/;

type Wish = Omit<HttpWish, "url"> & { path: string | URL };

/**
 * Requests to one registry for one repository: finds out whether it speaks TLS, proves who asks when it wants to know,
 * and asks again when that proof has run out.
 */
export class RegistrySession {
  #base: Promise<URL> | undefined;
  #authorization: string | undefined;

  /** @param scope what a token is wanted for: "repository:library/busybox:pull" */
  constructor(
    readonly endpoint: Endpoint,
    private readonly credentials: Credentials | undefined,
    private readonly scopes: string[],
    private readonly signal?: AbortSignal,
  ) {}

  /**
   * One request, repeated while what goes wrong passes. `path` is below /v2/, or a URL that the registry has given.
   *
   * @throws BrigError
   */
  async send(wish: Wish): Promise<HttpAnswer> {
    return await retryPassing(async () => {
      const answer = await this.sendOnce(wish);
      if (!isPassingStatus(answer.status)) return answer;
      throw new PassingFailure(await this.explain(answer), readRetryAfter(answer));
    }, this.signal);
  }

  /** The same without another try but the one with a fresh proof. */
  async sendOnce(wish: Wish): Promise<HttpAnswer> {
    const base = await this.findBase();
    for (let tries = 0; ; tries++) {
      const url = typeof wish.path === "string" ? new URL(wish.path, base) : wish.path;
      const mine = url.origin === base.origin;
      const headers = { ...wish.headers, ...(mine && this.#authorization ? { authorization: this.#authorization } : {}) };
      const answer = await sendRequest({ ...wish, url, headers, signal: this.signal, insecure: this.endpoint.insecure });
      if (answer.status !== 401 || !mine || tries === 2 || answer.url.origin !== base.origin) return answer;
      const challenges = parseChallenges(answer.headers["www-authenticate"] ?? "");
      const authorization = await this.authorize(challenges, base);
      if (authorization === undefined || (tries > 0 && authorization === this.#authorization)) return answer;
      answer.body.resume();
      this.#authorization = authorization;
    }
  }

  /** "https://HOST/v2/", or plain HTTP where that is allowed and nothing else spoken. */
  findBase(): Promise<URL> {
    this.#base ??= this.probe();
    this.#base.catch(() => (this.#base = undefined));
    return this.#base;
  }

  private async probe(): Promise<URL> {
    const { host, insecure } = this.endpoint;
    const safe = new URL(`https://${host}/v2/`);
    try {
      await this.ping(safe);
      return safe;
    } catch (error) {
      const { code = "" } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      if (!insecure || !TLS_FAILURES.test(code)) throw error;
    }
    const plain = new URL(`http://${host}/v2/`);
    await this.ping(plain);
    return plain;
  }

  private async ping(url: URL): Promise<void> {
    const answer = await retryPassing(() => sendRequest({ method: "GET", url, signal: this.signal, insecure: this.endpoint.insecure }), this.signal);
    answer.body.resume();
    if (answer.status === 401 && url.origin === answer.url.origin) {
      this.#authorization = await this.authorize(parseChallenges(answer.headers["www-authenticate"] ?? ""), url);
    }
  }

  private async authorize(challenges: Challenge[], base: URL): Promise<string | undefined> {
    const { credentials } = this;
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) return credentials?.registryToken ? `Bearer ${credentials.registryToken}` : `Bearer ${await this.fetchToken(bearer, base)}`;
    if (!challenges.some(({ scheme }) => scheme === "basic") || !credentials?.username) return undefined;
    return basic(credentials);
  }

  private async fetchToken({ parameters }: Challenge, base: URL): Promise<string> {
    const realm = resolveLocation(parameters["realm"] ?? "", base);
    const scopes = [...new Set([...this.scopes, ...(parameters["scope"]?.split(" ") ?? [])])].filter(Boolean);
    const { credentials } = this;
    const answer = await retryPassing(async () => {
      const got = await sendRequest({ ...askToken(realm, parameters["service"], scopes, credentials), signal: this.signal, insecure: this.endpoint.insecure });
      if (isPassingStatus(got.status)) throw new PassingFailure(await this.explain(got), readRetryAfter(got));
      return got;
    }, this.signal);
    if (answer.status !== 200) throw await this.explain(answer);
    const { token, access_token } = parseToken(await readBody(answer, TOKEN_MAX));
    const found = token ?? access_token;
    if (typeof found !== "string" || !/^[\x21-\x7e]+$/.test(found)) throw imageError("BRIG_REGISTRY_LIES", `${realm.host} gives no token`);
    return found;
  }

  /** An answer's status and what the registry says of it, as an error. */
  async explain(answer: HttpAnswer): Promise<Error> {
    const said = await readErrors(answer);
    const where = `${answer.url.host}${answer.url.pathname}`;
    const codes: Record<number, string> = { 401: "BRIG_REGISTRY_UNAUTHORIZED", 403: "BRIG_REGISTRY_DENIED", 404: "BRIG_REGISTRY_NOT_FOUND", 429: "BRIG_REGISTRY_TOO_MANY" };
    const hint = answer.status === 401 || answer.status === 403 ? `brig login ${this.endpoint.host}` : undefined;
    return imageError(codes[answer.status] ?? "BRIG_REGISTRY_ERROR", said || `${where} answers with status ${answer.status}`, hint);
  }

  /** A broken connection in the middle of a body. */
  cut(url: URL, cause: Error): Error {
    return unreachable(url, cause);
  }
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** As docker asks (distribution, docs/spec/auth): GET, or with a refresh token POST as OAuth 2 has it. */
function askToken(realm: URL, service: string | undefined, scopes: string[], credentials: Credentials | undefined): HttpWish {
  if (credentials?.identityToken) {
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: credentials.identityToken, client_id: "brig", ...(service ? { service } : {}), scope: scopes.join(" ") });
    return { method: "POST", url: realm, headers: { "content-type": "application/x-www-form-urlencoded" }, body: Buffer.from(form.toString()) };
  }
  const url = new URL(realm);
  if (service) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credentials?.username) url.searchParams.set("account", credentials.username);
  return { method: "GET", url, headers: credentials?.username ? { authorization: basic(credentials) } : withoutSecrets({}) };
}

function parseToken(bytes: Buffer): { token?: unknown; access_token?: unknown } {
  try {
    return (JSON.parse(bytes.toString("utf8")) as { token?: unknown; access_token?: unknown } | null) ?? {};
  } catch {
    return {};
  }
}

/** {"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]} as "manifest unknown: manifest unknown". */
async function readErrors(answer: HttpAnswer): Promise<string> {
  try {
    const { errors = [], details } = JSON.parse((await readBody(answer, ERROR_MAX)).toString("utf8")) as { errors?: { code?: string; message?: string }[]; details?: string };
    const lines = errors.map(({ code = "", message = "" }) => `${code.toLowerCase().replaceAll("_", " ")}: ${message}`);
    // eslint-disable-next-line no-control-regex
    return (lines.join("; ") || String(details ?? "")).replace(/[\u0000-\u001f\u007f]/g, "?").slice(0, 500);
  } catch {
    return "";
  }
}
