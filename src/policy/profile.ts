import { dirname, resolve } from "node:path";
import { formatPath } from "../spec/describe-issues.js";
import type { SandboxOptions } from "./options.js";
import { indexLines, type Lines } from "./profile-lines.js";
import { type Layer, mergeProfiles, type Place } from "./profile-merge.js";
import { anchorPaths } from "./profile-paths.js";
import { parseProfileText, readProfileText, refuseProfile } from "./profile-read.js";
import { type Profile, profileSchema } from "./profile-schema.js";
import { validateWith } from "./validate-options.js";

export type { Place };

export interface LoadedProfile {
  options: SandboxOptions;
  /** Program and arguments, when the profile names them. */
  command?: string[];
  /** "memory", and for lists and tables also each entry: "read[1]", "env.NAME". */
  origins: Map<string, Place>;
  /** Every file that was read, absolute: the profile's first, then those that it builds on. */
  files: string[];
}

const MAX_DEPTH = 16;
const MAX_FILES = 64;

/**
 * Reads a profile: TOML, or JSON when the file's name ends with ".json" or its text begins with "{".
 *
 * `extends` names profiles that come first: lists (read, bind, rlimits …) are joined, tables (env, sysctl, labels)
 * merged by name, everything else is replaced. Relative paths in a profile, `extends` included, start at the folder
 * of the file that they are written in, whoever calls from wherever; "~/" stays for the user's home. `cwd` and the
 * places inside of `bind` and `tmpfs` are the sandbox's and stay as they are.
 *
 * @throws BrigError BRIG_BAD_PROFILE: cannot be read, beyond 1 MiB, not TOML or JSON, an unknown key or bad value
 *   (all at once, each with file and line), a loop of `extends`, more than 16 deep or 64 files
 */
export function loadProfile(file: string): LoadedProfile {
  const files: string[] = [];
  const layers = loadLayers(resolve(file), undefined, [], files);
  const { profile, origins } = mergeProfiles(layers);
  const { $schema: _, extends: __, command, ...options } = profile;
  return { options, origins, files, ...(command ? { command } : {}) };
}

/** The file's own layer behind those that it builds on. `above` says which files' `extends` led here. */
function loadLayers(file: string, asker: string | undefined, above: readonly string[], files: string[]): Layer[] {
  const { text, identity } = readProfileText(file, asker);
  if (above.includes(identity)) refuseProfile(`${asker}: ${file} builds on itself`, "take one `extends` of the loop out");
  if (above.length > MAX_DEPTH || files.length >= MAX_FILES)
    refuseProfile(`${asker}: too many profiles build on each other`, `at most ${MAX_DEPTH} deep and ${MAX_FILES} files`);
  files.push(file);
  const { profile, lines } = readProfile(file, text);
  const bases = [profile.extends ?? []].flat();
  return [
    ...bases.flatMap((base) => loadLayers(resolve(dirname(file), base), formatPlace(file, lines, ["extends"]), [...above, identity], files)),
    { file, profile: anchorPaths(profile, dirname(file)), lines },
  ];
}

function readProfile(file: string, text: string): { profile: Profile; lines: Lines } {
  const { document, format } = parseProfileText(file, text);
  const { lines, repeated } = indexLines(text, format);
  if (format === "json" && repeated[0] !== undefined)
    refuseProfile(`${file}:${lines.get(repeated[0])}: ${repeated[0]} stands here for the second time`, "keep one of the two");
  const profile = validateWith(profileSchema, document, (path) => formatPlace(file, lines, path), "BRIG_BAD_PROFILE");
  return { profile, lines };
}

/** "FILE:LINE" of a setting, or of what it stands in. */
function formatPlace(file: string, lines: Lines, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(formatSetting(path.slice(0, length)));
    if (line !== undefined) return `${file}:${line}`;
  }
  return file;
}

/** A setting's name in `Lines`: names behind dots, unquoted. */
function formatSetting(path: readonly PropertyKey[]): string {
  return path.map((key, index) => (typeof key === "number" ? formatPath([key]) : `${index ? "." : ""}${String(key)}`)).join("");
}
