import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { imageError } from "../image-error.js";
import { DOCUMENT_MAX } from "../oci.js";
import { type ImageStore, ingestFolder } from "./open.js";
import { replaceFile } from "./replace-file.js";

/** Where a blob lies. The digest has been checked: nothing in it leads elsewhere. */
export function blobPath(store: ImageStore, digest: string): string {
  const [algorithm = "", hex = ""] = digest.split(":");
  return join(store.folder, "blobs", algorithm, hex);
}

export function hasBlob(store: ImageStore, digest: string): boolean {
  return existsSync(blobPath(store, digest));
}

/** Bytes of a blob, 0 where it is missing. */
export function sizeOfBlob(store: ImageStore, digest: string): number {
  return statSync(blobPath(store, digest), { throwIfNoEntry: false })?.size ?? 0;
}

/** A manifest, index or config, checked against its digest. @throws BrigError BRIG_BAD_IMAGE */
export function readDocument(store: ImageStore, digest: string): Buffer {
  const path = blobPath(store, digest);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw imageError("BRIG_BAD_IMAGE", `the store lacks ${digest}`, "pull or load the image again");
  if (size > DOCUMENT_MAX) throw imageError("BRIG_BAD_IMAGE", `${digest} is ${size} bytes, too large for a manifest or config`);
  const bytes = readFileSync(path);
  if (hashBytes(bytes, digest) !== digest) throw imageError("BRIG_BAD_IMAGE", `the blob ${path} is not what its name says`, "remove it, and pull or load the image again");
  return bytes;
}

/** The digest of bytes, with the algorithm of another digest. */
export function hashBytes(bytes: Uint8Array | string, like = "sha256:"): string {
  const algorithm = like.slice(0, like.indexOf(":"));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Adds a small blob; returns its digest. */
export function writeDocument(store: ImageStore, bytes: Uint8Array | string, digest = hashBytes(bytes)): string {
  const path = blobPath(store, digest);
  if (!existsSync(path)) replaceFile(path, bytes, 0o644, ingestFolder(store));
  return digest;
}
