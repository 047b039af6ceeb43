import type { Origin } from "../../spec/extension.js";

/** One setting: a line of a profile that took effect, or an option of the command line, which says the same things. */
export interface Rule {
  /** "blacklist", "private-tmp", "dbus-user.talk". */
  name: string;
  /** What follows; "" when nothing does. Macros are not expanded. */
  value: string;
  origin: Origin;
}

/** The last rule of a name, since a later one replaces an earlier one where they do not add up. */
export function findLast(rules: readonly Rule[], name: string): Rule | undefined {
  return rules.findLast((rule) => rule.name === name);
}

export function hasRule(rules: readonly Rule[], ...names: string[]): boolean {
  return rules.some((rule) => names.includes(rule.name));
}

/** All values of lists that add up, split at commas, with the rule that each one comes from. */
export function listValues(rules: readonly Rule[], name: string): { value: string; rule: Rule }[] {
  return rules
    .filter((rule) => rule.name === name)
    .flatMap((rule) => rule.value.split(",").map((value) => ({ value: value.trim(), rule })))
    .filter(({ value }) => value !== "");
}
