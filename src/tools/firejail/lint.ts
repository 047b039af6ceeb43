import { makeMatcher, isPattern } from "./glob.js";
import type { Load } from "./load.js";
import { expandMacros } from "./macros.js";
import type { Rule } from "./rule.js";

/** A rule that does nothing, or not what it seems to. */
export interface Finding {
  rule: Rule;
  why: string;
}

/** Rules that cannot take effect, in the order of the profile. Looks at the words alone, not at the host. */
export function lintProfile(load: Load): Finding[] {
  const found = [...findRepeated(load.rules), ...findIdleExceptions(load), ...findIdleDetails(load.rules), ...findIdleIgnores(load)];
  const place = new Map(load.rules.map((rule, index) => [rule, index]));
  return found.sort((a, b) => (place.get(a.rule) ?? Infinity) - (place.get(b.rule) ?? Infinity));
}

/** Lists add up and orders matter: only a line that stands twice as it is says nothing the second time. */
function findRepeated(rules: readonly Rule[]): Finding[] {
  const seen = new Map<string, Rule>();
  return rules.flatMap((rule) => {
    const text = `${rule.name} ${rule.value}`;
    const first = seen.get(text);
    if (!first) seen.set(text, rule);
    return first ? [{ rule, why: `the same as ${placeOf(first)}` }] : [];
  });
}

export function placeOf({ origin }: Rule): string {
  return origin.file === undefined ? origin.text : `${origin.file}:${origin.line}`;
}

/** noblacklist holds for the blacklists behind it. */
function findIdleExceptions({ rules, places }: Load): Finding[] {
  const hidden = rules.flatMap((rule, index) => (rule.name.startsWith("blacklist") ? expandMacros(rule.value, places).map((path) => ({ path, index })) : []));
  return rules.flatMap((rule, index) => {
    if (rule.name !== "noblacklist") return [];
    const tests = expandMacros(rule.value, places);
    const hits = hidden.filter(({ path }) => tests.some((words) => words === path || (isPattern(words) && makeMatcher(words)(path)) || (isPattern(path) && makeMatcher(path)(words))));
    if (hits.length === 0) return [{ rule, why: "nothing blacklists it" }];
    return hits.every((hit) => hit.index < index) ? [{ rule, why: "the blacklist stands before it, where it does not hold" }] : [];
  });
}

/** Words that need another one beside them. */
function findIdleDetails(rules: readonly Rule[]): Finding[] {
  const has = (name: string, value?: string): boolean => rules.some((rule) => rule.name === name && (value === undefined || rule.value === value));
  return rules.flatMap((rule) => {
    const bus = /^(dbus-(?:user|system))\./.exec(rule.name)?.[1];
    if (bus !== undefined && !has(bus, "filter")) return [{ rule, why: `says nothing without ${bus} filter` }];
    if (bus !== undefined && has(bus, "none")) return [{ rule, why: `${bus} is closed` }];
    if (rule.name === "netfilter" && !rules.some(({ name, value }) => name === "net" && value !== "none")) return [{ rule, why: "is for an interface of the sandbox's own, and there is none" }];
    if (rule.name === "keep-dev-shm" && !has("private-dev")) return [{ rule, why: "says nothing without private-dev" }];
    return [];
  });
}

function findIdleIgnores({ ignored, skipped }: Load): Finding[] {
  return [...ignored]
    .filter((words) => !skipped.some(({ rule }) => `${rule.name} ${rule.value}`.trim().startsWith(words)))
    .map((words) => ({ rule: { name: "ignore", value: words, origin: { kind: "profile" as const, text: `ignore ${words}` } }, why: "no line behind it is so" }));
}
