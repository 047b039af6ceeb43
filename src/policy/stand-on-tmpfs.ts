import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { resolveInRoot } from "../host/read-in-root.js";
import { readExtension, writeExtension, type Origin, type RootEntry } from "../spec/extension.js";
import type { Mount, Spec } from "../spec/oci.js";

const MEBIBYTE = 2 ** 20;

/** Whether a read-only root lacks folders that the spec's mounts are made on. Deeper ones are for whoever made the root. */
export function lacksPlaces(spec: Spec, root: string, consult: (path: string) => string): boolean {
  if (spec.root?.readonly === false) return false;
  const tops = new Set((spec.mounts ?? []).map(({ destination }) => destination.split("/")[1] ?? ""));
  for (const top of tops) consult(join(root, top));
  return [...tops].some((top) => top !== "" && resolveInRoot(root, top) === undefined);
}

/**
 * The spec with its root folder's entries bound into an empty root in memory. A root that was made by hand has no
 * /proc, /dev or /run to mount on, and none may be made in it: it is read-only, and not ours to change. A private
 * place deeper down (/var/tmp) that the folder does not have is left out: there is nothing there to hide.
 */
export function standOnTmpfs(spec: Spec, root: string): Spec {
  const { uidMappings, gidMappings } = spec.mounts?.find(({ destination }) => destination === "/") ?? {};
  const maps = uidMappings && gidMappings ? { uidMappings, gidMappings } : {};
  const entries = readdirSync(root).map((name) => ({ name, path: join(root, name) }));
  const links = entries.filter(({ path }) => lstatSync(path).isSymbolicLink());
  const binds = entries.filter(({ path }) => lstatSync(path).isDirectory() || lstatSync(path).isFile()).map(({ name, path }): Mount => ({
    destination: `/${name}`, type: "bind", source: path, options: ["rbind", spec.root?.readonly === false ? "rw" : "rro", "nosuid", "nodev"], ...maps,
  }));
  const extension = readExtension(spec);
  const kept = (spec.mounts ?? []).map((mount, index) => ({ mount, index })).filter(({ mount }) => mount.destination !== "/" && hasPlace(root, mount));
  const origins: Record<string, Origin> = {};
  for (const [pointer, origin] of Object.entries(extension.origins ?? {})) if (!pointer.startsWith("/mounts/")) origins[pointer] = origin;
  binds.forEach((_, index) => (origins[`/mounts/${index}`] = extension.origins?.["/root"] ?? { kind: "tool", text: root }));
  kept.forEach(({ index: before }, after) => {
    const origin = extension.origins?.[`/mounts/${before}`];
    if (origin) origins[`/mounts/${binds.length + after}`] = origin;
  });
  const files: RootEntry[] = links.map(({ name, path }) => ({ type: "symlink", path: `/${name}`, target: readlinkSync(path) }));
  return writeExtension(
    { ...spec, root: { ...spec.root, path: "" }, mounts: [...binds, ...kept.map(({ mount }) => mount)] },
    { ...extension, origins, rootTmpfs: { size: 16 * MEBIBYTE }, files: [...files, ...(extension.files ?? [])] },
  );
}

function hasPlace(root: string, { destination, type }: Mount): boolean {
  const top = `/${destination.split("/")[1]}`;
  if (type !== "tmpfs" || top === destination) return true;
  return resolveInRoot(root, top) === undefined || resolveInRoot(root, destination) !== undefined;
}
