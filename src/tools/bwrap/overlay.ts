import { refuseWords } from "./values.js";

/** Folders that every host has; in the sandbox's own mount namespace each may be covered for a moment. */
const PLACES = ["/tmp", "/run", "/usr", "/etc", "/dev"];

/** A folder of the host on which a tmpfs may stand while an overlay over these folders is made. */
export function placeForTmpfs(lower: string[]): string {
  const place = PLACES.find((one) => !lower.some((path) => path === "/" || path === one || path.startsWith(`${one}/`)));
  if (place === undefined) throw refuseWords("--tmp-overlay over all of / is not supported by brig", "bind / and overlay the folders in it that shall be written");
  return place;
}

/**
 * The layers, whose last is the uppermost. One at a time where the kernel takes that (6.7): a single option holds no
 * more than 255 bytes.
 */
export function writeLayers(lower: string[], [major, minor]: readonly [number, number]): string[] {
  const downwards = [...lower].reverse();
  if (major > 6 || (major === 6 && minor >= 7)) return downwards.map((path) => `lowerdir+=${path}`);
  return [`lowerdir=${downwards.map((path) => path.replace(/[\\:]/g, "\\$&")).join(":")}`];
}
