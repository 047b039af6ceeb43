import { dirname, join } from "node:path";
import { type CgroupController, type CgroupFacts, type CgroupHierarchy, type CgroupReader, listControllers } from "./cgroup-facts.js";
import { isBeneath } from "./mountinfo.js";
import { readText, readWord } from "./read-text.js";

/** One folder in which a sandbox gets a cgroup of its own; several in version 1, where each controller has its tree. */
export interface CgroupPlace {
  version: 1 | 2;
  /** Absolute; the sandbox's cgroup is made in it. */
  parent: string;
  /** The parent is missing and has to be made first. */
  makeParent: boolean;
  /** Of the wanted controllers, those that limits are set for here. */
  controllers: string[];
  /** Version 2: what has to be written, in this order, before the sandbox's cgroup is made. */
  controllersToEnable: { file: string; value: string }[];
  /** Version 1 cpuset: what has to be written into the new cgroup before a process may enter it. */
  initialise: { file: string; value: string }[];
}

export interface CgroupPlacement {
  places: CgroupPlace[];
  /** Why some wanted controllers cannot be had, and what to do about it. */
  problem?: { controllers: string[]; what: string; hint: string };
}

const DELEGATE = "systemd-run --user --scope -p Delegate=yes brig …";

/**
 * Where a new sandbox's cgroup goes so that these controllers ("memory", "pids", "cpu", "cpuset", "io", …) can limit
 * it. Never above a limit that the caller itself is under. A version 2 hierarchy is part of the answer even when no
 * controller is wanted of it: it is what freezes and kills a sandbox as a whole.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst, "No Internal Process Constraint" and "Delegation Containment".
 */
export function placeCgroup(cgroup: CgroupFacts, wanted: readonly string[], reader: CgroupReader, euid: number): CgroupPlacement {
  const named = wanted.map((name) => translate(cgroup, name)).filter((name) => !isBuiltIn(cgroup, name));
  const old = placeOld(cgroup, named, reader);
  const unified = placeUnified(cgroup, named.filter((name) => cgroup.controllers[name]?.version === 2), reader, euid);
  const places = [...old, ...(unified ? [unified] : [])];
  const served = new Set(places.flatMap((place) => place.controllers));
  const missing = named.filter((name) => !served.has(name));
  return missing.length > 0 ? { places, problem: describeProblem(cgroup, missing, euid) } : { places };
}

/** "io" is "blkio" in version 1. */
function translate(cgroup: CgroupFacts, name: string): string {
  if (name === "io" && !cgroup.controllers["io"] && cgroup.controllers["blkio"]) return "blkio";
  if (name === "blkio" && !cgroup.controllers["blkio"] && cgroup.controllers["io"]) return "io";
  return name;
}

/** Version 2 freezes and counts CPU time without a controller. */
function isBuiltIn(cgroup: CgroupFacts, name: string): boolean {
  return cgroup.unified !== undefined && !cgroup.controllers[name] && (name === "freezer" || name === "cpuacct");
}

function placeOld(cgroup: CgroupFacts, wanted: readonly string[], reader: CgroupReader): CgroupPlace[] {
  const places = new Map<string, CgroupPlace>();
  for (const name of wanted) {
    const controller = cgroup.controllers[name];
    if (controller?.version !== 1 || !controller.writable) continue;
    const place = places.get(controller.mount) ?? makeOldPlace(controller);
    if (name === "cpuset" && !initialiseCpuset(place, reader)) continue;
    place.controllers.push(name);
    places.set(controller.mount, place);
  }
  return [...places.values()];
}

function makeOldPlace(controller: CgroupController): CgroupPlace {
  return { version: 1, parent: controller.folder, makeParent: false, controllers: [], controllersToEnable: [], initialise: [] };
}

/** A new version 1 cpuset is empty, and entering an empty one fails with ENOSPC (cpuset(7)). */
function initialiseCpuset(place: CgroupPlace, reader: CgroupReader): boolean {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const value = readWord(join(reader.root, place.parent, file));
    if (value === undefined) return false;
    place.initialise.push({ file, value });
  }
  return true;
}

