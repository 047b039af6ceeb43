import type { Spec } from "../../spec/oci.js";
import type { Change } from "./changes.js";

/**
 * The changes without places that were made only to be mounted on, where the payload put nothing into them.
 * @param at where the overlay is in the payload's root
 */
export function dropMountPoints(changes: readonly Change[], at: string, spec: Spec | undefined): Change[] {
  const within = (path: string): string => `${at === "/" ? "" : at}/${path.replace(/^\//, "")}`;
  const points = new Set((spec?.mounts ?? []).flatMap(({ destination }) => listAbove(destination)));
  const isMade = (change: Change): boolean => change.kind === "added" && points.has(within(change.path));
  const kept = changes.filter((change) => !isMade(change));
  return changes.filter((change) => !isMade(change) || kept.some(({ path }) => path.startsWith(`${change.path}/`)));
}

/** "/a/b" is made in "/a". */
function listAbove(path: string): string[] {
  const names = path.split("/").filter(Boolean);
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
}
