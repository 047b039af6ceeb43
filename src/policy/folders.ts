import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { isBeneath, parseMountinfo, resolveMount } from "../host/mountinfo.js";
import type { Origin } from "../spec/extension.js";
import type { Mount } from "../spec/oci.js";
import { describeOrigin } from "../spec/origin.js";
import { addFile, addMount, consultFile, type Draft, originOfOption } from "./draft.js";
import { resolveHostPath, resolveReal } from "./host-path.js";
import { canIdmap } from "./idmapped-file-systems.js";
import { parseBind } from "./parse/bind.js";

/** A host path that the payload sees. */
export interface Shown {
  /** Real, on the host. */
  source: string;
  /** Inside. */
  destination: string;
  write: boolean;
  noexec?: boolean;
  origin: Origin;
}

/** `read`, `write` and `bind`, as they are to be mounted. What is both read and written is written; "/" is a named root itself. */
export function listShownFolders(draft: Draft): Shown[] {
  const { read = [], write = [], bind = [] } = draft.options;
  const shown = [
    ...read.flatMap((path, index) => readPath(draft, path, `/read/${index}`)),
    ...write.flatMap((path, index) => (draft.options.root !== undefined && resolveHostPath(draft, path, "write") === "/" ? [] : [writePath(draft, path, `/write/${index}`)])),
    ...bind.map((words, index) => readBind(draft, words, `/bind/${index}`)),
  ];
  return [...new Map(shown.toSorted((a, b) => Number(a.write) - Number(b.write)).map((each) => [each.destination, each])).values()];
}

/** "/" stands for every folder in it that is not the kernel's or private to the sandbox. */
function readPath(draft: Draft, path: string, pointer: string): Shown[] {
  const absolute = resolveHostPath(draft, path, "read");
  if (absolute !== "/" || draft.options.root !== undefined) return [showPath(draft, absolute, pointer, false)];
  const kept = new Set(["proc", "sys", "dev", "run", "tmp", "lost+found"]);
  return readdirSync("/", { withFileTypes: true })
    .filter((entry) => (entry.isDirectory() || entry.isFile()) && !kept.has(entry.name))
    .map((entry) => showPath(draft, `/${entry.name}`, pointer, false))
    .filter((shown) => !draft.visible.some(({ destination }) => destination === shown.destination));
}

function writePath(draft: Draft, path: string, pointer: string): Shown {
  const absolute = resolveHostPath(draft, path, "write");
  if (absolute !== "/") return showPath(draft, absolute, pointer, true);
  const origin = describeOrigin(originOfOption(draft, pointer));
  const hint = "name the folders that the payload is to change";
  throw new BrigError("the whole host cannot be made writable", { code: "BRIG_BAD_VALUE", origin, hint });
}

/** In a root of its own the path stands where it was named; otherwise at its real place, with a link where it was named. */
function showPath(draft: Draft, absolute: string, pointer: string, write: boolean): Shown {
  const source = resolveReal(draft, absolute, pointer);
  const destination = draft.options.root === undefined ? source : absolute;
  if (destination !== absolute) linkPath(draft, consultFile(draft, absolute), source);
  return { source, destination, write, origin: originOfOption(draft, pointer) };
}

/** The name by which the path was asked for, where the sandbox's own root would lack it. */
export function linkPath(draft: Draft, path: string, target: string): void {
  const parent = dirname(path);
  const hostParent = existsSync(parent) ? realpathSync.native(parent) : parent;
  const isThere = draft.visible.some(({ destination }) => isBeneath(path, destination)) || hostParent !== parent;
  const isMade = draft.extension.files.some((entry) => entry.path === path);
  if (!isThere && !isMade) addFile(draft, { type: "symlink", path, target });
}

function readBind(draft: Draft, words: string, pointer: string): Shown {
  const { source, destination, readonly, noexec } = parseBind(words, "bind");
  const real = resolveReal(draft, resolveHostPath(draft, source, "bind"), pointer);
  return { source: real, destination, write: !readonly, noexec, origin: originOfOption(draft, pointer) };
}

/** Mounts what is shown, unless something above it shows just that already. */
export function mountShown(draft: Draft, shown: Shown): void {
  if (!shown.write && isShownAlready(draft, shown)) return;
  addMount(draft, idmapMount(draft, shown, makeMount(shown)), shown.origin);
  draft.visible.push({ source: shown.source, destination: shown.destination, write: shown.write });
  draft.writable = draft.writable.filter((place) => place !== shown.destination);
  if (shown.write) draft.writable.push(shown.destination);
}

function isShownAlready({ visible }: Draft, shown: Shown): boolean {
  const above = visible.filter(({ destination }) => isBeneath(shown.destination, destination));
  const nearest = above.toSorted((a, b) => a.destination.length - b.destination.length).at(-1);
  return nearest !== undefined && !nearest.write && nearest.source + shown.destination.slice(nearest.destination.length) === shown.source;
}

function makeMount({ source, destination, write, noexec }: Shown): Mount {
  const options = ["rbind", ...(write ? [] : ["rro"]), "rnosuid", "rnodev", ...(noexec ? ["rnoexec"] : [])];
  return { destination, type: "bind", source, options };
}

/** For a payload with mapped ids: the mount translates them, so that files keep their owners. */
export function idmapMount(draft: Draft, shown: Shown, mount: Mount): Mount {
  if (!draft.mapped) return mount;
  const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  const on = resolveMount(mounts, shown.source);
  // all that is mounted below it is shown along with it, and mapped with it or not at all
  const fixed = [...(on ? [on] : []), ...mounts.filter(({ point }) => isBeneath(point, shown.source))].find(({ type }) => !canIdmap(type, draft.context.host));
  const { uidMappings, gidMappings } = draft.linux;
  if (on && !fixed && uidMappings && gidMappings) return { ...mount, uidMappings, gidMappings };
  if (!shown.write) return mount;
  throw new BrigError(`files in ${shown.source} would not keep their owners: ${fixed?.type ?? "its file system"}${fixed && fixed.point !== on?.point ? `, at ${fixed.point},` : ""} cannot be mounted with mapped ids`, {
    code: "BRIG_CANNOT_IDMAP",
    origin: describeOrigin(shown.origin),
    hint: "start brig as the folder's owner, use a folder on ext4, xfs, btrfs or tmpfs, or accept host ids with --share user",
  });
}
