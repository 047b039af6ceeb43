import type { Origin } from "./extension.js";
import type { Spec } from "./oci.js";

/** Who asked for what: a JSON pointer (RFC 6901) into the spec to its origin, as in `Extension.origins`. */
export type Origins = Record<string, Origin>;

/** ("mounts", 3) → "/mounts/3", with "~" and "/" escaped as RFC 6901 says. */
export function formatPointer(...segments: (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** "/linux/sysctl/net~1x" → ["linux", "sysctl", "net/x"]. */
export function parsePointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The origin of a setting: its own, else that of the nearest setting around it, else the document's (""). */
export function findOrigin(origins: Origins | undefined, pointer: string): Origin | undefined {
  if (!origins) return undefined;
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
    const origin = Object.hasOwn(origins, at) ? origins[at] : undefined;
    if (origin || at === "") return origin;
  }
}

const parsed = new WeakMap<object, Origins>();

/** `findOrigin` in the origins that the spec itself carries. They are read once for each annotations object. */
export function originOf(spec: Spec, pointer: string): Origin | undefined {
  const { annotations } = spec;
  const text = annotations?.["dev.brig.origins"];
  if (!annotations || text === undefined) return undefined;
  const origins = parsed.get(annotations) ?? (JSON.parse(text) as Origins);
  parsed.set(annotations, origins);
  return findOrigin(origins, pointer);
}

/** Notes who asked for the setting at this pointer and gives the pointer back. The last word wins. */
export function withOrigin(origins: Origins, pointer: string, origin: Origin): string {
  origins[pointer] = origin;
  return pointer;
}

/** Appends to one of the spec's lists and notes who asked: `pushWithOrigin(origins, "/mounts", mounts, mount, origin)`. */
export function pushWithOrigin<T>(origins: Origins, pointer: string, list: T[], item: T, origin: Origin): void {
  origins[`${pointer}/${list.push(item) - 1}`] = origin;
}

/** As an error shows it: "--read /srv", or "/etc/firejail/less.profile:12: private-tmp". */
export function describeOrigin(origin: Origin): string {
  if (!origin.file) return origin.text;
  const place = origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
  return origin.text ? `${place}: ${origin.text}` : place;
}
