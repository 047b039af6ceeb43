import { resolve } from "node:path";
import { formatBind, parseBind } from "./parse/bind.js";
import type { Profile } from "./profile-schema.js";

/** A copy whose relative host paths start at this folder. */
export function anchorPaths(profile: Profile, folder: string): Profile {
  const anchored: Profile = { ...profile };
  for (const key of ["read", "write", "hide"] as const) {
    const paths = profile[key];
    if (paths) anchored[key] = paths.map((path) => anchorPath(path, folder));
  }
  if (profile.bind) anchored.bind = profile.bind.map((words) => anchorBind(words, folder));
  if (profile.root !== undefined) anchored.root = anchorPath(profile.root, folder);
  if (profile.seccomp !== undefined) anchored.seccomp = anchorSeccomp(profile.seccomp, folder);
  return anchored;
}

function anchorPath(path: string, folder: string): string {
  return path === "~" || path.startsWith("~/") ? path : resolve(folder, path);
}

function anchorBind(words: string, folder: string): string {
  const bind = parseBind(words);
  return formatBind({ ...bind, source: anchorPath(bind.source, folder) });
}

function anchorSeccomp(filter: string, folder: string): string {
  return filter === "default" || filter === "none" ? filter : anchorPath(filter, folder);
}
