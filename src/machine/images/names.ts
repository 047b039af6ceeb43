import { imageError } from "./image-error.js";

/**
 * Whether a word can name an image: a file name that is no beginning of a path, shows as it is written, and is none of
 * the hidden names that work in progress has.
 */
export function isImageName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return name !== "" && name !== "." && name !== ".." && name.length <= 250 && !/[/\u0000-\u001f\u007f]/.test(name) && !name.startsWith(".#");
}

/** What a machine can be called: a host's name of one or more labels (hostname(7)). */
export function isMachineName(name: string): boolean {
  return name.length <= 64 && /^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$/.test(name);
}

/** @throws BrigError BRIG_BAD_NAME */
export function requireImageName(name: string): string {
  if (!isImageName(name)) throw imageError(`Image name '${name}' is invalid.`, "BRIG_BAD_NAME");
  return name;
}

/** @throws BrigError BRIG_BAD_NAME */
export function requireMachineName(name: string): string {
  if (!isMachineName(name)) throw imageError(`Local name ${name} is not a suitable machine name.`, "BRIG_BAD_NAME", "letters, digits, and within them - _ .");
  return name;
}

/** "debian" of "/srv/debian.tar.xz" or "http://host/debian.raw?x"; undefined when nothing is left. */
export function nameAfter(source: string): string | undefined {
  const path = /^https?:/.test(source) ? new URL(source).pathname : source;
  const last = path.split("/").filter(Boolean).at(-1) ?? "";
  const name = last.replace(/\.(gz|xz|bz2|zst)$/, "").replace(/\.(tar|tgz|raw|qcow2|img)$/, "");
  return name === "" ? undefined : name;
}
