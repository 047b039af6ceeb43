/**
 * One line of a profile as Firejail reads it (firejail-profile(5)): a "#" begins a comment wherever it stands, blanks
 * at both ends go, and several in a row are one. There is no quoting: "blacklist ~/My Virtual Machines" has one path.
 */
export function cleanLine(text: string): string {
  const comment = text.indexOf("#");
  const kept = (comment < 0 ? text : text.slice(0, comment)).trim();
  return kept.includes("\t") || kept.includes("  ") ? kept.split(/[ \t]+/).join(" ") : kept;
}

/** A directive and what follows it; "" when nothing does. */
export interface Words {
  name: string;
  value: string;
}

export function splitLine(line: string): Words {
  const blank = line.indexOf(" ");
  return blank < 0 ? { name: line, value: "" } : { name: line.slice(0, blank), value: line.slice(blank + 1) };
}

/** "?HAS_X11: private-tmp" is the condition HAS_X11 on the line behind the colon. */
export function splitConditional(line: string): { condition: string; line: string } | undefined {
  if (!line.startsWith("?")) return undefined;
  const colon = line.indexOf(":");
  if (colon < 0) return { condition: line.slice(1), line: "" };
  return { condition: line.slice(1, colon), line: line.slice(colon + 1).trimStart() };
}

/**
 * Whether `ignore WORDS` takes a line out: the line is those words, or they are its beginning up to a blank, so that
 * "ignore net" takes "net eth0" out and "netfilter" stays.
 */
export function isIgnored(line: string, ignored: Iterable<string>): boolean {
  for (const words of ignored) {
    if (line.startsWith(words) && (line.length === words.length || line[words.length] === " ")) return true;
  }
  return false;
}
