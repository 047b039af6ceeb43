import { lstatSync, readlinkSync, statSync } from "node:fs";
import { describeOrigin } from "../../spec/origin.js";
import { type Draft, hide, isRoot } from "./draft.js";
import { expandGlob, isPattern, makeMatcher } from "./glob.js";
import { leadsToFolder } from "./base.js";
import { expandPaths, expandWords, findReal, refusePath, refuseRule } from "./paths.js";
import type { Rule } from "./rule.js";

/** Paths and patterns of noblacklist: thousands of paths are held against hundreds of them. */
class Kept {
  readonly #paths = new Set<string>();
  readonly #patterns: { prefix: string; matches: (path: string) => boolean }[] = [];

  add(path: string): void {
    if (isPattern(path)) this.#patterns.push({ prefix: path.slice(0, path.search(/[*?[]/)), matches: makeMatcher(path) });
    else this.#paths.add(path);
  }

  has(path: string): boolean {
    return this.#paths.has(path) || this.#patterns.some(({ prefix, matches }) => path.startsWith(prefix) && matches(path));
  }
}

/** What changes files and folders where they stand, in the order of the profile (fs.c). */
export function applyFileRules(draft: Draft): void {
  const kept = new Kept();
  for (const rule of draft.rules) {
    if (rule.name === "noblacklist") for (const path of expandWords(draft, rule)) kept.add(path);
    else if (rule.name === "blacklist" || rule.name === "blacklist-nolog") blacklist(draft, rule, kept);
    else if (rule.name === "read-only" || rule.name === "read-write" || rule.name === "noexec") remount(draft, rule);
    else if (rule.name === "tmpfs") coverFolder(draft, rule);
    else if (rule.name === "bind") bindOver(draft, rule);
  }
}

/** What is there when the sandbox starts, as with firejail; most of the paths that profiles name are on no one host. */
function blacklist(draft: Draft, rule: Rule, kept: Kept): void {
  for (const words of expandWords(draft, rule))
    for (const path of expandGlob(words, draft.context.folders)) {
      if (kept.has(path) || !isThere(draft, path)) continue;
      if (isSystemLink(path)) draft.warnings.push(`${path} is a link to a system's folder and is not hidden (${describeOrigin(rule.origin)})`);
      else hide(draft, path, rule.origin);
    }
}

function isThere({ context, extension }: Draft, path: string): boolean {
  return context.folders.mayHold(path) || extension.files.some((entry) => entry.path === path);
}

/** /bin and /sbin are links to /usr/bin on most systems: hiding what they lead to would hide every program. */
function isSystemLink(path: string): boolean {
  if (path.lastIndexOf("/") > 0) return false;
  if (path === "/") return true;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return (stat?.isSymbolicLink() ?? false) && /^\/?usr\//.test(readlinkSync(path));
}

function remount(draft: Draft, rule: Rule): void {
  for (const path of expandPaths(draft, rule)) {
    const real = draft.context.folders.mayHold(path) ? findReal(path) : undefined;
    if (real === undefined) continue;
    if (rule.name === "read-only") draft.view.change(real, { readonly: true }, rule.origin);
    else if (rule.name === "noexec") draft.view.change(real, { noexec: true, nodev: true, nosuid: true }, rule.origin);
    else if (isRoot(draft) || statSync(real).uid === draft.context.host.euid) draft.view.change(real, { readonly: false }, rule.origin);
    else draft.warnings.push(`${path} is another user's, and is not made writable (${describeOrigin(rule.origin)})`);
  }
}

function coverFolder(draft: Draft, rule: Rule): void {
  for (const path of expandPaths(draft, rule)) {
    draft.context.folders.exists(path);
    const real = findReal(path);
    if (real === undefined) continue;
    if (!leadsToFolder(real)) draft.warnings.push(`${path} is no folder and cannot be covered (${describeOrigin(rule.origin)})`);
    else draft.view.cover(real, "tmpfs", [`mode=${modeOf(real)}`], rule.origin);
  }
}

export function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8).padStart(4, "0");
}

/** firejail(1): bind is for root alone; brig's is a mount of the sandbox's own, which anybody may have. */
function bindOver(draft: Draft, rule: Rule): void {
  const [source = "", destination = "", ...more] = rule.value.split(",");
  const paths = [source, destination].map((value) => expandWords(draft, { ...rule, value })[0] ?? value);
  const [from, to] = paths.map(findReal);
  if (more.length > 0 || from === undefined || to === undefined) throw refusePath(rule, `bind needs two paths that exist, and ${rule.value} is not that`);
  if (leadsToFolder(from) !== leadsToFolder(to)) throw refuseRule(rule, "BRIG_BAD_VALUE", "a folder is bound over a folder, a file over a file", "name two of a kind");
  draft.view.bind(to, from, rule.origin);
}
