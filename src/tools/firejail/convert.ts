import { existsSync } from "node:fs";
import { expandMacros } from "./macros.js";
import type { Load } from "./load.js";
import { placeOf } from "./lint.js";
import { hasRule, listValues, type Rule } from "./rule.js";

/** What brig run does by default, so that a rule for it need not be said. */
const BY_DEFAULT = new Set([
  "noroot", "nogroups", "nonewprivs", "private-tmp", "private-dev", "private-cache", "private", "ipc-namespace", "machine-id", "nosound", "novideo", "notv",
  "nodvd", "nou2f", "noinput", "no3d", "noprinters", "disable-mnt", "restrict-namespaces", "seccomp", "seccomp.block-secondary", "caps", "caps.drop", "x11",
  "dbus-user", "dbus-system", "mkdir", "mkfile", "quiet", "netfilter", "deterministic-exit-code", "deterministic-shutdown", "noblacklist", "blacklist", "blacklist-nolog", "net", "protocol",
]);
const CONVERTED = new Set(["whitelist", "whitelist-ro", "read-only", "tmpfs", "env", "hostname", "nice", "caps.keep", "timeout"]);

/**
 * brig's own profile (TOML) for a Firejail profile. The two begin at opposite ends: Firejail shows the host and hides,
 * `brig run` hides and shows. So what Firejail whitelists is what brig shows; and what has no counterpart stands as a
 * comment with its place, to be decided by a person.
 */
export function convertProfile(load: Load): string {
  const { rules } = load;
  const paths = (...names: string[]): string[] => [...new Set(rules.filter(({ name }) => names.includes(name)).flatMap(({ value }) => expandShort(value, load)))].filter((path) => !/[*?[]/.test(path));
  const readonly = new Set(paths("whitelist-ro", "read-only"));
  const home = paths("whitelist").filter((path) => path.startsWith("~/"));
  const isHere = (path: string): boolean => existsSync(load.places.home + path.slice(1));
  const shown = home.filter(isHere);
  const lines = [
    `# Converted from ${rules.find(({ origin }) => origin.file !== undefined)?.origin.file ?? "a profile"}. brig run shows nothing of the home that is not named here.`,
    list("write", shown.filter((path) => !readonly.has(path))),
    list("read", shown.filter((path) => readonly.has(path))),
    list("tmpfs", paths("tmpfs")),
    `net = ${quote(hasRule(rules, "net") ? "none" : "host")}`,
    list("capAdd", listValues(rules, "caps.keep").map(({ value }) => value)),
    list("env", rules.filter(({ name }) => name === "env").map(({ value }) => value)),
    list("rlimits", rules.filter(({ name }) => name.startsWith("rlimit-")).map(({ name, value }) => `${name.slice("rlimit-".length)}=${value}`)),
    scalar("hostname", rules),
    ...home.filter((path) => !isHere(path)).map((path) => `# not there now: ${path}`),
    ...rules.filter(isLeft).map((rule) => `# no counterpart: ${`${rule.name} ${rule.value}`.trim()} (${placeOf(rule)})`),
  ];
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

/** "~/" stays for the home, whoever runs it. */
function expandShort(value: string, { places }: Load): string[] {
  const { home } = places;
  return expandMacros(value, places).map((path) => (path.startsWith(`${home}/`) ? `~/${path.slice(home.length + 1)}` : path));
}

function isLeft({ name }: Rule): boolean {
  return !BY_DEFAULT.has(name) && !CONVERTED.has(name) && !name.startsWith("rlimit-") && !name.startsWith("dbus-");
}

function scalar(name: string, rules: readonly Rule[]): string {
  const rule = rules.findLast((each) => each.name === name);
  return rule ? `${name} = ${quote(rule.value)}` : "";
}

function list(name: string, values: readonly string[]): string {
  return values.length === 0 ? "" : `${name} = [\n${values.map((value) => `  ${quote(value)},\n`).join("")}]`;
}

const quote = (text: string): string => JSON.stringify(text);
