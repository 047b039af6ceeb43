import { isBeneath } from "../host/mountinfo.js";
import { findReal, isDevice } from "./host-side.js";
import { folderOf, type Inside } from "./inside.js";

/** As a shell takes it, short for the home. */
export function showWord(path: string, home: string): string {
  const short = home !== "/" && isBeneath(path, home) ? `~${path.slice(home.length)}` : path;
  if (/^~?[\w@%+=:,./-]*$/.test(short)) return short;
  return quote(path);
}

function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) return `$'${text.replaceAll(/['\\]/g, "\\$&").replaceAll(/[\u0000-\u001f\u007f]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`)}'`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The words that show a path of the host. */
export function wordToShow(inside: Inside, path: string, write: boolean): string | undefined {
  const real = findReal(path);
  if (real.startsWith("/dev/") && isDevice(real)) return `--device ${showWord(real, inside.hostHome)}`;
  if (real === "/") return undefined;
  return `${write ? "--write" : "--read"} ${showWord(real, inside.hostHome)}`;
}

/** The words that let entries be made in the folder that holds a path. */
export function wordToFill(inside: Inside, path: string): string | undefined {
  return wordToShow(inside, folderOf(path), true);
}
