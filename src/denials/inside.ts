import { dirname } from "node:path";
import { isBeneath } from "../host/mountinfo.js";
import { type Extension, type Origin, readExtension } from "../spec/extension.js";
import type { Mount, Spec } from "../spec/oci.js";
import { originOf } from "../spec/origin.js";

/** A mount of the sandbox, as far as judging needs it. */
export interface Place {
  destination: string;
  /** The host's path that it shows; undefined: nothing of the host. */
  source?: string;
  readonly: boolean;
  noexec: boolean;
  idmapped: boolean;
  /** JSON pointer of the setting. */
  pointer: string;
}

/** The sandbox as its spec describes it, and who started it: what the judges hold a call against. */
export interface Inside {
  spec: Spec;
  extension: Extension;
  places: Place[];
  /** The payload's home inside, and the caller's on the host. */
  home: string;
  hostHome: string;
  /** The caller's working folder. */
  cwd: string;
  euid: number;
  landlockAbi: number;
}

export interface Caller {
  home: string;
  cwd: string;
  euid: number;
  landlockAbi: number;
}

export function describeInside(spec: Spec, caller: Caller): Inside {
  const extension = readExtension(spec);
  const home = spec.process?.env?.find((entry) => entry.startsWith("HOME="))?.slice("HOME=".length) ?? caller.home;
  return { spec, extension, places: listPlaces(spec, extension), home, hostHome: caller.home, cwd: caller.cwd, euid: caller.euid, landlockAbi: caller.landlockAbi };
}

function listPlaces(spec: Spec, extension: Extension): Place[] {
  const root: Place = { destination: "/", ...(spec.root?.path ? { source: spec.root.path } : {}), readonly: spec.root?.readonly ?? false, noexec: false, idmapped: false, pointer: "/root" };
  const mounts = (spec.mounts ?? []).map((mount, index) => readPlace(mount, `/mounts/${index}`));
  const overlays = (extension.overlay ?? []).map(({ lower, destination, place }, index): Place => ({
    destination, source: lower, readonly: false, noexec: false, idmapped: place !== undefined, pointer: `/annotations/dev.brig.overlay/${index}`,
  }));
  const fixed = (spec.linux?.readonlyPaths ?? []).map((destination, index): Place => ({ destination, readonly: true, noexec: false, idmapped: false, pointer: `/linux/readonlyPaths/${index}` }));
  return [root, ...mounts, ...overlays, ...fixed];
}

function readPlace(mount: Mount, pointer: string): Place {
  const options = mount.options ?? [];
  const bind = options.includes("bind") || options.includes("rbind") || mount.type === "bind";
  return {
    destination: mount.destination,
    ...(bind && mount.source !== undefined ? { source: mount.source } : {}),
    readonly: options.includes("ro") || options.includes("rro"),
    noexec: options.includes("noexec") || options.includes("rnoexec"),
    idmapped: mount.uidMappings !== undefined,
    pointer,
  };
}

/** The mount that a path without links lies on: the deepest, and of several at one place the last. */
export function findPlace({ places }: Inside, path: string): Place {
  let found = places[0] as Place;
  for (const place of places) if (isBeneath(path, place.destination) && place.destination.length >= found.destination.length) found = place;
  return found;
}

/** The setting that masks a path. */
export function findMask({ spec }: Inside, path: string): string | undefined {
  const index = (spec.linux?.maskedPaths ?? []).findIndex((masked) => isBeneath(path, masked));
  return index < 0 ? undefined : `/linux/maskedPaths/${index}`;
}

/** Whether Landlock keeps the payload from writing at a path without links. */
export function isKeptByLandlock({ extension, landlockAbi }: Inside, path: string): boolean {
  const write = extension.landlock?.write;
  return landlockAbi > 0 && write !== undefined && !write.some((place) => isBeneath(path, place));
}

/** The host's path of a place inside; the same where nothing of the host is shown there. */
export function toHostPath(inside: Inside, path: string): string {
  const { source, destination } = findPlace(inside, path);
  if (source === undefined || source === destination) return path;
  if (destination === "/") return path;
  return source + path.slice(destination.length);
}

export function originAt({ spec }: Inside, pointer: string): Origin | undefined {
  return originOf(spec, pointer);
}

/** The folder that an entry stands in. */
export function folderOf(path: string): string {
  return dirname(path.replace(/\/+$/, "") || "/");
}
