import { imageError } from "../image-error.js";
import { DOCUMENT_MAX, findMediaType, INDEX_TYPES, MANIFEST_TYPES } from "../oci.js";
import { isDigest } from "../reference.js";
import { hashBytes } from "../store/blobs.js";
import { readBody } from "./http.js";
import type { RegistrySession } from "./session.js";

export interface FetchedManifest {
  bytes: Buffer;
  digest: string;
  mediaType: string;
}

/**
 * A manifest or index by tag or digest. Asked for by digest, it is that one; by tag, it is what the registry says that
 * it is.
 *
 * @throws BrigError BRIG_NO_SUCH_MANIFEST, BRIG_DIGEST_MISMATCH, BRIG_REGISTRY_…
 */
export async function fetchManifest(session: RegistrySession, path: string, reference: string): Promise<FetchedManifest> {
  const accept = [...INDEX_TYPES, ...MANIFEST_TYPES].join(", ");
  const answer = await session.send({ method: "GET", path: `${path}/manifests/${reference}`, headers: { accept } });
  if (answer.status !== 200) throw await session.explain(answer);
  const bytes = await readBody(answer, DOCUMENT_MAX);
  const said = isDigest(reference) ? reference : answer.headers["docker-content-digest"];
  const promised = typeof said === "string" && isDigest(said) ? said : undefined;
  const digest = hashBytes(bytes, promised);
  if (promised !== undefined && digest !== promised) throw imageError("BRIG_DIGEST_MISMATCH", `${answer.url.host} sends a manifest that is ${digest} for ${promised}`, "the registry, or somebody on the way, is not to be trusted");
  return { bytes, digest, mediaType: findMediaType(bytes, answer.headers["content-type"]?.split(";", 1)[0]?.trim(), `the manifest ${digest}`) };
}
