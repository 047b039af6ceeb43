import { posix } from "node:path";
import type { LayeredOverlay } from "../../spec/extension.js";
import { CREATE, MOUNT_ATTR, MS } from "../format.js";
import { addStep, type Context, takeSlot } from "./context.js";

/**
 * The options of an overlay, whose layers are made ready on a tmpfs that covers `place`: an overlay cannot be idmapped,
 * but what it lies on can (Linux 5.19). Whoever calls this uncovers the place.
 */
export function layLayers(context: Context, overlay: LayeredOverlay, pointer: string): string[] {
  const { lower, upper, work, scratch, map, place } = overlay;
  addStep(context, "child", { op: "MOUNT_HOST", source: "tmpfs", target: place, type: "tmpfs", flags: 0, data: "mode=0755" }, pointer);
  const folder = (name: string): string => {
    addStep(context, "child", { op: "MKDIR_HOST", path: `${place}/${name}`, mode: 0o755, existOk: 0 }, pointer);
    return `${place}/${name}`;
  };
  const bring = (path: string, name: string, writable: boolean): string => {
    if (!map) return path;
    const slot = takeSlot(context);
    addStep(context, "host", { op: "OPEN_TREE", slot, path, recursive: 0, nofollow: 0 }, pointer);
    addStep(context, "host", { op: "MOUNT_ATTR", slot, set: writable ? 0 : MOUNT_ATTR.RDONLY, clear: 0, propagation: MS.PRIVATE, recursive: 0 }, pointer);
    addStep(context, "parent", { op: "IDMAP", slot, namespace: 0xffffffff }, pointer);
    addStep(context, "child", { op: "MOUNT", slot, target: folder(name), create: CREATE.NOTHING }, pointer);
    return `${place}/${name}`;
  };
  const options = writeLowers(lower.map((path, index) => bring(path, `lower${index}`, false)), context.host.kernel);
  if (scratch) return [...options, `upperdir=${folder("upper")}`, `workdir=${folder("work")}`];
  if (upper === undefined || work === undefined) return options;
  // both sides have to be on one mount
  const above = bring(posix.dirname(upper), "writable", true);
  return [...options, `upperdir=${escape(`${above}/${posix.basename(upper)}`)}`, `workdir=${escape(`${above}/${posix.basename(work)}`)}`];
}

/** Each by itself where the kernel takes that (6.7), since one option holds no more than 255 bytes. */
function writeLowers(lower: string[], [major, minor]: readonly [number, number]): string[] {
  if (major > 6 || (major === 6 && minor >= 7)) return lower.map((path) => `lowerdir+=${path}`);
  return [`lowerdir=${lower.map(escape).join(":")}`];
}

function escape(path: string): string {
  return path.replace(/[\\:]/g, "\\$&");
}
