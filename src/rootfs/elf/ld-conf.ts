import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import type { SourceRoot } from "./source-root.js";

const MAX_FILES = 256;
const MAX_CONF = 1 << 20;

/**
 * The folders of /etc/ld.so.conf and the files that it includes (ldconfig(8)), in order. ld.so itself never reads
 * them: ldconfig turns them into the cache.
 */
export function readLdConf(root: SourceRoot, path = "/etc/ld.so.conf"): string[] {
  const folders: string[] = [];
  readInto(root, path, folders, new Set());
  return [...new Set(folders)];
}

function readInto(root: SourceRoot, path: string, folders: string[], seen: Set<string>): void {
  const file = root.resolve(path);
  if (!file?.stat.isFile() || file.stat.size > MAX_CONF || seen.has(file.real) || seen.size === MAX_FILES) return;
  seen.add(file.real);
  for (const line of readFileSync(file.host, "utf8").split("\n")) {
    const text = line.replace(/#.*/, "").trim();
    if (/^include\s/.test(text)) {
      for (const pattern of text.split(/\s+/).slice(1)) {
        const absolute = pattern.startsWith("/") ? pattern : posix.join(posix.dirname(path), pattern);
        for (const match of expandGlob(root, absolute)) readInto(root, match, folders, seen);
      }
    } else if (text.startsWith("/")) {
      // "folder=TYPE" is a form of libc5's days that ldconfig still strips.
      folders.push(text.replace(/=[^/]*$/, "").replace(/(.)\/+$/, "$1"));
    }
  }
}

/** glob(3) of an absolute pattern within the root: `*`, `?` and `[…]`, sorted, hidden names only by a leading dot. */
export function expandGlob(root: SourceRoot, pattern: string): string[] {
  let found = ["/"];
  for (const part of pattern.split("/").filter((text) => text !== "")) {
    found = found.flatMap((folder) => (/[*?[]/.test(part) ? listMatches(root, folder, part) : [posix.join(folder, part)]));
  }
  return found.filter((path) => root.resolve(path) !== undefined);
}

function listMatches(root: SourceRoot, folder: string, part: string): string[] {
  const at = root.resolve(folder);
  if (!at?.stat.isDirectory()) return [];
  return readdirSync(at.host)
    .filter((name) => matchGlob(part, name) && (!name.startsWith(".") || part.startsWith(".")))
    .sort()
    .map((name) => posix.join(folder, name));
}

/** One position of a pattern: any run of signs, or one sign that fits. */
type Token = "*" | ((sign: string) => boolean);

/** Only the last star is ever taken back, so that no pattern takes longer than its length times the name's. */
export function matchGlob(pattern: string, name: string): boolean {
  const tokens = (pattern.match(/\[!?\]?[^\]]*\]|[^]/gu) ?? []).map(makeToken);
  const signs = [...name];
  let [token, sign] = [0, 0];
  let retry: { token: number; sign: number } | undefined;
  while (sign < signs.length) {
    const current = tokens[token];
    if (current === "*") retry = { token: token++, sign };
    else if (current?.(signs[sign]!)) [token, sign] = [token + 1, sign + 1];
    else if (retry === undefined) return false;
    else [token, sign] = [retry.token + 1, ++retry.sign];
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

function makeToken(piece: string): Token {
  if (piece === "*") return "*";
  if (piece === "?") return () => true;
  if (piece.length < 3) return (sign) => sign === piece;
  const negated = piece[1] === "!";
  const ranges = piece.slice(negated ? 2 : 1, -1).match(/[^]-[^]|[^]/gu) ?? [];
  const holds = (sign: string) => ranges.some((range) => (range.length > 1 ? sign >= range[0]! && sign <= range.at(-1)! : sign === range));
  return (sign) => holds(sign) !== negated;
}
