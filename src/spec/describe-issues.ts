import type * as z from "zod";
import { findNearest } from "./nearest.js";
import { listKeys, stepInto } from "./schema-shape.js";
import { showValue } from "./show-value.js";

/** One thing that is wrong with a document. */
export interface Problem {
  path: PropertyKey[];
  /** Follows the path and ": ": "must be a string, not 3". */
  text: string;
}

/** ["linux", "namespaces", 2, "type"] → "linux.namespaces[2].type"; a key with other signs is quoted. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = String(key);
    if (!/^[\w$-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** What zod found, in words: one problem for each setting, and one for each unknown key. */
export function describeIssues(schema: z.ZodType, document: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [{ path: issue.path, text: describeIssue(issue, valueAt(document, issue.path)) }];
    const known = listKeys(issue.path.reduce<z.ZodType | undefined>((at, key) => at && stepInto(at, key), schema) ?? schema) ?? [];
    return issue.keys.map((key) => ({ path: [...issue.path, key], text: describeUnknownKey(key, known) }));
  });
}

/** "is not known; did you mean read?" */
export function describeUnknownKey(key: string, known: readonly string[]): string {
  const nearest = findNearest(key, known);
  return `is not known${nearest ? `; did you mean ${nearest}?` : ""}`;
}

/** What stands at this path, or undefined. */
export function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (typeof at === "object" && at !== null && Object.hasOwn(at, key) ? (at as Record<PropertyKey, unknown>)[key] : undefined), document);
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && issue.code !== "custom") return "is missing";
  if (issue.code === "invalid_type") return `must be ${nameType(issue.expected)}, not ${showValue(value)}`;
  if (issue.code === "invalid_value") return describeChoice(issue.values.map(String), value);
  if (issue.code === "too_small" && issue.origin === "number") return `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}, not ${showValue(value)}`;
  if (issue.code === "too_small") return "must not be empty";
  if (issue.code === "too_big") return `must be at most ${issue.maximum}${issue.origin === "number" ? `, not ${showValue(value)}` : " long"}`;
  if (issue.code === "invalid_key") return issue.issues[0] ? describeIssue(issue.issues[0], issue.path.at(-1)) : issue.message;
  return issue.message;
}

function describeChoice(choices: readonly string[], value: unknown): string {
  const nearest = typeof value === "string" ? findNearest(value, choices) : undefined;
  const list = choices.length === 1 ? choices[0] : `one of ${choices.join(", ")}`;
  return `must be ${list}, not ${showValue(value)}${nearest ? `; did you mean ${nearest}?` : ""}`;
}

function nameType(expected: string): string {
  const names: Record<string, string> = { array: "a list", boolean: "true or false", int: "a whole number", object: "an object", record: "an object" };
  return names[expected] ?? `a ${expected}`;
}
