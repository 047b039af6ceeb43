import { BrigError } from "../../error/brig-error.js";
import { isEnabled, type FirejailConfig } from "./config.js";
import { findFault } from "./directives.js";
import { isIgnored, splitConditional, splitLine } from "./line.js";
import { expandMacros, type Places } from "./macros.js";
import type { ProfileFiles, ProfileLine } from "./profile-files.js";
import { hasRule, type Rule } from "./rule.js";

/** How deep profiles may include each other, and how many lines of `ignore` there may be (firejail.h). */
const MAX_DEPTH = 16;
const MAX_IGNORED = 64;

/** A load in progress: options of the command line first, then the profile's lines, in the order in which they count. */
export interface Load {
  files: ProfileFiles;
  places: Places;
  config: FirejailConfig;
  rules: Rule[];
  ignored: Set<string>;
  /** `--appimage` was given. */
  appimage?: boolean;
  /** Lines that did not count, and why; for `brig profile show --all` and lint. */
  skipped: { rule: Rule; why: string }[];
}

/** Adds `ignore WORDS`, which holds for the lines behind it. */
export function addIgnore(load: Load, words: string, place: string): void {
  if (load.ignored.size >= MAX_IGNORED && !load.ignored.has(words))
    throw refuse(place, `there are more than ${MAX_IGNORED} lines of ignore`, "take some out: firejail has the same limit");
  load.ignored.add(words);
}

/**
 * Reads a profile with all that it includes into `load.rules`.
 * @param path absolute
 * @throws BrigError BRIG_BAD_PROFILE with file and line: an unknown directive, a missing file that is no `.local` one,
 *   more than 16 includes in each other
 */
export function loadProfile(load: Load, path: string, depth = 0): void {
  const lines = load.files.read(path);
  if (!lines) throw refuse(path, "there is no such profile", "profiles are looked for in ~/.config/firejail and /etc/firejail; --noprofile goes without one");
  for (const line of lines) loadLine(load, path, line, line.text, depth);
}

function loadLine(load: Load, file: string, line: ProfileLine, text: string, depth: number): void {
  const conditional = splitConditional(text);
  if (conditional) {
    const holds = holdsCondition(load, conditional.condition, file, line);
    if (holds) loadLine(load, file, line, conditional.line, depth);
    else load.skipped.push({ rule: makeRule(file, line, conditional.line), why: `${conditional.condition} does not hold` });
    return;
  }
  if (isIgnored(text, load.ignored)) return void load.skipped.push({ rule: makeRule(file, line, text), why: "ignored" });
  const { name, value } = splitLine(text);
  const fault = findFault(name, value);
  if (fault) throw refuse(`${file}:${line.number}: ${text}`, fault, "see firejail-profile(5)");
  if (name === "ignore") addIgnore(load, value, `${file}:${line.number}`);
  else if (name === "include") include(load, file, line, value, depth);
  else load.rules.push(makeRule(file, line, text));
}

function makeRule(file: string, line: ProfileLine, text: string): Rule {
  return { ...splitLine(text), origin: { kind: "profile", text, file, line: line.number } };
}

function include(load: Load, file: string, line: ProfileLine, value: string, depth: number): void {
  const place = `${file}:${line.number}: include ${value}`;
  if (depth + 1 > MAX_DEPTH) throw refuse(place, `profiles include each other more than ${MAX_DEPTH} deep`, "break the loop, or ignore the include");
  const path = findIncluded(load, value);
  if (path !== undefined) loadProfile(load, path, depth + 1);
  // customisations are an administrator's or user's to make or not to make
  else if (!value.endsWith(".local")) throw refuse(place, "there is no such file", "it is looked for in ~/.config/firejail and /etc/firejail");
}

/** A name without a slash is looked for in the user's folder and then in the system's. */
function findIncluded({ files, places }: Load, value: string): string | undefined {
  const [path = value] = expandMacros(value, places);
  if (!path.includes("/")) return files.find(path);
  return files.read(path) ? path : undefined;
}

type Condition = (load: Load) => boolean;

const isOff = (load: Load, bus: string): boolean => load.rules.some((rule) => rule.name === bus || rule.name === "nodbus");

/** firejail-profile(5), "Scripting". What options of the command line say counts, and what lines before this one say. */
const CONDITIONS: Record<string, Condition> = {
  HAS_APPIMAGE: (load) => load.appimage ?? false,
  HAS_NET: (load) => hasRule(load.rules, "net"),
  HAS_NODBUS: (load) => isOff(load, "dbus-user") || isOff(load, "dbus-system"),
  HAS_NOSOUND: (load) => hasRule(load.rules, "nosound"),
  HAS_PRIVATE: (load) => hasRule(load.rules, "private"),
  HAS_X11: (load) => hasRule(load.rules, "x11"),
  ALLOW_TRAY: ({ config }) => isEnabled(config, "allow-tray"),
  BROWSER_ALLOW_DRM: ({ config }) => isEnabled(config, "browser-allow-drm"),
  BROWSER_DISABLE_U2F: ({ config }) => isEnabled(config, "browser-disable-u2f"),
};

function holdsCondition(load: Load, name: string, file: string, line: ProfileLine): boolean {
  const condition = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined;
  if (!condition || !line.text.includes(":")) throw refuse(`${file}:${line.number}: ${line.text}`, `there is no condition ${JSON.stringify(name)}`, Object.keys(CONDITIONS).join(", "));
  return condition(load);
}

function refuse(place: string, why: string, hint: string): BrigError {
  return new BrigError(`${place}: ${why}`, { code: "BRIG_BAD_PROFILE", exitCode: 1, hint });
}
