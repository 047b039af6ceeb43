import { imageError } from "./image-error.js";
import type { ImageIndex } from "./oci.js";
import { shortId } from "./progress.js";
import { formatFamiliar, formatReference, formatRepository, parseReference, type Reference } from "./reference.js";
import { dropUnreached, type Garbage, removeHidden } from "./store/collect.js";
import { findImage, type FoundImage } from "./store/find.js";
import { changeIndexFirst, nameOf, NAME, repoDigestsOf, setRepoDigests } from "./store/index-file.js";
import type { ImageStore } from "./store/open.js";
import { type Reached, reachFrom } from "./store/reach.js";
import type { StoredImage } from "./store/stored-image.js";
import { listUses } from "./store/uses.js";

export interface RemoveOptions {
  /** Though it has several names or a stopped container uses it. */
  force?: boolean;
  /** Whether a user of images runs; of those nothing is known here but their ids. */
  isRunning?: (user: string) => boolean;
}

/** What `rmi` says: "Untagged: busybox:latest", "Deleted: sha256:…". */
export interface Removed {
  untagged: string[];
  deleted: string[];
  /** Bytes of blobs. */
  bytes: number;
}

/**
 * Takes a name from an image, and removes the image with its last name; by id, all its names. As docker: what several
 * repositories name, or a container uses, wants force.
 *
 * @throws BrigError BRIG_NO_IMAGE, BRIG_IMAGE_IN_USE
 */
export async function removeImage(store: ImageStore, text: string, options: RemoveOptions = {}): Promise<Removed> {
  const found = await findImage(store, text);
  const { removed, garbage } = await changeIndexFirst(
    store,
    (index) => removeFrom(store, index, found, options),
    // only when no name leads to it any more: who is killed in between leaves an orphan, and no name without an image
    (index, { untagged, candidates }) => dropCandidates(store, index, found.image, untagged, candidates),
  );
  await removeHidden(garbage);
  return removed;
}

function dropCandidates(store: ImageStore, index: ImageIndex, image: StoredImage, untagged: string[], candidates: Reached | undefined): { removed: Removed; garbage: Garbage } {
  if (!candidates) return { removed: { untagged, deleted: [], bytes: 0 }, garbage: { blobs: [], layers: [], hidden: [], bytes: 0 } };
  const garbage = dropUnreached(store, candidates, index);
  return { removed: { untagged, deleted: listDeleted(image, garbage, candidates), bytes: garbage.bytes }, garbage };
}

function removeFrom(store: ImageStore, index: ImageIndex, { image, name }: FoundImage, options: RemoveOptions): { untagged: string[]; candidates: Reached | undefined } {
  const entries = index.manifests.filter((entry) => leadsTo(store, entry, image));
  const all = entries.flatMap((entry) => nameOf(entry) ?? []);
  const gone = name ? all.filter((each) => isSame(each, name)) : all;
  if (name?.digest !== undefined && gone.length === 0) return { untagged: [dropDigest(entries, name)], candidates: undefined };
  const rest = all.filter((each) => !gone.includes(each));
  if (!name) checkRepositories(image, all, options);
  const users = listUses(store).filter((use) => use.image === image.id).map(({ user }) => user);
  const isLast = rest.length === 0;
  if (isLast) checkUses(image, name, users, options);
  const untagged = [...gone.map(formatFamiliar), ...dropDigests(entries, gone, rest)];
  const candidates = reachFrom(store, entries);
  const keepsNameless = isLast && users.length > 0 && name !== undefined;
  dropEntries(index, entries, gone, isLast, keepsNameless);
  return { untagged, candidates: isLast && !keepsNameless ? candidates : undefined };
}

/** The manifest itself, or an index that it was found in. */
function leadsTo(store: ImageStore, entry: ImageIndex["manifests"][number], image: StoredImage): boolean {
  return entry.digest === image.manifest.digest || reachFrom(store, [entry]).blobs.has(image.id);
}

function isSame(has: Reference, asked: Reference): boolean {
  if (asked.digest !== undefined) return has.domain === asked.domain && has.path === asked.path && has.digest === asked.digest;
  return formatReference(has) === formatReference(asked);
}

function checkRepositories(image: StoredImage, names: Reference[], { force }: RemoveOptions): void {
  const repositories = new Set(names.map((each) => `${each.domain}/${each.path}`));
  if (force || repositories.size <= 1) return;
  throw imageError("BRIG_IMAGE_IN_USE", `conflict: unable to delete ${shortId(image.id)} (must be forced) - image is referenced in multiple repositories`, "name one of them, or say --force");
}

function checkUses(image: StoredImage, name: Reference | undefined, users: string[], { force, isRunning }: RemoveOptions): void {
  const running = users.find((user) => isRunning?.(user));
  const [user] = users;
  if (user === undefined || (force && (name || !running))) return;
  const id = shortId(image.id);
  const using = (running ?? user).slice(0, 12);
  if (name) throw imageError("BRIG_IMAGE_IN_USE", `conflict: unable to remove repository reference "${formatFamiliar(name)}" (must force) - container ${using} is using its referenced image ${id}`, "remove the container, or say --force");
  const how = running ? "cannot be forced" : "must be forced";
  throw imageError("BRIG_IMAGE_IN_USE", `conflict: unable to delete ${id} (${how}) - image is being used by ${running ? "running" : "stopped"} container ${using}`, "remove the container first");
}

/** A digest by which a registry knows an image that has other names: only that is forgotten. */
function dropDigest(entries: ImageIndex["manifests"], { domain, path, digest }: Reference): string {
  for (const entry of entries) setRepoDigests(entry, repoDigestsOf(entry).filter((text) => text !== `${domain}/${path}@${digest}`));
  return formatFamiliar({ domain, path, digest: digest! });
}

/** With a repository's last name go the digests that it was known by there. */
function dropDigests(entries: ImageIndex["manifests"], gone: Reference[], rest: Reference[]): string[] {
  const left = new Set(rest.map((each) => `${each.domain}/${each.path}`));
  const lost = new Set(gone.map((each) => `${each.domain}/${each.path}`).filter((repository) => !left.has(repository)));
  const isLost = (text: string): boolean => {
    const { domain, path } = parseReference(text);
    return lost.has(`${domain}/${path}`);
  };
  const dropped = [...new Set(entries.flatMap(repoDigestsOf).filter(isLost))];
  for (const entry of entries) setRepoDigests(entry, repoDigestsOf(entry).filter((text) => !isLost(text)));
  return dropped.map((text) => {
    const reference = parseReference(text);
    return `${formatRepository(reference)}@${reference.digest}`;
  });
}

function dropEntries(index: ImageIndex, entries: ImageIndex["manifests"], gone: Reference[], isLast: boolean, keepsNameless: boolean): void {
  const isGone = (entry: ImageIndex["manifests"][number]): boolean => {
    const name = nameOf(entry);
    return entries.includes(entry) && (isLast || (name !== undefined && gone.includes(gone.find((each) => formatReference(each) === formatReference(name))!)));
  };
  const [first] = entries;
  index.manifests = index.manifests.filter((entry) => !isGone(entry));
  if (!keepsNameless || !first) return;
  if (first.annotations) delete first.annotations[NAME];
  index.manifests.push(first);
}

function listDeleted(image: StoredImage, garbage: Garbage, candidates: Reached): string[] {
  const ids = garbage.blobs.includes(image.id) ? [image.id] : [];
  return [...ids, ...garbage.layers.filter((diffId) => candidates.layers.has(diffId))];
}
