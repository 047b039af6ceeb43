import type { Change } from "../../rootfs/overlay/changes.js";

/** As `docker diff` has them. */
export const letters: Record<Change["kind"], string> = { added: "A", changed: "C", deleted: "D" };

/** A payload chooses these names: what steers a terminal is shown as \xNN. */
export function showPath(path: string): string {
  // oxlint-disable-next-line no-control-regex
  return path.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
