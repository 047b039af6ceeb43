import { dirname, join, relative } from "node:path";
import { isAtLeast } from "../../host/landlock.js";
import type { RootLayers } from "../../spec/extension.js";
import { CREATE, MOUNT_ATTR, MS } from "../format.js";
import { addStep, type Context, refuse, takeSlot } from "./context.js";
import { needsUserXattr } from "./mounts.js";

const POINTER = "/annotations/dev.brig.rootLayers";
/** fsconfig(2) takes no longer string. */
const LONGEST_OPTION = 255;

/**
 * The root as an overlay of an image's layers. Where ids are mapped by root, the overlay lies on clones of the layers
 * whose mounts translate them (Linux 5.19), so that one unpacked layer serves every container, and what a container
 * writes has its real owner on the disk.
 */
export function rootFromLayers(context: Context, layers: RootLayers): boolean {
  const mapped = context.identity.map === "direct";
  const lower = mapped ? layers.lower.map((path, index) => showMapped(context, path, join(layers.places, String(index)), true)) : layers.lower;
  const { upper, work } = mapped ? showUpper(context, layers) : layers;
  const slot = takeSlot(context);
  const options = [...listLower(context, lower), ...(upper === undefined ? [] : [`upperdir=${upper}`, `workdir=${work}`]), ...(needsUserXattr(context) ? ["userxattr"] : [])];
  addStep(context, "child", { op: "FS_MOUNT", slot, type: "overlay", options, attributes: upper === undefined ? MOUNT_ATTR.RDONLY : 0 }, POINTER);
  addStep(context, "child", { op: "ROOT", slot }, POINTER);
  return true;
}

function showUpper(context: Context, { upper, work, places }: RootLayers): Pick<RootLayers, "upper" | "work"> {
  if (upper === undefined || work === undefined) return {};
  const folder = dirname(upper);
  const place = showMapped(context, folder, join(places, "rw"), false);
  return { upper: join(place, relative(folder, upper)), work: join(place, relative(folder, work)) };
}

/** A clone of a host folder with mapped ids, on a place that only the sandbox's mount namespace sees it at. */
function showMapped(context: Context, path: string, place: string, readonly: boolean): string {
  const slot = takeSlot(context);
  addStep(context, "host", { op: "OPEN_TREE", slot, path, recursive: 0, nofollow: 0 }, POINTER);
  addStep(context, "host", { op: "MOUNT_ATTR", slot, set: readonly ? MOUNT_ATTR.RDONLY : 0, clear: 0, propagation: MS.PRIVATE, recursive: 0 }, POINTER);
  addStep(context, "parent", { op: "IDMAP", slot, namespace: 0xffffffff }, POINTER);
  addStep(context, "child", { op: "MOUNT", slot, target: place, create: CREATE.NOTHING }, POINTER);
  return place;
}

/** One option a layer since Linux 6.7; before, all stand in one. */
function listLower({ host, extension }: Context, lower: string[]): string[] {
  if (isAtLeast(host.kernel, [6, 7])) return lower.map((path) => `lowerdir+=${path}`);
  const all = lower.map((path) => path.replace(/[\\:]/g, "\\$&")).join(":");
  if (all.length <= LONGEST_OPTION) return [`lowerdir=${all}`];
  throw refuse(extension, POINTER, "BRIG_CANNOT_OVERLAY", `this kernel cannot be told ${lower.length} layers of an overlay with names this long`, "Linux 6.7 can, or a shorter data folder");
}
