import { imageError } from "./image-error.js";

/** A name of an image as Docker normalises it: docker.io/library/busybox:latest. */
export interface Reference {
  /** Registry: "docker.io", "localhost:5000". */
  domain: string;
  /** Repository in it: "library/busybox". */
  path: string;
  tag?: string;
  /** "sha256:…". */
  digest?: string;
}

const DEFAULT_DOMAIN = "docker.io";
const LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${PART}(?:/${PART})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST_SIZES: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };
const NAME_MAX = 255;

/**
 * Reads a name as docker's command does (distribution/reference, ParseNormalizedNamed): without a registry it is Docker
 * Hub's, without a folder there it is in library/. No tag is added: see `withDefaultTag`.
 *
 * @throws BrigError BRIG_BAD_REFERENCE
 */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) throw refuse(text, "invalid repository name, cannot specify 64-byte hexadecimal strings");
  const { name, tag, digest } = splitReference(text);
  const { domain, path } = splitDomain(name);
  if (path !== path.toLowerCase()) throw refuse(text, `repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !PATH.test(path)) throw refuse(text);
  if (path.length > NAME_MAX) throw refuse(text, `repository name must not be more than ${NAME_MAX} characters`);
  if (tag !== undefined && !TAG.test(tag)) throw refuse(text);
  if (digest !== undefined && !isDigest(digest)) throw refuse(text, "unsupported digest");
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The same, or undefined for what is no name. */
export function tryParseReference(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function splitReference(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(":");
  if (colon < 0 || rest.slice(colon).includes("/")) return { name: rest, tag: undefined, digest };
  return { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const domain = isDomain ? (first === "index.docker.io" ? DEFAULT_DOMAIN : first) : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  return { domain, path: domain === DEFAULT_DOMAIN && !path.includes("/") ? `library/${path}` : path };
}

/** "sha256:" and 64 lower-case hex digits, or another algorithm's that OCI registers. */
export function isDigest(text: string): boolean {
  const [algorithm = "", hex = ""] = text.split(":", 2);
  return text === `${algorithm}:${hex}` && Object.hasOwn(DIGEST_SIZES, algorithm) && hex.length === DIGEST_SIZES[algorithm] && /^[a-f0-9]+$/.test(hex);
}

/** With ":latest" where neither a tag nor a digest is said. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** In full: "docker.io/library/busybox:latest". */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** As people say it: "busybox:latest". */
export function formatFamiliar(reference: Reference): string {
  const { tag, digest } = reference;
  return `${formatRepository(reference)}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The repository as people say it: "busybox", "localhost:5000/busybox". */
export function formatRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const short = /^library\/([^/]+)$/.exec(path)?.[1] ?? path;
  const read = splitDomain(short);
  return read.domain === domain && read.path === path ? short : `${domain}/${path}`;
}

function refuse(text: string, why?: string): Error {
  return imageError("BRIG_BAD_REFERENCE", `invalid reference format${why ? `: ${why}` : ""}: ${JSON.stringify(text)}`, "[REGISTRY[:PORT]/]NAME[:TAG][@sha256:DIGEST], in lower case but for the tag");
}
