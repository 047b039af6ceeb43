import { existsSync } from "node:fs";
import { type Listing, listFolder, noteMissing, useListing } from "../../host/list-names.js";

/** Looks into folders, each once. */
export interface Folders {
  /** Names in a folder that begin so; none when it cannot be read. */
  list(path: string, prefix?: string): readonly string[];
  exists(path: string): boolean;
  /** The same, for thousands of paths of which most lie in folders that are not there. */
  mayHold(path: string): boolean;
}

export function openFolders(): Folders {
  const lists = new Map<string, Listing>();
  const list = (path: string, prefix = ""): readonly string[] => {
    let listing = lists.get(path);
    if (!listing) lists.set(path, (listing = listFolder(path)));
    return useListing(listing, prefix);
  };
  const inside = new Map<string, Inside | undefined>();
  const look = (folder: string): Inside | undefined => {
    let known = inside.get(folder);
    if (!known && !inside.has(folder)) inside.set(folder, (known = isThere(folder) ? lookInside(folder || "/") : undefined));
    return known;
  };
  const isThere = (folder: string): boolean => folder === "" || mayHold(folder);
  const mayHold = (path: string): boolean => {
    const cut = path.lastIndexOf("/");
    const seen = look(path.slice(0, cut));
    if (!seen) return false;
    const name = path.slice(cut + 1);
    if (seen.listing.names === undefined || seen.names.has(name)) return existsSync(path);
    noteMissing(seen.listing, name);
    return false;
  };
  return { list, mayHold, exists: (path) => existsSync(path) };
}

/** A folder that may be entered and not listed, whose listing has no names, holds what it holds all the same. */
interface Inside {
  listing: Listing;
  names: ReadonlySet<string>;
}

function lookInside(folder: string): Inside {
  const listing = listFolder(folder);
  return { listing, names: new Set(listing.names) };
}

export function isPattern(path: string): boolean {
  return path.includes("*") || path.includes("?") || path.includes("[");
}

/**
 * The paths that a pattern stands for, as glob(3) with GLOB_PERIOD finds them: "*", "?" and "[…]" within one name, names
 * with a dot in front too. A path without a pattern is itself, whether it exists or not.
 */
export function expandGlob(pattern: string, folders: Folders): string[] {
  if (!isPattern(pattern)) return [pattern];
  const segments = pattern.split("/").filter((segment) => segment !== "");
  let found = [""];
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    found = found.flatMap((folder) => expandSegment(folder, segment, folders));
    // what follows the last pattern has to be there for the match to count
    if (isLast && !isPattern(segment)) found = found.filter((path) => folders.exists(path));
  });
  return found;
}

function expandSegment(folder: string, segment: string, folders: Folders): string[] {
  if (!isPattern(segment)) return [`${folder}/${segment}`];
  const matches = compileSegment(segment);
  return folders
    .list(folder || "/", segment.slice(0, segment.search(WILD)))
    .filter(matches)
    .map((name) => `${folder}/${name}`);
}

/** Whether a whole path matches a pattern as fnmatch(3) with FNM_PATHNAME says: no wildcard crosses a slash. */
export function makeMatcher(pattern: string): (path: string) => boolean {
  if (!isPattern(pattern)) return (path) => path === pattern;
  const tests = pattern.split("/").map(compileSegment);
  return (path) => {
    const names = path.split("/");
    return names.length === tests.length && names.every((name, index) => tests[index]!(name));
  };
}

const compiled = new Map<string, (name: string) => boolean>();

/** A pattern for one name. Stars are tried from the left with one place to come back to: time is at worst quadratic. */
export function compileSegment(pattern: string): (name: string) => boolean {
  let test = compiled.get(pattern);
  if (!test) {
    test = isPattern(pattern) ? makeTest(pattern) : (name) => name === pattern;
    compiled.set(pattern, test);
  }
  return test;
}

const WILD = /[*?[\\]/;

/** Most names differ from a pattern in what stands before its first wildcard: they are not looked at further. */
function makeTest(pattern: string): (name: string) => boolean {
  const cut = pattern.search(WILD);
  const prefix = pattern.slice(0, cut);
  const rest = pattern.slice(cut + 1);
  // one star, as nearly all patterns of profiles have it
  if (pattern[cut] === "*" && !WILD.test(rest)) return (name) => name.length >= prefix.length + rest.length && name.startsWith(prefix) && name.endsWith(rest);
  let parts: Part[] | undefined;
  return (name) => name.startsWith(prefix) && matchParts((parts ??= readParts(pattern)), name);
}

type Part = "star" | "any" | { set: ReadonlySet<string> | undefined; ranges: [string, string][]; negated: boolean };

function readParts(pattern: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at]!;
    if (letter === "*") parts.push("star");
    else if (letter === "?") parts.push("any");
    else if (letter === "[" && pattern.indexOf("]", at + 2) > 0) {
      const end = pattern.indexOf("]", at + 2);
      parts.push(readSet(pattern.slice(at + 1, end)));
      at = end;
    } else parts.push({ set: new Set(letter === "\\" ? (pattern[++at] ?? letter) : letter), ranges: [], negated: false });
  }
  return parts;
}

function readSet(text: string): Part {
  const negated = text.startsWith("!") || text.startsWith("^");
  const letters = negated ? text.slice(1) : text;
  const set = new Set<string>();
  const ranges: [string, string][] = [];
  for (let at = 0; at < letters.length; at++) {
    if (letters[at + 1] === "-" && at + 2 < letters.length) {
      ranges.push([letters[at]!, letters[at + 2]!]);
      at += 2;
    } else set.add(letters[at]!);
  }
  return { set, ranges, negated };
}

function matchesOne(part: Part, letter: string): boolean {
  if (part === "any" || part === "star") return true;
  const isIn = part.set?.has(letter) || part.ranges.some(([from, to]) => from <= letter && letter <= to);
  return isIn !== part.negated;
}

function matchParts(parts: readonly Part[], name: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let retry = 0;
  while (place < name.length) {
    const part = parts[at];
    if (part === "star") {
      star = at++;
      retry = place;
    } else if (part !== undefined && matchesOne(part, name[place]!)) {
      at++;
      place++;
    } else if (star >= 0) {
      at = star + 1;
      place = ++retry;
    } else return false;
  }
  while (parts[at] === "star") at++;
  return at === parts.length;
}
