import { readdirSync, statSync } from "node:fs";

/** What a folder held; `folder` is its state from before it was read, if it can be looked at. */
export interface Listing {
  path: string;
  /** Sorted; undefined when it could not be read. */
  names: readonly string[] | undefined;
  folder: { dev: bigint; ino: bigint; mtimeNs: bigint } | undefined;
}

/** Who is told of each use of a listing. */
export interface ListingObserver {
  used(listing: Listing, prefix: string): void;
  missed(listing: Listing, name: string): void;
}

let observer: ListingObserver | undefined;
const kernel = { readdirSync, statSync };

/** Undefined ends it. */
export function observeListings(next: ListingObserver | undefined): void {
  observer = next;
}

/** Lists a folder. Nothing depends on it before `useListing` says which of the names matter. */
export function listFolder(path: string): Listing {
  try {
    const { dev, ino, mtimeNs } = kernel.statSync(path, { bigint: true });
    return { path, folder: { dev, ino, mtimeNs }, names: kernel.readdirSync(path).sort() };
  } catch {
    return { path, folder: undefined, names: undefined };
  }
}

/** The names that begin so; which others there are does not matter. */
export function useListing(listing: Listing, prefix: string): readonly string[] {
  observer?.used(listing, prefix);
  const { names = [] } = listing;
  return prefix === "" ? names : names.filter((name) => name.startsWith(prefix));
}

/** Says that a name is not in a listing. */
export function noteMissing(listing: Listing, name: string): void {
  observer?.missed(listing, name);
}
