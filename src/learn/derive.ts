import { dirname } from "node:path";
import { isBeneath } from "../host/mountinfo.js";
import { findExisting, findReal, isLink } from "../denials/host-side.js";
import { findMask, findPlace, type Inside } from "../denials/inside.js";
import type { Line } from "./line.js";
import type { PathUse, Uses } from "./uses.js";

/** More files of one folder than this, and the folder is shown in their place. */
const MAX_FILES = 12;
/** The kernel's, and the sandbox's own in any case. */
const OWN = ["/proc", "/dev/pts", "/dev/shm", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/ptmx"];
const WRITING = ["write", "remove", "replace", "change"] as const;

/** What a program needs beyond the strict sandbox, by what it used. */
export function deriveLines(uses: Uses, strict: Inside): Line[] {
  const used = [...uses.paths.values()].filter(({ asked, found }) => !OWN.some((folder) => isBeneath(asked, folder) || isBeneath(found, folder)) && findMask(strict, found) === undefined);
  const writes = mergeLines(used.flatMap((use) => deriveWrite(use, strict) ?? []));
  const reads = used.flatMap((use) => deriveRead(use, strict) ?? []).filter((line) => !writes.some((write) => !write.optional && isBeneath(findReal(line.value), write.value)));
  const devices = used.filter(({ kind, found }) => kind === "device" && !isShown(strict, found)).map(({ found }): Line => ({ key: "devices", value: found, why: "a device that was used", optional: false }));
  return [...deriveProject(used, writes, strict), ...narrowReads(mergeLines(reads), strict), ...writes.filter(({ value }) => value !== strict.cwd), ...mergeLines(devices), ...deriveOthers(uses)];
}

/** Whether the strict sandbox shows the host's file at this place. */
function isShown(strict: Inside, path: string): boolean {
  return findPlace(strict, path).source !== undefined;
}

/** Whether the strict sandbox has a place of its own there that may be written and is gone at the end. */
function isPrivate(strict: Inside, path: string): boolean {
  if (isShown(strict, path)) return false;
  return [strict.home, "/tmp", "/var/tmp", "/run", "/dev"].some((folder) => isBeneath(path, folder));
}

function deriveRead(use: PathUse, strict: Inside): Line | undefined {
  const { asked, found, kind, wants, listed } = use;
  const usedAsIs = wants.has("read") || wants.has("execute") || wants.has("connect") || wants.has("look");
  if (kind === "missing" || kind === "device" || !usedAsIs) return undefined;
  const linkIsThere = asked === found || linksAreThere(strict, asked);
  if (isShown(strict, found) && linkIsThere) return undefined;
  const read = wants.has("read") || wants.has("execute") || wants.has("connect");
  const isOpened = kind === "folder" ? listed : read;
  if (kind === "folder" && !listed && isRootOrPrivate(strict, found)) return undefined;
  const why = kind === "folder" ? (listed ? "its entries were listed" : "a folder that was looked for") : wants.has("execute") ? "executed" : read ? "read" : "looked for";
  return { key: "read", value: linkIsThere ? found : asked, why, optional: !isOpened || (kind === "folder" && isRootOrPrivate(strict, found)) };
}

/** Whether every link on the way stands in the strict sandbox too. */
function linksAreThere(strict: Inside, path: string): boolean {
  const names = path.split("/").filter((name) => name !== "");
  let folder = "/";
  for (const name of names) {
    const place = folder === "/" ? `/${name}` : `${folder}/${name}`;
    const real = findReal(place);
    if (real !== place && isLink(place) && !isShown(strict, place) && !isMadeLink(strict, place)) return false;
    folder = real;
  }
  return true;
}

function isMadeLink({ extension }: Inside, path: string): boolean {
  return extension.files?.some((entry) => entry.type === "symlink" && entry.path === path) ?? false;
}

/** A folder that the strict sandbox has too, though empty. */
function isRootOrPrivate(strict: Inside, path: string): boolean {
  const made = [strict.home, "/tmp", "/var/tmp", "/run", "/dev", ...strict.places.map(({ destination }) => destination)];
  return made.some((place) => isBeneath(place, path));
}

function deriveWrite(use: PathUse, strict: Inside): Line | undefined {
  const { found, kind, wants } = use;
  if (kind !== "missing" && kind !== "device" && kind !== "socket" && (wants.has("write") || wants.has("change")) && !wants.has("remove") && !wants.has("replace") && needsWrite(strict, found))
    return { key: "write", value: found, why: "written", optional: !wants.has("write") };
  const fills = wants.has("create") || wants.has("remove") || wants.has("replace") || (kind === "missing" && WRITING.some((want) => wants.has(want)));
  if (!fills) return undefined;
  const folder = findReal(findExisting(dirname(found)));
  if (folder === "/" || !needsWrite(strict, folder)) return undefined;
  const replaced = kind !== "missing" && (wants.has("remove") || wants.has("replace"));
  const optional = !replaced && isPrivate(strict, folder);
  return optional && isRootOrPrivate(strict, folder) ? undefined : { key: "write", value: folder, why: "entries were made or removed in it", optional };
}

function needsWrite(strict: Inside, path: string): boolean {
  const place = findPlace(strict, path);
  return place.readonly || place.source === undefined;
}

/** The working folder, which is shown read-only unless somebody says otherwise. */
function deriveProject(used: PathUse[], writes: Line[], strict: Inside): Line[] {
  if (!strict.places.some(({ destination }) => destination === strict.cwd)) return [];
  if (writes.some(({ value, optional }) => value === strict.cwd && !optional)) return [{ key: "project", value: "write", why: "entries of the working folder were made or removed", optional: false }];
  const isUsed = used.some(({ found, kind, listed }) => isBeneath(found, strict.cwd) && (found !== strict.cwd || listed) && kind !== "missing");
  return isUsed ? [] : [{ key: "project", value: "none", why: "nothing of the working folder was used", optional: false }];
}

/** Each once; needed beats optional. */
function mergeLines(lines: Line[]): Line[] {
  const merged = new Map<string, Line>();
  for (const line of lines) {
    const known = merged.get(line.value);
    if (!known || (known.optional && !line.optional)) merged.set(line.value, line);
  }
  return [...merged.values()].sort((a, b) => (a.value < b.value ? -1 : 1));
}

/** What lies in a folder that is shown whole goes; many files of one folder become that folder. */
function narrowReads(lines: Line[], strict: Inside): Line[] {
  const whole = lines.filter(({ why, optional }) => why === "its entries were listed" && !optional);
  const rest = lines.filter((line) => whole.includes(line) || !whole.some(({ value }) => isBeneath(line.value, value)));
  const folders = groupByFolder(rest.filter(({ optional }) => !optional));
  const crowded = [...folders].filter(([folder, files]) => files.length > MAX_FILES && !isRootOrPrivate(strict, folder)).map(([folder, files]): Line => ({ key: "read", value: folder, why: `${files.length} of its files were used`, optional: false }));
  if (crowded.length === 0) return rest;
  return narrowReads([...rest.filter(({ value }) => !crowded.some((folder) => isBeneath(value, folder.value))), ...crowded], strict);
}

function groupByFolder(lines: Line[]): Map<string, Line[]> {
  const folders = new Map<string, Line[]>();
  for (const line of lines) folders.set(dirname(line.value), [...(folders.get(dirname(line.value)) ?? []), line]);
  return folders;
}

/** Each name that was looked up, at the ports that were connected to; nothing when an address was used without a name. */
function deriveHosts({ names, ports }: Uses): Line[] {
  if (names.size === 0 || ports.size === 0) return [];
  const web = [...ports].every((port) => port === 80 || port === 443);
  return [...names].sort().flatMap((name) => (web && ports.size === 2 ? [name] : [...ports].sort((a, b) => a - b).map((port) => `${name}:${port}`))).map((value): Line => ({ key: "allowHosts", value, why: "its name was looked up", optional: false }));
}

function deriveOthers(uses: Uses): Line[] {
  const words = [...uses.network.values()];
  const host = words.find(({ allow }) => allow?.startsWith("--net host"));
  const out = host ?? words[0];
  const hosts = out && !host ? deriveHosts(uses) : [];
  return [
    ...(out && hosts.length === 0 ? [{ key: "net" as const, value: host ? "host" : "user", why: `it talked to ${out.what}`, optional: false }] : []),
    ...hosts,
    ...[...uses.capabilities].sort().map((value): Line => ({ key: "capAdd", value, why: "a call that takes it was made", optional: true })),
    ...(uses.calls.size > 0 ? [{ key: "seccomp" as const, value: [...uses.calls].sort().join(" "), why: "calls that the default filter refuses", optional: true }] : []),
  ];
}
