import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One place that apt on this host takes packages from (sources.list(5)). */
export interface AptSource {
  uri: string;
  suites: string[];
  components: string[];
  /** A keyring file, where the entry names one. */
  signedBy: string | undefined;
}

/** Every enabled `deb` entry, in the order that apt reads them; unreadable files and odd lines are passed by. */
export function readAptSources(etc = "/etc/apt"): AptSource[] {
  const parts = listFiles(join(etc, "sources.list.d"));
  return [join(etc, "sources.list"), ...parts].flatMap((path) => {
    const text = readText(path);
    return path.endsWith(".sources") ? readStanzas(text) : text.split("\n").flatMap(readLine);
  });
}

/** The entry that has a suite's packages; Debian's own archive is asked for `main`. */
export function findAptSource(suite: string, sources: readonly AptSource[]): AptSource | undefined {
  return sources.find(({ suites, components }) => suites.includes(suite) && components.includes("main"));
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.(?:list|sources)$/.test(name)).sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** `deb [signed-by=/k arch=amd64] URI SUITE COMPONENT…` */
function readLine(line: string): AptSource[] {
  const [, options = "", rest = ""] = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(.*?)(?:#.*)?$/.exec(line) ?? [];
  const [uri, suite, ...components] = rest.trim().split(/\s+/);
  if (!uri || !suite) return [];
  return [{ uri, suites: [suite], components, signedBy: /signed-by=(\S+)/i.exec(options)?.[1] }];
}

/** Stanzas of RFC 822 fields, a blank line between them; a field goes on in lines that begin with a space. */
function readStanzas(text: string): AptSource[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#")).join("\n");
  return lines.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = readFields(stanza);
    const words = (name: string): string[] => fields.get(name)?.split(/\s+/).filter(Boolean) ?? [];
    if (!words("types").includes("deb") || /^(?:no|false|0|off|disable)$/i.test(fields.get("enabled") ?? "")) return [];
    const [signedBy] = words("signed-by");
    return words("uris").map((uri) => ({ uri, suites: words("suites"), components: words("components"), signedBy: signedBy?.startsWith("/") ? signedBy : undefined }));
  });
}

function readFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of stanza.replaceAll(/\n[ \t]+/g, " ").split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}
