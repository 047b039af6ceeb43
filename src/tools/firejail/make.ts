import { isBeneath } from "../../host/mountinfo.js";
import type { Draft } from "./draft.js";
import { expandWords, refusePath } from "./paths.js";
import type { Rule } from "./rule.js";

/** mkdir and mkfile: only in the home, /tmp and /run/user/UID, so that a profile cannot make folders anywhere else. */
export function listCreated(draft: Draft): { folders: string[]; files: string[] } {
  const paths = (name: string): string[] => draft.rules.filter((rule) => rule.name === name).flatMap((rule) => expandWords(draft, rule).map((path) => check(draft, path, rule)));
  return { folders: paths("mkdir"), files: paths("mkfile") };
}

function check({ context }: Draft, path: string, rule: Rule): string {
  const { home, runUser } = context.places;
  const fits = ["/tmp", home, runUser].some((place) => path !== place && isBeneath(path, place));
  if (!fits) throw refusePath(rule, `only files or directories in user home, /tmp, or /run/user/<UID> are supported by ${rule.name}, and ${path} is none`);
  return path;
}
