import { BrigError } from "../error/brig-error.js";
import { imageError } from "./image-error.js";
import { publishImage } from "./commit.js";
import { unpackLayer } from "./layers/unpack-layer.js";
import { type Descriptor, type ImageConfig, INDEX_TYPES, type Manifest, MANIFEST_TYPES, parseConfig, parseIndex, parseManifest, type Platform, DOCUMENT_MAX } from "./oci.js";
import { formatPlatform, hostPlatform, matchesPlatform, selectPlatform } from "./platform.js";
import { forEachAtOnce, type OnProgress, shortId } from "./progress.js";
import { formatReference, formatRepository, type Reference, withDefaultTag } from "./reference.js";
import { findCredentials } from "./registry/credentials.js";
import { fetchBlob } from "./registry/fetch-blob.js";
import { type FetchedManifest, fetchManifest } from "./registry/fetch-manifest.js";
import { type RegistriesConf, readRegistriesConf } from "./registry/registries-conf.js";
import { RegistrySession } from "./registry/session.js";
import { pairLayers } from "./resolve.js";
import { hasBlob, readDocument } from "./store/blobs.js";
import { nameText, readIndex } from "./store/index-file.js";
import type { ImageStore } from "./store/open.js";

export interface PullOptions {
  platform?: Platform | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Layers are only kept packed; they are unpacked when somebody resolves the image. */
  packed?: boolean;
  registries?: RegistriesConf;
}

export interface PulledImage {
  id: string;
  /** Of the manifest, or of the index that it was found in. */
  digest: string;
  name: Reference;
  /** The store had not the same under this name before. */
  isNew: boolean;
}

const LAYERS_AT_ONCE = 3;
const TRIES = 3;

/**
 * Gets an image from its registry, or a mirror of it, into the store, and unpacks it. Interrupted at any moment, the
 * store is as it was but for blobs that the next pull goes on with.
 *
 * @throws BrigError BRIG_NO_SUCH_MANIFEST, BRIG_NO_PLATFORM, BRIG_DIGEST_MISMATCH, BRIG_REGISTRY_…, BRIG_BAD_LAYER, …
 */
export async function pullImage(store: ImageStore, reference: Reference, options: PullOptions = {}): Promise<PulledImage> {
  const name = withDefaultTag(reference);
  options.onProgress?.({ kind: "line", text: `${name.digest ?? name.tag}: Pulling from ${name.path}` });
  const endpoints = (options.registries ?? readRegistriesConf()).findEndpoints(name.domain, name.path);
  let first: unknown;
  for (const [at, endpoint] of endpoints.entries()) {
    const credentials = findCredentials(at === endpoints.length - 1 ? name.domain : endpoint.host);
    const session = new RegistrySession(endpoint, credentials, [`repository:${endpoint.path}:pull`], options.signal);
    try {
      return await pullFrom(store, session, name, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      first = at === endpoints.length - 1 ? error : first;
      if (at === endpoints.length - 1 || !isEndpointsFault(error)) throw explainPull(error, name);
    }
  }
  throw explainPull(first, name);
}

/** What another endpoint may do better; a full disk or a hostile layer is the same everywhere. */
function isEndpointsFault(error: unknown): boolean {
  return error instanceof BrigError && /^BRIG_(REGISTRY|DIGEST)/.test(error.code);
}

async function pullFrom(store: ImageStore, session: RegistrySession, name: Reference, options: PullOptions): Promise<PulledImage> {
  const { path } = session.endpoint;
  const top = await fetchManifest(session, path, name.digest ?? name.tag!);
  const { descriptor, bytes } = await selectManifest(session, top, name, options);
  const manifest = parseManifest(bytes, `the manifest ${descriptor.digest}`);
  const before = (await readIndex(store)).manifests.find((entry) => nameText(entry) === formatReference(name));
  for (let tries = 1; ; tries++) {
    try {
      const { config, configBytes } = await fetchContent(store, session, manifest, options);
      const { architecture, os, variant } = config;
      const full: Descriptor = { ...descriptor, platform: { architecture, os, ...(variant ? { variant } : {}) } };
      checkPlatform(full.platform!, options, name);
      const repoDigest = `${name.domain}/${name.path}@${top.digest}`;
      const kept = name.digest === undefined ? name : { domain: name.domain, path: name.path, digest: name.digest };
      await publishImage(store, full, manifest, [kept], [repoDigest], [[manifest.config.digest, configBytes], [descriptor.digest, bytes]]);
      return { id: manifest.config.digest, digest: top.digest, name, isNew: before?.digest !== descriptor.digest };
    } catch (error) {
      if (!(error instanceof BrigError) || error.code !== "BRIG_BLOB_GONE" || tries === TRIES) throw error;
    }
  }
}

/** The manifest itself, or the one for the platform in an index; indexes in indexes are nothing that anybody makes. */
async function selectManifest(session: RegistrySession, top: FetchedManifest, name: Reference, options: PullOptions): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
  if (MANIFEST_TYPES.includes(top.mediaType)) return { descriptor: { mediaType: top.mediaType, digest: top.digest, size: top.bytes.length }, bytes: top.bytes };
  if (!INDEX_TYPES.includes(top.mediaType)) throw imageError("BRIG_BAD_IMAGE", `${formatReference(name)} is a ${top.mediaType}, and no image`);
  const { manifests } = parseIndex(top.bytes, `the index ${top.digest}`);
  const chosen = selectPlatform(manifests, options.platform ?? hostPlatform(), formatRepository(name));
  const inner = await fetchManifest(session, session.endpoint.path, chosen.digest);
  if (inner.bytes.length !== chosen.size) throw imageError("BRIG_REGISTRY_LIES", `the manifest ${chosen.digest} is ${inner.bytes.length} bytes, and its index promises ${chosen.size}`);
  return { descriptor: { mediaType: inner.mediaType, digest: inner.digest, size: inner.bytes.length }, bytes: inner.bytes };
}

