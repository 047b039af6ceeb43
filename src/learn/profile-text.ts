import { isBeneath } from "../host/mountinfo.js";
import type { Line } from "./line.js";

export interface ProfileTexts {
  /** The profile, as TOML. */
  text: string;
  /** An OCI seccomp document that stands beside it, when it names one. */
  seccomp?: string;
}

export interface ProfileHead {
  command: readonly string[];
  runs: number;
  home: string;
  /** File name of the seccomp document. */
  seccompName: string;
  /** What was used and turned out not to be needed. */
  unneeded: readonly Line[];
}

const LISTS = ["read", "write", "devices", "allowHosts", "capAdd"] as const;

/** A profile for `brig run --profile`, each line with what it is for. */
export function renderProfile(lines: readonly Line[], head: ProfileHead): string {
  const { command, runs, unneeded } = head;
  const parts = [
    `# Learned by brig from ${runs === 1 ? "one run" : `${runs} runs`} of: ${comment(command.join(" "))}`,
    `command = ${showList(command)}`,
    ...lines.filter(({ key }) => key === "project" || key === "net").map(({ key, value, why }) => `${key} = ${quote(value)} # ${comment(why)}`),
    ...lines.filter(({ key }) => key === "seccomp").map(({ value }) => `seccomp = ${quote(`./${head.seccompName}`)} # the default, and ${comment(value)}`),
    ...LISTS.flatMap((key) => renderList(key, lines.filter((line) => line.key === key), head)),
    ...(unneeded.length > 0 ? ["", "# Used, and not needed:", ...unneeded.map(({ key, value, why }) => `#   ${key} ${comment(showPath(value, head.home))}: ${comment(why)}`)] : []),
  ];
  return `${parts.join("\n")}\n`;
}

function renderList(key: string, lines: Line[], { home }: ProfileHead): string[] {
  if (lines.length === 0) return [];
  return [`${key} = [`, ...lines.map(({ value, why }) => `  ${quote(showPath(value, home))}, # ${comment(why)}`), "]"];
}

function showList(words: readonly string[]): string {
  return `[${words.map(quote).join(", ")}]`;
}

/** A path in the home holds for whoever uses the profile. */
function showPath(path: string, home: string): string {
  return home !== "/" && isBeneath(path, home) ? `~${path.slice(home.length)}` : path;
}

/** A TOML basic string: JSON's, but for DEL, which it takes escaped only. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

/** Nothing in a comment ends it. */
function comment(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}
