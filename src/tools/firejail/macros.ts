import { readText } from "../../host/read-text.js";

/** What the macros of a profile stand for. */
export interface Places {
  /** Absolute. */
  home: string;
  /** "/run/user/UID". */
  runUser: string;
  /** The system's folder of profiles, which ${CFG} is. */
  system: string;
  /** The user's XDG folder of this name ("DOWNLOAD"), absolute; undefined when there is none. */
  findXdgFolder(name: string): string | undefined;
}

/** The folders that ${PATH} stands for, in Firejail's order. */
export const PATH_FOLDERS = ["/usr/local/bin", "/usr/local/sbin", "/bin", "/usr/bin", "/sbin", "/usr/sbin"];

/** Macro to the variable of user-dirs.dirs, and what the folder is called where nothing is set. */
const XDG: Record<string, [name: string, fallback: string]> = {
  DOWNLOADS: ["DOWNLOAD", "Downloads"],
  DOCUMENTS: ["DOCUMENTS", "Documents"],
  DESKTOP: ["DESKTOP", "Desktop"],
  MUSIC: ["MUSIC", "Music"],
  PICTURES: ["PICTURES", "Pictures"],
  VIDEOS: ["VIDEOS", "Videos"],
};

/**
 * The paths that a value with a macro in front stands for: one, several for ${PATH}, none for a folder of the user's
 * that does not exist. A value without a macro is itself; "~/" is the home.
 */
export function expandMacros(value: string, places: Places): string[] {
  if (value.startsWith("~/") || value === "~") return [places.home + value.slice(1)];
  if (!value.startsWith("${")) return [value];
  const end = value.indexOf("}");
  const rest = value.slice(end + 1);
  const name = value.slice(2, end);
  if (name === "PATH") return PATH_FOLDERS.map((folder) => folder + rest);
  const folder = expandFolder(name, places);
  return folder === undefined ? [] : [folder + rest];
}

function expandFolder(name: string, places: Places): string | undefined {
  if (name === "HOME") return places.home;
  if (name === "RUNUSER") return places.runUser;
  if (name === "CFG") return places.system;
  return Object.hasOwn(XDG, name) ? places.findXdgFolder(name) : undefined;
}

/** Whether a value begins with a macro that Firejail has, or with none. */
export function hasKnownMacro(value: string): boolean {
  if (!value.startsWith("${")) return true;
  const match = /^\$\{(\w*)\}/.exec(value);
  if (!match) return false;
  const [, name = ""] = match;
  return ["HOME", "RUNUSER", "CFG", "PATH"].includes(name) || Object.hasOwn(XDG, name);
}

/** Reads ~/.config/user-dirs.dirs (xdg-user-dirs) when first asked; without an entry, the English name if it is there. */
export function makeXdgFinder(home: string, isFolder: (path: string) => boolean): (macro: string) => string | undefined {
  let set: Map<string, string> | undefined;
  return (macro) => {
    const [name, fallback] = XDG[macro] ?? [];
    if (name === undefined) return undefined;
    set ??= parseUserDirs(readText(`${home}/.config/user-dirs.dirs`) ?? "", home);
    const folder = set.get(name) ?? `${home}/${fallback}`;
    return isFolder(folder) ? folder : undefined;
  };
}

/** Lines `XDG_DOWNLOAD_DIR="$HOME/Down"`: below the home or absolute; the home itself means that there is none. */
export function parseUserDirs(text: string, home: string): Map<string, string> {
  const folders = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^XDG_([A-Z]+)_DIR="(\$HOME|)(\/[^"]*)?"\s*$/.exec(line);
    if (!match) continue;
    const [, name = "", base, rest = ""] = match;
    const folder = (base ? home : "") + rest.replace(/\/+$/, "");
    if (folder !== home && folder !== "") folders.set(name, folder);
  }
  return folders;
}
