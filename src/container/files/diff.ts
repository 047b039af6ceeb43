import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { Change } from "../../rootfs/overlay/changes.js";
import { dropMountPoints } from "../../rootfs/overlay/mount-points.js";
import type { Spec } from "../../spec/oci.js";
import { isInLayers } from "../layers.js";
import type { Container } from "../model.js";

/** What brig mounts into every container, of which the empty places are no changes of its own. */
const OWN_PLACES = ["/proc", "/sys", "/dev", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"];
const DEEPEST = 900;

/**
 * What a container has changed in its image's files, a folder before what is in it.
 * @throws BrigError BRIG_CANNOT_READ_CHANGES
 */
export function listContainerChanges(folder: string, container: Container): Change[] {
  const upper = join(folder, container.Id, "rw/upper");
  const changes: Change[] = [];
  const walk = (path: string, depth: number): void => {
    if (depth > DEEPEST) throw new Error(`${path} is too deep`);
    for (const name of readdirSync(join(upper, path)).sort()) visit(join(path, name), depth);
  };
  const visit = (path: string, depth: number): void => {
    const is = lstatSync(join(upper, path), { throwIfNoEntry: false });
    if (!is) return; // gone in between
    const known = isInLayers(container.Layers, path);
    const isGone = is.isCharacterDevice() && is.rdev === 0;
    if (!isGone || known) changes.push({ kind: isGone ? "deleted" : known ? "changed" : "added", path, type: typeOf(is), mode: is.mode & 0o7777 });
    if (is.isDirectory()) walk(path, depth + 1);
  };
  try {
    walk("/", 0);
  } catch (error) {
    throw new BrigError(`cannot read what ${container.Name} wrote: ${(error as Error).message}`, { code: "BRIG_CANNOT_READ_CHANGES", exitCode: 1, cause: error });
  }
  return dropMountPoints(changes, "/", listPlaces(container));
}

function listPlaces({ Mounts, HostConfig }: Container): Spec {
  const places = [...OWN_PLACES, ...Mounts.map(({ Destination }) => Destination), ...Object.keys(HostConfig.Tmpfs)];
  return { ociVersion: "1.2.0", mounts: places.map((destination) => ({ destination })) };
}

function typeOf(is: Stats): Change["type"] {
  if (is.isFile()) return "file";
  if (is.isDirectory()) return "folder";
  return is.isSymbolicLink() ? "link" : "other";
}
