import { posix } from "node:path";
import { refuseNul, refuseValue } from "./bad-value.js";
import { escapeColons, splitAtColons } from "./colons.js";

/** A host path that stands at another place inside. */
export interface Bind {
  /** As written: absolute, relative to whatever the writer's folder is, or with "~/" in front. */
  source: string;
  /** Absolute and without "." and "..". */
  destination: string;
  readonly: boolean;
  noexec: boolean;
}

const HINT = String.raw`write SRC:DST or SRC:DST:ro with an absolute DST; a colon in a path is written "\:"`;

/**
 * "SRC:DST[:OPTION,…]" with the options ro, rw (default) and noexec, as docker's `--volume`.
 *
 * @throws BrigError BRIG_BAD_VALUE: a path is missing, DST is relative or the root, an option is unknown or contradicts another
 */
export function parseBind(value: string, where = "bind"): Bind {
  refuseNul(value, where);
  const [source = "", destination = "", options, ...more] = splitAtColons(value);
  if (source === "" || destination === "" || more.length > 0) refuseValue(value, where, "is not a bind", HINT);
  if (!destination.startsWith("/")) refuseValue(value, where, "has a relative place inside", HINT);
  const place = posix.resolve("/", destination);
  if (place === "/") refuseValue(value, where, "would cover the whole root", "a folder that becomes the root is `root`");
  return { source, destination: place, ...readOptions(options, value, where) };
}

function readOptions(text: string | undefined, value: string, where: string): Pick<Bind, "readonly" | "noexec"> {
  const words = new Set(text === undefined ? [] : text.split(","));
  for (const word of words)
    if (!["ro", "rw", "noexec"].includes(word)) refuseValue(value, where, `has the unknown option ${JSON.stringify(word)}`, "the options are ro, rw and noexec");
  if (words.has("ro") && words.has("rw")) refuseValue(value, where, "is both ro and rw", "say one of them");
  return { readonly: words.has("ro"), noexec: words.has("noexec") };
}

/** The words that `parseBind` reads as this bind. */
export function formatBind(bind: Bind): string {
  const options = [bind.readonly ? "ro" : "", bind.noexec ? "noexec" : ""].filter(Boolean).join(",");
  return `${escapeColons(bind.source)}:${escapeColons(bind.destination)}${options ? `:${options}` : ""}`;
}
