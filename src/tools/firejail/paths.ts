import { realpathSync } from "node:fs";
import { posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { describeOrigin } from "../../spec/origin.js";
import type { Draft } from "./draft.js";
import { expandGlob } from "./glob.js";
import { expandMacros, hasKnownMacro } from "./macros.js";
import type { Rule } from "./rule.js";

/** The paths of a rule's value: macros and patterns expanded. A path without a pattern may be missing. */
export function expandPaths(draft: Draft, rule: Rule): string[] {
  return expandWords(draft, rule).flatMap((path) => expandGlob(path, draft.context.folders));
}

/** The same with patterns as they stand. */
export function expandWords({ context }: Draft, rule: Rule): string[] {
  const { value } = rule;
  if (!hasKnownMacro(value)) throw refusePath(rule, `there is no macro as in ${value}`);
  const paths = expandMacros(value, context.places);
  for (const path of paths) if (!path.startsWith("/") || (path.includes("..") && path.split("/").includes(".."))) throw refusePath(rule, `${value} is no absolute path without ".."`);
  return paths.map(tidy);
}

function tidy(path: string): string {
  const normal = path.includes("//") || path.endsWith("/") || path.includes("/.") ? posix.normalize(path) : path;
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** Where a path leads on the host, or undefined when that is nowhere or not for the caller to see. */
export function findReal(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

export function refusePath(rule: Rule, message: string): BrigError {
  const hint = "write the whole path, or begin with ${HOME}, ${RUNUSER}, ${PATH}, ${DOWNLOADS} …";
  return new BrigError(message, { code: "BRIG_BAD_VALUE", exitCode: 1, origin: describeOrigin(rule.origin), hint });
}

/** A rule that brig cannot enforce. */
export function refuseRule(rule: Rule, code: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code, exitCode: 1, origin: describeOrigin(rule.origin), hint });
}
