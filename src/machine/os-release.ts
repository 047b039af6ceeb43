import { readTextInRoot } from "../host/read-in-root.js";

/** The fields of a root's os-release(5), which nobody vouches for: what steers a terminal is left out. */
export function readOsRelease(root: string): Map<string, string> {
  const text = readTextInRoot(root, "/etc/os-release") ?? readTextInRoot(root, "/usr/lib/os-release") ?? "";
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']*))\s*$/.exec(line);
    if (match) fields.set(match[1]!, clean(match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? match[4] ?? ""));
  }
  return fields;
}

/** "Debian GNU/Linux 12 (bookworm)". */
export function readOsName(root: string): string | undefined {
  const fields = readOsRelease(root);
  return fields.get("PRETTY_NAME") ?? fields.get("NAME");
}

function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, "").slice(0, 200);
}
