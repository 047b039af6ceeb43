import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { lockFile } from "../../launch/file-lock.js";
import { explainFileError } from "../image-error.js";
import { type Descriptor, type ImageIndex, parseIndex } from "../oci.js";
import { formatReference, type Reference, tryParseReference, withDefaultTag } from "../reference.js";
import { type ImageStore, indexFile, indexLock, ingestFolder } from "./open.js";
import { replaceFile } from "./replace-file.js";

/** Under which an entry's name stands, in skopeo's layouts too (image-spec, annotations.md). */
export const NAME = "org.opencontainers.image.ref.name";
/** The digests under which registries know it, as JSON: ["docker.io/library/busybox@sha256:…"]. */
export const REPO_DIGESTS = "dev.brig.repo-digests";

const PATIENCE_MS = 500;

/** The store's index. Skopeo writes it in place: one that is cut is read again. @throws BrigError BRIG_BAD_IMAGE */
export async function readIndex(store: ImageStore): Promise<ImageIndex> {
  for (let waited = 0; ; waited += 20) {
    const bytes = readIndexBytes(store);
    try {
      return parseIndex(bytes, indexFile(store));
    } catch (error) {
      if (waited >= PATIENCE_MS) throw error;
      await sleep(20);
    }
  }
}

function readIndexBytes(store: ImageStore): Buffer {
  try {
    return readFileSync(indexFile(store));
  } catch (error) {
    throw explainFileError(error, `cannot read ${indexFile(store)}`);
  }
}

/**
 * Changes the index while no other brig does. What `change` returns is the answer; an index that it leaves as it was is
 * not written.
 */
export async function changeIndex<T>(store: ImageStore, change: (index: ImageIndex) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
  return await changeIndexFirst(store, change, (_, result) => result, signal);
}

/** The same, with something to be done when the index is written and before anybody else changes it. */
export async function changeIndexFirst<T, U>(store: ImageStore, change: (index: ImageIndex) => T | Promise<T>, then: (index: ImageIndex, result: T) => U, signal?: AbortSignal): Promise<U> {
  const lock = await lockFile(indexLock(store), { signal });
  try {
    const index = await readIndex(store);
    const before = JSON.stringify(index);
    const result = await change(index);
    const after = JSON.stringify(index);
    if (after !== before) replaceFile(indexFile(store), after, 0o644, ingestFolder(store));
    return then(index, result);
  } catch (error) {
    throw explainFileError(error, `cannot write ${indexFile(store)}`);
  } finally {
    lock.release();
  }
}

/** The name of an entry in full; undefined where it has none, or none that docker could say. */
export function nameOf(entry: Descriptor): Reference | undefined {
  const name = entry.annotations?.[NAME];
  const reference = name === undefined ? undefined : tryParseReference(name);
  return reference && withDefaultTag(reference);
}

export function repoDigestsOf(entry: Descriptor): string[] {
  try {
    const list: unknown = JSON.parse(entry.annotations?.[REPO_DIGESTS] ?? "[]");
    return Array.isArray(list) ? list.filter((text): text is string => typeof text === "string" && tryParseReference(text) !== undefined) : [];
  } catch {
    return [];
  }
}

/** Gives a manifest a name in the index. Who had it before stays without one, as with docker. */
export function putEntry(index: ImageIndex, manifest: Descriptor, reference: Reference | undefined, repoDigests: readonly string[]): void {
  const name = reference && formatReference(reference);
  if (name !== undefined) takeName(index, name, manifest.digest);
  const known = index.manifests.filter(({ digest }) => digest === manifest.digest);
  const digests = [...new Set([...known.flatMap(repoDigestsOf), ...repoDigests])];
  // a nameless entry stands for what has no name, and is of no use beside one with a name
  index.manifests = index.manifests.filter((entry) => entry.digest !== manifest.digest || (entry.annotations?.[NAME] !== undefined && nameText(entry) !== name));
  index.manifests.push({ ...manifest, annotations: { ...manifest.annotations, ...(name === undefined ? {} : { [NAME]: name }) } });
  for (const entry of index.manifests) if (entry.digest === manifest.digest) setRepoDigests(entry, digests);
}

/** Takes a name from all entries but those of one manifest. The last name of another manifest leaves it nameless. */
function takeName(index: ImageIndex, name: string, digest: string): void {
  for (const entry of index.manifests.filter((each) => nameText(each) === name && each.digest !== digest)) dropName(index, entry);
}

/** Takes an entry's name away; the entry goes with it when its manifest has another name. */
export function dropName(index: ImageIndex, entry: Descriptor): void {
  const others = index.manifests.some((each) => each !== entry && each.digest === entry.digest);
  if (others) index.manifests.splice(index.manifests.indexOf(entry), 1);
  else if (entry.annotations) delete entry.annotations[NAME];
}

export function setRepoDigests(entry: Descriptor, digests: readonly string[]): void {
  entry.annotations = { ...entry.annotations };
  if (digests.length > 0) entry.annotations[REPO_DIGESTS] = JSON.stringify(digests);
  else delete entry.annotations[REPO_DIGESTS];
}

export function nameText(entry: Descriptor): string | undefined {
  const name = nameOf(entry);
  return name && formatReference(name);
}
