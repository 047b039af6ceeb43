import { BrigError } from "../error/brig-error.js";
import { imageError } from "./image-error.js";
import { type Descriptor, parseManifest } from "./oci.js";
import { forEachAtOnce, type OnProgress, shortId } from "./progress.js";
import { formatReference, formatRepository, parseReference, type Reference, withDefaultTag } from "./reference.js";
import { findCredentials } from "./registry/credentials.js";
import { pushBlob } from "./registry/push-blob.js";
import { type RegistriesConf, readRegistriesConf } from "./registry/registries-conf.js";
import { RegistrySession } from "./registry/session.js";
import { readDocument } from "./store/blobs.js";
import { searchImage } from "./store/find.js";
import { changeIndex, repoDigestsOf, setRepoDigests } from "./store/index-file.js";
import type { ImageStore } from "./store/open.js";
import { listImages, type StoredImage } from "./store/stored-image.js";

export interface PushOptions {
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  registries?: RegistriesConf;
}

export interface PushedImage {
  digest: string;
  /** Of the manifest. */
  size: number;
}

const LAYERS_AT_ONCE = 3;

/** Sends an image of the store, which has this name, to the registry of the name. @throws BrigError BRIG_NO_IMAGE, BRIG_REGISTRY_… */
export async function pushImage(store: ImageStore, reference: Reference, options: PushOptions = {}): Promise<PushedImage> {
  const name = withDefaultTag(reference);
  const { onProgress, signal } = options;
  onProgress?.({ kind: "line", text: `The push refers to repository [${name.domain}/${name.path}]` });
  const images = await listImages(store);
  const found = searchImage(images, formatReference(name));
  if (!found?.name) throw imageError("BRIG_NO_IMAGE", `An image does not exist locally with the tag: ${formatRepository(name)}`, `brig tag IMAGE ${formatRepository(name)} gives one that name`);
  const endpoint = (options.registries ?? readRegistriesConf()).findEndpoints(name.domain, name.path).at(-1)!;
  const session = new RegistrySession(endpoint, findCredentials(name.domain), [`repository:${endpoint.path}:pull,push`], signal);
  try {
    return await pushTo(store, session, found.image, name, images, options);
  } catch (error) {
    throw explainPush(error, name);
  }
}

async function pushTo(store: ImageStore, session: RegistrySession, image: StoredImage, name: Reference, images: readonly StoredImage[], { onProgress, signal }: PushOptions): Promise<PushedImage> {
  const bytes = readDocument(store, image.manifest.digest);
  const manifest = parseManifest(bytes, `the manifest ${image.manifest.digest}`);
  const { path } = session.endpoint;
  const layers = manifest.layers.filter(({ digest }, at) => manifest.layers.findIndex((other) => other.digest === digest) === at);
  for (const { digest } of layers) onProgress?.({ kind: "layer", id: shortId(digest), status: "Preparing" });
  await forEachAtOnce(layers, LAYERS_AT_ONCE, signal, (layer) => pushLayer(store, session, layer, findLenders(images, name, layer), onProgress));
  await pushBlob(store, session, path, manifest.config, findLenders(images, name, manifest.config));
  const answer = await session.send({ method: "PUT", path: `${path}/manifests/${name.tag ?? image.manifest.digest}`, headers: { "content-type": manifest.mediaType ?? image.manifest.mediaType }, body: bytes });
  if (answer.status !== 201) throw await session.explain(answer);
  answer.body.resume();
  await rememberDigest(store, image, `${name.domain}/${name.path}@${image.manifest.digest}`);
  return { digest: image.manifest.digest, size: bytes.length };
}

async function pushLayer(store: ImageStore, session: RegistrySession, layer: Descriptor, lenders: string[], onProgress: OnProgress | undefined): Promise<void> {
  const id = shortId(layer.digest);
  const how = await pushBlob(store, session, session.endpoint.path, layer, lenders, (current, total) => onProgress?.({ kind: "layer", id, status: "Pushing", current, total }));
  const said = { exists: "Layer already exists", mounted: `Mounted from ${lenders[0]?.replace(/^library\//, "")}`, pushed: "Pushed" };
  onProgress?.({ kind: "layer", id, status: said[how] });
}

/** Repositories of the same registry from which an image with this blob has come, or to which it has gone. */
function findLenders(images: readonly StoredImage[], name: Reference, blob: Descriptor): string[] {
  const having = images.filter(({ layers, id }) => id === blob.digest || layers.some(({ digest }) => digest === blob.digest));
  const known = having.flatMap(({ repoDigests }) => repoDigests.map((text) => parseReference(text)));
  return [...new Set(known.filter(({ domain, path }) => domain === name.domain && path !== name.path).map(({ path }) => path))];
}

async function rememberDigest(store: ImageStore, image: StoredImage, repoDigest: string): Promise<void> {
  await changeIndex(store, ({ manifests }) => {
    for (const entry of manifests.filter(({ digest }) => digest === image.manifest.digest)) setRepoDigests(entry, [...new Set([...repoDigestsOf(entry), repoDigest])]);
  });
}

function explainPush(error: unknown, name: Reference): unknown {
  if (!(error instanceof BrigError)) return error;
  if (error.code !== "BRIG_REGISTRY_UNAUTHORIZED" && error.code !== "BRIG_REGISTRY_DENIED") return error;
  return imageError(error.code, `push access denied for ${formatRepository(name)}: ${error.message}`, error.hint, error);
}
