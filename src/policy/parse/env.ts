import { refuseNul, refuseValue } from "./bad-value.js";

/** One variable for the payload. Without a value it is taken from the caller. */
export interface EnvEntry {
  name: string;
  value?: string;
}

/**
 * "NAME=value", or "NAME" to take the caller's.
 *
 * @throws BrigError BRIG_BAD_VALUE: no name, or a NUL
 */
export function parseEnv(value: string, where = "env"): EnvEntry {
  refuseNul(value, where);
  const split = value.indexOf("=");
  if (split === 0 || value === "") refuseValue(value, where, "has no name", "write NAME=value, or NAME to take the caller's");
  return split < 0 ? { name: value } : { name: value.slice(0, split), value: value.slice(split + 1) };
}

/** Both forms of the option: a list of words or an object of names and values. The last of a name wins. */
export function parseEnvironment(env: readonly string[] | Readonly<Record<string, string>>, where = "env"): EnvEntry[] {
  const entries = isList(env) ? env.map((word) => parseEnv(word, where)) : Object.entries(env).map(([name, value]) => readPair(name, value, where));
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
}

function isList(env: readonly string[] | Readonly<Record<string, string>>): env is readonly string[] {
  return Array.isArray(env);
}

function readPair(name: string, value: string, where: string): EnvEntry {
  if (name === "" || name.includes("=")) refuseValue(name, where, "is not a variable's name", 'a name is not empty and has no "="');
  refuseNul(name, where);
  refuseNul(value, where);
  return { name, value };
}