function placeUnified(cgroup: CgroupFacts, wanted: string[], reader: CgroupReader, euid: number): CgroupPlace | undefined {
  const { unified } = cgroup;
  if (!unified) return undefined;
  for (const folder of listUpward(unified)) {
    const place = tryFolder(unified, folder, wanted, reader);
    if (place && mayMove(unified, folder, reader, euid)) return place;
  }
  return undefined;
}

/** The caller's cgroup and those above it, as far as they are mounted. */
function listUpward(unified: CgroupHierarchy): string[] {
  const folders = [unified.folder];
  for (let folder = unified.folder; folder !== unified.mount && folder !== "/"; ) folders.push((folder = dirname(folder)));
  return folders;
}

function tryFolder(unified: CgroupHierarchy, folder: string, wanted: string[], reader: CgroupReader): CgroupPlace | undefined {
  if (!reader.canWrite(folder) || isThreaded(reader, folder)) return undefined;
  const parent = isTrueRoot(unified, folder, reader) ? join(folder, "brig") : folder;
  const steps = [enableIn(folder, wanted, listControllers(reader, folder), reader, parent !== folder)];
  if (parent !== folder) steps.push(enableIn(parent, wanted, wanted, reader, false));
  if (steps.includes(undefined)) return undefined;
  return {
    version: 2,
    parent,
    makeParent: parent !== folder && readText(join(reader.root, parent, "cgroup.procs")) === undefined,
    controllers: wanted,
    controllersToEnable: steps.flatMap((step) => step ?? []),
    initialise: [],
  };
}

/**
 * What to write so that children of a cgroup get the controllers; undefined when the kernel would refuse it.
 * `available`: those that it has or will have. `exempt`: the root, which may have processes beside children.
 */
function enableIn(folder: string, wanted: string[], available: string[], reader: CgroupReader, exempt: boolean): { file: string; value: string }[] | undefined {
  const enabled = listControllers(reader, folder, "cgroup.subtree_control");
  const lacking = wanted.filter((name) => !enabled.includes(name));
  if (lacking.length === 0) return [];
  const file = join(folder, "cgroup.subtree_control");
  const step = [{ file, value: lacking.map((name) => `+${name}`).join(" ") }];
  const processes = readText(join(reader.root, folder, "cgroup.procs"));
  if (processes === undefined) return step; // it is yet to be made
  const allowed = lacking.every((name) => available.includes(name)) && reader.canWrite(file);
  return allowed && (exempt || processes.trim() === "") ? step : undefined;
}

/** The kernel's own root, which alone may have both processes and controllers; a cgroup namespace's root has a type. */
function isTrueRoot(unified: CgroupHierarchy, folder: string, reader: CgroupReader): boolean {
  return folder === unified.mount && readText(join(reader.root, folder, "cgroup.type")) === undefined;
}

function isThreaded(reader: CgroupReader, folder: string): boolean {
  const type = readWord(join(reader.root, folder, "cgroup.type"));
  return type !== undefined && type !== "domain" && type !== "domain threaded";
}

/** A process is moved by who may write to cgroup.procs of the nearest cgroup above both places. */
function mayMove(unified: CgroupHierarchy, folder: string, reader: CgroupReader, euid: number): boolean {
  if (euid === 0) return true;
  return isBeneath(unified.folder, folder) && reader.canWrite(join(folder, "cgroup.procs"));
}

function describeProblem(cgroup: CgroupFacts, missing: string[], euid: number): NonNullable<CgroupPlacement["problem"]> {
  const absent = missing.filter((name) => !cgroup.controllers[name]);
  if (absent.length > 0)
    return {
      controllers: missing,
      what: cgroup.layout === "none" ? "no cgroup hierarchy is mounted" : `this host has no cgroup controller ${absent.join(", ")}`,
      hint: cgroup.layout === "none" ? "mount -t cgroup2 none /sys/fs/cgroup" : "boot with cgroup_enable=memory, or go without that limit",
    };
  const places = [...new Set(missing.map((name) => cgroup.controllers[name]?.folder))].join(", ");
  const what = `no cgroup that can take the sandbox at or above ${places} gives ${missing.join(", ")}`;
  if (euid !== 0) return { controllers: missing, what, hint: cgroup.unified && cgroup.layout === "v2" ? DELEGATE : "run as root, or go without that limit" };
  return { controllers: missing, what, hint: "the cgroup is read-only or holds processes beside its children: start brig from a cgroup of its own" };
}
