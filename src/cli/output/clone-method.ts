import type { CloneMethod } from "../../rootfs/clone/clone-root.js";

export function describeMethod(method: CloneMethod): string {
  return method === "reflink" ? "which shares its blocks" : "copied whole: the file system shares no blocks";
}
