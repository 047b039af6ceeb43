import { basename } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import type { FirejailConfig } from "./config.js";
import { expandMacros, type Places } from "./macros.js";
import { addIgnore, type Load, loadProfile } from "./load.js";
import type { ProfileFiles } from "./profile-files.js";
import type { Words } from "./grammar.js";

export interface Loaded extends Load {
  /** The profile that was chosen, absolute. */
  chosen: string | undefined;
}

/**
 * The rules of a command line and the profile that it names or that its program has (firejail(1), "SECURITY PROFILES").
 * @param program the command's first word, or undefined for a shell
 */
export function loadRules(words: Words, program: string | undefined, files: ProfileFiles, places: Places, config: FirejailConfig, root: boolean): Loaded {
  const load: Loaded = { files, places, config, rules: [], ignored: new Set(), skipped: [], chosen: undefined, ...(words.appimage ? { appimage: true } : {}) };
  for (const step of words.steps) {
    if (step.kind === "rule") load.rules.push(step.rule);
    else if (step.kind === "ignore") ignoreBefore(load, step.words, step.text);
    else if (step.kind === "include") loadProfile(load, findNamed(files, places, step.name, "include"));
    else load.rules.push(...loadNamed(load, step.name));
  }
  if (words.noprofile || load.chosen !== undefined) return load;
  load.chosen = findFor(files, program, root);
  if (load.chosen === undefined) throw new BrigError("there is no default profile", { code: "BRIG_NO_SUCH_PROFILE", exitCode: 1, hint: "apt-get install firejail-profiles, or --noprofile" });
  loadProfile(load, load.chosen);
  return load;
}

/** What is read already cannot be ignored any more. */
function ignoreBefore(load: Loaded, words: string, text: string): void {
  if (load.chosen !== undefined) throw new BrigError("please use --profile after --ignore", { code: "BRIG_BAD_OPTION", exitCode: 1, hint: `put ${text} before --profile` });
  addIgnore(load, words, text);
}

function loadNamed(load: Loaded, name: string): [] {
  load.chosen = findNamed(load.files, load.places, name, "profile");
  loadProfile(load, load.chosen);
  return [];
}

/** --profile=NAME is NAME.profile in one of the folders; with a slash or the ending it is a file. */
export function findNamed(files: ProfileFiles, places: Places, name: string, option: "profile" | "include"): string {
  const [path = name] = expandMacros(name, places);
  if (path.includes("/")) {
    const absolute = path.startsWith("/") ? path : `${process.cwd()}/${path}`;
    if (files.read(absolute)) return absolute;
    throw refuseProfile(`inaccessible profile file: ${name}`);
  }
  const found = files.find(option === "include" || name.endsWith(".profile") || name.endsWith(".inc") ? name : `${name}.profile`);
  const here = `${process.cwd()}/${name}`;
  if (found !== undefined) return found;
  if (files.read(here)) return here;
  throw refuseProfile(`no profile with name "${name}" found.`);
}

/** A program's own profile, else the one for all programs, else the one for root's. */
function findFor(files: ProfileFiles, program: string | undefined, root: boolean): string | undefined {
  const name = program === undefined ? undefined : basename(program);
  const own = name === undefined || name === "" ? undefined : files.find(`${name}.profile`);
  return own ?? files.find(root ? "server.profile" : "default.profile");
}

function refuseProfile(message: string): BrigError {
  return new BrigError(message, { code: "BRIG_NO_SUCH_PROFILE", exitCode: 1, hint: "profiles are in ~/.config/firejail and /etc/firejail; --noprofile goes without one" });
}
