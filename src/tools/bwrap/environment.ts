import type { BwrapOptions } from "./options.js";

/** The words for the environment as what is left of them: whether the caller's counts, and what changes in it. */
export interface Environment {
  inherit: boolean;
  set: Map<string, string>;
  unset: Set<string>;
}

export function buildEnvironment({ environment }: BwrapOptions): Environment {
  const built: Environment = { inherit: true, set: new Map(), unset: new Set() };
  for (const one of environment) {
    if (one.kind === "clear") {
      built.inherit = false;
      built.set.clear();
    } else if (one.kind === "set") built.set.set(one.name, one.value);
    else {
      built.set.delete(one.name);
      built.unset.add(one.name);
    }
  }
  for (const name of built.set.keys()) built.unset.delete(name);
  return built;
}

/** What a variable will be; the caller's is looked at only where it counts. */
export function lookUp(built: Environment, env: Record<string, string | undefined>, name: string): string | undefined {
  if (built.set.has(name)) return built.set.get(name);
  return built.inherit && !built.unset.has(name) ? env[name] : undefined;
}
