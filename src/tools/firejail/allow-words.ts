import type { Denial } from "../../denials/denial.js";
import { isBeneath } from "../../host/mountinfo.js";
import { showWord } from "../../denials/words.js";

/** The option of brig firejail that would have let a refused thing through; undefined where there is none. */
function findAllowing({ kind, what, origin, call }: Denial, home: string, masked: readonly string[]): string | undefined {
  const path = what.startsWith("/") ? showWord(what, home) : undefined;
  const mask = masked.find((each) => isBeneath(what, each));
  if (kind === "masked" && mask !== undefined) return origin?.text.startsWith("firejail: ") ? undefined : `--noblacklist=${showWord(mask, home)}`;
  if (kind === "hidden" && path !== undefined) return `--whitelist=${path}`;
  if (kind === "read-only" && path !== undefined) return origin?.text.startsWith("firejail: ") ? undefined : `--read-write=${path}`;
  if (kind === "call") return `--seccomp=!${call}`;
  const line = origin?.kind === "profile" || origin?.kind === "flag" ? origin.text.replace(/^--/, "").split(/[ =]/)[0] : undefined;
  return line === undefined ? undefined : `--ignore=${line}`;
}

/**
 * The words of `brig firejail` in the place of those of `brig run`.
 * @param masked the sandbox's masked paths
 */
export function speakFirejail(denial: Denial, home: string, masked: readonly string[]): Denial {
  const { allow: _allow, advice: _advice, ...rest } = denial;
  const allow = findAllowing(denial, home, masked);
  return { ...rest, ...(allow === undefined ? { advice: "no option of firejail opens that" } : { allow }) };
}
