import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { isBeneath, type MountEntry, parseMountinfo } from "./mountinfo.js";
import { readText, readWord } from "./read-text.js";

/** The caller's place in one cgroup hierarchy (cgroups(7)). */
export interface CgroupHierarchy {
  /** Where the hierarchy is mounted. */
  mount: string;
  /** The caller's cgroup as /proc/self/cgroup names it. */
  own: string;
  /** The same as a folder on this host; the mount itself where the caller's cgroup lies outside of what is mounted. */
  folder: string;
  /** Whether the caller can make a cgroup in that folder. */
  writable: boolean;
}

export interface CgroupController extends CgroupHierarchy {
  version: 1 | 2;
  /** Version 2: the caller's own cgroup has the controller. Always so in version 1. */
  delegated: boolean;
}

export interface CgroupFacts {
  layout: "v1" | "v2" | "hybrid" | "none";
  /** By the kernel's name ("memory", "pids", "cpu", "io"; "blkio" in version 1). */
  controllers: Record<string, CgroupController>;
  /** The version 2 hierarchy, with or without controllers. */
  unified?: CgroupHierarchy;
  /** The version 1 hierarchy of the name "systemd", which has no controller. */
  systemd?: CgroupHierarchy;
}

/** How the file system is asked; tests put recorded trees in its place. */
export interface CgroupReader {
  /** What stands before every path: "/" on a real host. */
  root: string;
  canWrite(path: string): boolean;
}

export function makeCgroupReader(root = "/"): CgroupReader {
  return {
    root,
    canWrite(path) {
      try {
        accessSync(join(root, path), constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** The cgroup hierarchies of this host and the caller's place in each. Never fails: a host without any has layout "none". */
export function readCgroupFacts(reader: CgroupReader): CgroupFacts {
  const mounts = parseMountinfo(readText(join(reader.root, "proc/self/mountinfo")) ?? "");
  const own = parseCgroupPaths(readText(join(reader.root, "proc/self/cgroup")) ?? "");
  const unified = readUnified(reader, mounts, own);
  const controllers = { ...readOldControllers(reader, mounts, own), ...(unified && readNewControllers(reader, unified)) };
  const old = mounts.some((mount) => mount.type === "cgroup");
  const layout = unified ? (old ? "hybrid" : "v2") : old ? "v1" : "none";
  const systemd = readNamed(reader, mounts, own);
  return { layout, controllers, ...(unified && { unified }), ...(systemd && { systemd }) };
}

/** /proc/PID/cgroup by controller; version 2 has the empty name, a named hierarchy "name=NAME". */
export function parseCgroupPaths(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    for (const name of match?.[1]?.split(",") ?? []) paths.set(name, match?.[2] ?? "/");
  }
  return paths;
}

/** The folder of a cgroup below its mount, which may show only a part of the hierarchy (a container without a cgroup namespace). */
export function locateCgroup(mount: MountEntry, own: string): string {
  if (own.split("/").includes("..") || !isBeneath(own, mount.root)) return mount.point;
  return join(mount.point, mount.root === "/" ? own : own.slice(mount.root.length)).replace(/(.)\/$/, "$1");
}

/** The mount of a hierarchy: the last one, which covers the earlier, that is of this controller. */
export function findCgroupMount(mounts: readonly MountEntry[], controller: string): MountEntry | undefined {
  return mounts.findLast((mount) =>
    controller === "" ? mount.type === "cgroup2" : mount.type === "cgroup" && mount.superOptions.includes(controller),
  );
}

function readHierarchy(reader: CgroupReader, mount: MountEntry, own: string): CgroupHierarchy {
  const folder = locateCgroup(mount, own);
  return { mount: mount.point, own, folder, writable: reader.canWrite(folder) };
}

function readUnified(reader: CgroupReader, mounts: MountEntry[], own: Map<string, string>): CgroupHierarchy | undefined {
  const mount = findCgroupMount(mounts, "");
  const path = own.get("");
  return mount && path !== undefined ? readHierarchy(reader, mount, path) : undefined;
}

function readNamed(reader: CgroupReader, mounts: MountEntry[], own: Map<string, string>): CgroupHierarchy | undefined {
  const mount = findCgroupMount(mounts, "name=systemd");
  const path = own.get("name=systemd");
  return mount && path !== undefined ? readHierarchy(reader, mount, path) : undefined;
}

function readOldControllers(reader: CgroupReader, mounts: MountEntry[], own: Map<string, string>): Record<string, CgroupController> {
  const controllers: Record<string, CgroupController> = {};
  for (const [name, path] of own) {
    const mount = name === "" || name.startsWith("name=") ? undefined : findCgroupMount(mounts, name);
    if (mount) controllers[name] = { version: 1, delegated: true, ...readHierarchy(reader, mount, path) };
  }
  return controllers;
}

function readNewControllers(reader: CgroupReader, unified: CgroupHierarchy): Record<string, CgroupController> {
  const delegated = listControllers(reader, unified.folder);
  return Object.fromEntries(
    listControllers(reader, unified.mount).map((name) => [name, { version: 2, delegated: delegated.includes(name), ...unified }]),
  );
}

/** The controllers that a version 2 cgroup has, or with "cgroup.subtree_control" those that its children get. */
export function listControllers(reader: CgroupReader, folder: string, file = "cgroup.controllers"): string[] {
  return readWord(join(reader.root, folder, file))?.split(" ") ?? [];
}
