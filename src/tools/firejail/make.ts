import { isBeneath } from "../../host/mountinfo.js";
import { expandMacros, type Places } from "./macros.js";
import { refusePath } from "./paths.js";
import type { Rule } from "./rule.js";

/** What profiles have made on the host before the sandbox starts. */
export interface Created {
  folders: string[];
  files: string[];
}

/** mkdir and mkfile: only in the home, /tmp and /run/user/UID, so that a profile cannot make folders anywhere else. */
export function listCreated(rules: readonly Rule[], places: Places): Created {
  const paths = (name: string): string[] => rules.filter((rule) => rule.name === name).flatMap((rule) => expandMacros(rule.value, places).map((path) => check(places, path, rule)));
  return { folders: paths("mkdir"), files: paths("mkfile") };
}

function check({ home, runUser }: Places, path: string, rule: Rule): string {
  const fits = ["/tmp", home, runUser].some((place) => path !== place && isBeneath(path, place)) && !path.split("/").includes("..");
  if (!fits) throw refusePath(rule, `only files or directories in user home, /tmp, or /run/user/<UID> are supported by ${rule.name}, and ${path} is none`);
  return path;
}