/** The config first: it says what the layers unpack to. */
async function fetchContent(store: ImageStore, session: RegistrySession, manifest: Manifest, options: PullOptions): Promise<{ config: ImageConfig; configBytes: Buffer }> {
  const { signal, onProgress } = options;
  if (manifest.config.size > DOCUMENT_MAX) throw imageError("BRIG_BAD_IMAGE", `the config ${manifest.config.digest} would be ${manifest.config.size} bytes`);
  await fetchBlob(store, session, session.endpoint.path, manifest.config, signal);
  const configBytes = readDocument(store, manifest.config.digest);
  const config = parseConfig(configBytes, `the config ${manifest.config.digest}`);
  const pairs = pairLayers({ id: manifest.config.digest, config, layers: manifest.layers });
  const fresh = pairs.filter(({ layer }) => !hasBlob(store, layer.digest));
  for (const { layer } of pairs) onProgress?.({ kind: "layer", id: shortId(layer.digest), status: fresh.some((each) => each.layer === layer) ? "Pulling fs layer" : "Already exists" });
  await forEachAtOnce(pairs, LAYERS_AT_ONCE, signal, async ({ layer, diffId }, both) => {
    await fetchLayer(store, session, layer, diffId, { ...options, signal: both });
  });
  return { config, configBytes };
}

async function fetchLayer(store: ImageStore, session: RegistrySession, layer: Descriptor, diffId: string, { signal, onProgress, packed }: PullOptions): Promise<void> {
  const id = shortId(layer.digest);
  const tell = (status: string) => (current: number, total: number) => onProgress?.({ kind: "layer", id, status, current, total });
  const was = hasBlob(store, layer.digest);
  await fetchBlob(store, session, session.endpoint.path, layer, signal, tell("Downloading"));
  if (!was) onProgress?.({ kind: "layer", id, status: "Download complete" });
  if (!packed) await unpackLayer(store, layer.digest, diffId, { signal, onProgress: was ? undefined : tell("Extracting") });
  if (!was) onProgress?.({ kind: "layer", id, status: "Pull complete" });
}

function checkPlatform(has: Platform, { platform }: PullOptions, name: Reference): void {
  if (!platform || matchesPlatform(has, platform)) return;
  throw imageError("BRIG_NO_PLATFORM", `image with reference ${formatReference(name)} was found but does not provide the specified platform (${formatPlatform(platform)})`, `it is for ${formatPlatform(has)}`);
}

/** In docker's words, where it has some. */
function explainPull(error: unknown, name: Reference): unknown {
  if (!(error instanceof BrigError)) return error;
  const repository = formatRepository(name);
  const said = `${repository}${name.digest === undefined ? `:${name.tag}` : `@${name.digest}`}`;
  if (error.code === "BRIG_REGISTRY_NOT_FOUND") return imageError("BRIG_NO_SUCH_MANIFEST", `manifest for ${said} not found: ${error.message}`, "is the name right? brig search looks for others", error);
  if (error.code === "BRIG_REGISTRY_UNAUTHORIZED" || error.code === "BRIG_REGISTRY_DENIED")
    return imageError(error.code, `pull access denied for ${repository}, repository does not exist or may require 'brig login': ${error.message}`, error.hint, error);
  return error;
}
