import { type Problem } from "./describe-issues.js";

const MAX_DEPTH = 64;

/**
 * A copy of a parsed document without the fields that are null or undefined: programs in Go write null for "not set".
 * What no schema sees is reported into `problems`: a NUL in a string or key (no path, name or argument of the kernel
 * can hold one), a key "__proto__", and nesting beyond 64.
 */
export function cleanDocument(value: unknown, problems: Problem[], path: PropertyKey[] = []): unknown {
  if (typeof value === "string" && value.includes("\0")) problems.push({ path, text: "has a NUL in it" });
  if (typeof value !== "object" || value === null) return value;
  if (path.length > MAX_DEPTH) return void problems.push({ path: path.slice(0, 4), text: "is nested too deep" });
  if (Array.isArray(value)) return value.map((item, index) => cleanDocument(item, problems, [...path, index]));
  const clean: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    if (key === "__proto__" || key.includes("\0")) problems.push({ path: at, text: "is not a name that a field can have" });
    else if (item !== undefined && item !== null) clean[key] = cleanDocument(item, problems, at);
  }
  return clean;
}
