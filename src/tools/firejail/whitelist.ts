import { lstatSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isBeneath } from "../../host/mountinfo.js";
import type { Origin } from "../../spec/extension.js";
import { describeOrigin } from "../../spec/origin.js";
import { byFirejail, type Draft } from "./draft.js";
import { makeMatcher } from "./glob.js";
import { addHomeFiles } from "./home-files.js";
import { expandPaths, expandWords, findReal, refusePath } from "./paths.js";
import type { Rule } from "./rule.js";
import type { View } from "./view.js";

/** Something that stays visible in a folder that is otherwise empty. */
interface Item {
  /** As the rule has it, links unresolved. */
  path: string;
  real: string;
  top: string;
  rule: Rule;
}

/**
 * whitelist: the folder at the top of each path is empty but for what is named (fs_whitelist.c). Paths that do not
 * exist are passed over, but their folder is emptied all the same: a whitelist that finds nothing shows nothing.
 */
export function applyWhitelist(draft: Draft): void {
  const refused = draft.rules.filter(({ name }) => name === "nowhitelist").flatMap((rule) => expandWords(draft, rule).map(makeMatcher));
  const items: Item[] = [];
  const tops = new Map<string, Rule>();
  for (const rule of draft.rules) {
    if (rule.name !== "whitelist" && rule.name !== "whitelist-ro") continue;
    const paths = expandPaths(draft, rule);
    if (expandWords(draft, rule).length === 0) draft.warnings.push(`cannot whitelist ${rule.value}: there is no such folder (${describeOrigin(rule.origin)})`);
    for (const path of paths) addItem(draft, path, rule, refused, items, tops);
  }
  // what shows at each place now is what shall go on showing there
  const shown = items.map((item) => ({ item, before: { ...draft.view.find(item.real) } }));
  for (const each of shown) each.before.layer = { ...each.before.layer };
  emptyTops(draft, tops);
  for (const { item, before } of shown.toSorted((a, b) => a.item.real.length - b.item.real.length)) showItem(draft, item, before, tops);
}

function addItem(draft: Draft, path: string, rule: Rule, refused: readonly ((path: string) => boolean)[], items: Item[], tops: Map<string, Rule>): void {
  const top = findTop(draft, path);
  if (top === undefined || (top === path && top !== draft.context.places.home)) throw refusePath(rule, `invalid whitelist path ${path}`);
  if (top === path) return;
  if (!tops.has(top)) tops.set(top, rule);
  if (!draft.context.folders.mayHold(path) || refused.some((matches) => matches(path))) return;
  const real = findReal(path);
  if (real === undefined || !mayFollow(draft, path, real, top)) return;
  items.push({ path, real, top, rule });
}

/** The folder that a whitelist empties: the home, /run/user/UID, /sys/module, a folder in /usr, or one of the root's. */
function findTop({ context }: Draft, path: string): string | undefined {
  const { home, runUser } = context.places;
  for (const place of [home, runUser, "/sys/module"]) if (isBeneath(path, place)) return place;
  const [, first = "", second] = path.split("/");
  if (first === "proc" || first === "sys" || first === "") return undefined;
  if (first === "usr") return second === undefined ? undefined : `/usr/${second}`;
  return `/${first}`;
}

/** A link may lead out of its folder only in the home, and there only to what is the user's own. */
function mayFollow(draft: Draft, path: string, real: string, top: string): boolean {
  if (real === path) return true;
  const isHome = top === draft.context.places.home;
  const allowed = isHome ? draft.context.host.euid === 0 || statSync(real).uid === draft.context.host.euid : isBeneath(real, findReal(top) ?? top);
  if (!allowed) draft.warnings.push(`${path} leads to ${real}, which a whitelist does not show`);
  return allowed;
}

function emptyTops(draft: Draft, tops: ReadonlyMap<string, Rule>): void {
  for (const [top, { origin }] of [...tops].toSorted(([a], [b]) => a.length - b.length)) {
    const stat = statSync(top, { throwIfNoEntry: false });
    if (!stat) continue;
    const wasHere = draft.view.find(top).layer;
    const mode = ownMode(draft, stat.mode & 0o7777, stat.uid);
    draft.view.cover(top, "tmpfs", [`mode=${mode.toString(8).padStart(4, "0")}`], origin, { noexec: wasHere.noexec });
    if (top === draft.context.places.home) addHomeFiles(draft);
    if (top === "/run") keepRunning(draft, tops);
    if (top === "/tmp") keepDisplay(draft);
  }
}

/** What belongs to somebody else is not writable inside either, where its stand-in belongs to the user. */
function ownMode({ context }: Draft, mode: number, uid: number): number {
  return context.host.euid === 0 || uid === context.host.euid || mode & 0o002 ? mode : mode & 0o7555;
}

/** The user's own folder in /run is a top of its own; it stays when nobody empties it. */
function keepRunning({ view, context }: Draft, tops: ReadonlyMap<string, Rule>): void {
  const { runUser } = context.places;
  if (!tops.has(runUser) && statSync(runUser, { throwIfNoEntry: false })) view.bind(runUser, runUser, byFirejail("the user's own"));
  if (statSync("/run/lock", { throwIfNoEntry: false })) view.cover("/run/lock", "tmpfs", ["mode=1777"], byFirejail("private"), { noexec: true });
}

function keepDisplay({ view }: Draft): void {
  const path = "/tmp/.X11-unix";
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) view.bind(path, path, byFirejail("X11 sockets"), { readonly: true });
}

function showItem(draft: Draft, { path, real, rule }: Item, before: ReturnType<View["find"]>, tops: ReadonlyMap<string, Rule>): void {
  if (path !== real) draft.extension.files.push({ type: "symlink", path, target: real });
  const now = draft.view.find(real);
  const toRead = rule.name === "whitelist-ro" ? { readonly: true } : {};
  // named by another rule already, or in a folder that nobody empties
  if (now.source !== undefined && now.layer.type === "bind") return void (rule.name === "whitelist-ro" && draft.view.change(real, toRead, rule.origin));
  const { layer, source } = before;
  const { readonly, noexec, nosuid, nodev } = layer;
  const flags = { readonly, noexec, nosuid, nodev, ...toRead };
  if (source === undefined && layer.destination !== real) return;
  makeParents(draft, real, tops, rule.origin);
  if (source === undefined) draft.view.cover(real, layer.type, layer.options, rule.origin, flags);
  else draft.view.bind(real, source, rule.origin, flags);
}

/** The folders on the way, as they are on the host; made by the mount alone they would be the user's to write. */
function makeParents(draft: Draft, path: string, tops: ReadonlyMap<string, Rule>, origin: Origin): void {
  const made = new Set(draft.extension.files.map((entry) => entry.path));
  const missing: string[] = [];
  for (let at = dirname(path); at !== "/" && !tops.has(at) && !made.has(at); at = dirname(at)) {
    if (draft.view.find(at).source !== undefined) break;
    missing.unshift(at);
  }
  for (const folder of missing) {
    const stat = statSync(folder, { throwIfNoEntry: false });
    const mode = stat ? ownMode(draft, stat.mode & 0o7777, stat.uid) : 0o755;
    draft.origins[`/annotations/dev.brig.files/${draft.extension.files.length}`] = origin;
    draft.extension.files.push({ type: "dir", path: folder, mode });
  }
}
