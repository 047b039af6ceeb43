import type { Mount } from "../spec/oci.js";
import type { Draft } from "./draft.js";

/**
 * Puts outer places before those within them, so that no mount covers another that was asked for; among equals the
 * order stays. The origins move along.
 */
export function orderMounts(draft: Draft): void {
  const paired = draft.mounts.map((mount, index) => ({ mount, origin: draft.origins[`/mounts/${index}`], depth: measureDepth(mount) }));
  const ordered = paired.toSorted((a, b) => a.depth - b.depth);
  draft.mounts = ordered.map(({ mount }) => mount);
  ordered.forEach(({ origin }, index) => {
    if (origin) draft.origins[`/mounts/${index}`] = origin;
  });
}

function measureDepth({ destination }: Mount): number {
  return destination === "/" ? 0 : destination.split("/").length;
}
