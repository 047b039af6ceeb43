import { formatFamiliar, formatRepository, type Reference } from "./reference.js";

/** Whether a name is what a pattern of `brig images` means: "debian", "debian:1*", "localhost:5000/*". "*" stops at "/" (Go's path.Match). */
export function matchesPattern(pattern: string, name: Reference): boolean {
  const repository = formatRepository(name);
  const full = `${name.domain}/${name.path}`;
  const test = makeTest(pattern);
  return [repository, full, formatFamiliar(name), `${full}:${name.tag}`].some((text) => test.test(text));
}

function makeTest(pattern: string): RegExp {
  const source = pattern.replace(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /^(?!)/; // a "[" without its end matches nothing
  }
}
