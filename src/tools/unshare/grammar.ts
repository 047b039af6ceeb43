import { constants } from "node:os";
import type { NamespaceType } from "../../spec/oci.js";
import { badWords, parseGetopt, type Grammar, type ParsedOption } from "../grammar/getopt.js";
import { namespaceOptions } from "../grammar/namespaces.js";
import { badValue, requireId, requireSeconds } from "../grammar/numbers.js";
import { parseMapRange, type MapRange } from "./id-maps.js";

/** A value with the words that asked for it. */
export interface Typed<T> {
  value: T;
  text: string;
}

export type Propagation = "private" | "shared" | "slave" | "unchanged";

/** What unshare(1) of util-linux 2.38 was asked for. */
export interface UnshareOptions {
  /** New namespaces; `file`: where a bind mount keeps it alive. */
  namespaces: Map<NamespaceType, { file?: string; text: string }>;
  fork?: Typed<true>;
  /** "SIGKILL". */
  killChild?: Typed<string>;
  mountProc?: Typed<string>;
  propagation?: Typed<Propagation>;
  setgroups?: Typed<"allow" | "deny">;
  /** A number, a name, or "current" as an id of its own kind. */
  mapUser?: Typed<MapTarget>;
  mapGroup?: Typed<MapTarget>;
  mapUsers?: Typed<MapRange | "auto">;
  mapGroups?: Typed<MapRange | "auto">;
  keepCaps?: Typed<true>;
  root?: Typed<string>;
  wd?: Typed<string>;
  setuid?: Typed<number>;
  setgid?: Typed<number>;
  /** Seconds. */
  monotonic?: Typed<number>;
  boottime?: Typed<number>;
  command: string[];
}

export type MapTarget = { account: string } | "current";

export const EXIT_FAILURE = 1;

type Key =
  | NamespaceType
  | "help" | "version" | "fork" | "killChild" | "mountProc" | "propagation" | "setgroups" | "mapUser" | "mapGroup"
  | "mapUsers" | "mapGroups" | "mapRoot" | "mapCurrent" | "mapAuto" | "keepCaps" | "root" | "wd" | "setuid" | "setgid"
  | "monotonic" | "boottime";

const grammar: Grammar<Key> = {
  tool: "unshare",
  exitCode: EXIT_FAILURE,
  short: {
    ...Object.fromEntries(namespaceOptions.map(({ letter, type }) => [letter, { key: type, argument: "none" as const }])),
    h: { key: "help", argument: "none" },
    V: { key: "version", argument: "none" },
    f: { key: "fork", argument: "none" },
    r: { key: "mapRoot", argument: "none" },
    c: { key: "mapCurrent", argument: "none" },
    R: { key: "root", argument: "required" },
    w: { key: "wd", argument: "required" },
    S: { key: "setuid", argument: "required" },
    G: { key: "setgid", argument: "required" },
  },
  long: [
    { name: "help", argument: "none", key: "help" },
    { name: "version", argument: "none", key: "version" },
    ...namespaceOptions.map(({ name, type }) => ({ name, argument: "optional" as const, key: type })),
    { name: "fork", argument: "none", key: "fork" },
    { name: "kill-child", argument: "optional", key: "killChild" },
    { name: "mount-proc", argument: "optional", key: "mountProc" },
    { name: "map-user", argument: "required", key: "mapUser" },
    { name: "map-users", argument: "required", key: "mapUsers" },
    { name: "map-group", argument: "required", key: "mapGroup" },
    { name: "map-groups", argument: "required", key: "mapGroups" },
    { name: "map-root-user", argument: "none", key: "mapRoot" },
    { name: "map-current-user", argument: "none", key: "mapCurrent" },
    { name: "map-auto", argument: "none", key: "mapAuto" },
    { name: "propagation", argument: "required", key: "propagation" },
    { name: "setgroups", argument: "required", key: "setgroups" },
    { name: "keep-caps", argument: "none", key: "keepCaps" },
    { name: "setuid", argument: "required", key: "setuid" },
    { name: "setgid", argument: "required", key: "setgid" },
    { name: "root", argument: "required", key: "root" },
    { name: "wd", argument: "required", key: "wd" },
    { name: "monotonic", argument: "required", key: "monotonic" },
    { name: "boottime", argument: "required", key: "boottime" },
  ],
};

/**
 * Reads unshare's words.
 * @returns "help" or "version" when that is all that was asked for
 * @throws BrigError BRIG_BAD_OPTION, BRIG_BAD_VALUE, with unshare's own message and status
 */
export function parseUnshare(words: string[]): UnshareOptions | "help" | "version" {
  const { options, operands } = parseGetopt(grammar, words);
  const asked: UnshareOptions = { namespaces: new Map(), command: operands };
  for (const option of options) {
    if (option.key === "help" || option.key === "version") return option.key;
    take(asked, option);
  }
  refuseContradictions(asked);
  return asked;
}

function take(asked: UnshareOptions, { key, value, text }: ParsedOption<Key>): void {
  const implyUser = () => addNamespace(asked, "user", undefined, text);
  const given = value ?? "";
  switch (key) {
    case "fork": asked.fork = { value: true, text }; return;
    case "killChild": asked.killChild = { value: parseSignal(value ?? "SIGKILL"), text }; asked.fork ??= { value: true, text }; return;
    case "mountProc": asked.mountProc = { value: value ?? "/proc", text }; addNamespace(asked, "mount", undefined, text); return;
    case "propagation": asked.propagation = { value: parsePropagation(given), text }; return;
    case "setgroups": asked.setgroups = { value: parseSetgroups(given), text }; return;
    case "mapUser": implyUser(); asked.mapUser = { value: { account: given }, text }; return;
    case "mapGroup": implyUser(); asked.mapGroup = { value: { account: given }, text }; return;
    case "mapUsers": implyUser(); asked.mapUsers = { value: parseMapRange(given), text }; return;
    case "mapGroups": implyUser(); asked.mapGroups = { value: parseMapRange(given), text }; return;
    case "mapRoot": case "mapCurrent": implyUser(); mapBoth(asked, key === "mapRoot" ? { account: "0" } : "current", text); return;
    case "mapAuto": implyUser(); asked.mapUsers = { value: "auto", text }; asked.mapGroups = { value: "auto", text }; return;
    case "keepCaps": asked.keepCaps = { value: true, text }; return;
    case "root": asked.root = { value: given, text }; return;
    case "wd": asked.wd = { value: given, text }; return;
    case "setuid": asked.setuid = { value: requireId(given, "uid", EXIT_FAILURE), text }; return;
    case "setgid": asked.setgid = { value: requireId(given, "gid", EXIT_FAILURE), text }; return;
    case "monotonic": asked.monotonic = { value: requireSeconds(given, "monotonic offset", EXIT_FAILURE), text }; return;
    case "boottime": asked.boottime = { value: requireSeconds(given, "boottime offset", EXIT_FAILURE), text }; return;
    case "help": case "version": return;
    default: addNamespace(asked, key, value, text);
  }
}

function mapBoth(asked: UnshareOptions, target: MapTarget, text: string): void {
  asked.mapUser = { value: target, text };
  asked.mapGroup = { value: target, text };
}

// A file that was named once stays, as in "--mount=FILE --mount-proc".
function addNamespace(asked: UnshareOptions, type: NamespaceType, file: string | undefined, text: string): void {
  const before = asked.namespaces.get(type);
  if (file === undefined && before) return;
  asked.namespaces.set(type, file === undefined ? { text } : { file, text });
}

function parseSignal(text: string): string {
  const name = text.toUpperCase().replace(/^(SIG)?/, "SIG");
  if (!Object.hasOwn(constants.signals, name))
    throw badValue(`unknown signal: ${text}`, EXIT_FAILURE, "a name as `kill -l` lists it: TERM, SIGHUP");
  return name;
}

function parsePropagation(text: string): Propagation {
  if (text === "private" || text === "shared" || text === "slave" || text === "unchanged") return text;
  throw badValue(`unsupported propagation mode: ${text}`, EXIT_FAILURE, "private, shared, slave or unchanged");
}

function parseSetgroups(text: string): "allow" | "deny" {
  if (text === "allow" || text === "deny") return text;
  throw badValue(`unsupported --setgroups argument '${text}'`, EXIT_FAILURE, "allow or deny");
}

function refuseContradictions(asked: UnshareOptions): void {
  if ((asked.monotonic || asked.boottime) && !asked.namespaces.has("time"))
    throw badWords(grammar, "options --monotonic and --boottime require unsharing of a time namespace (-T)");
  if (asked.setgroups?.value === "allow" && asked.mapGroup && !asked.mapGroups)
    throw badWords(grammar, "options --setgroups=allow and --map-group are mutually exclusive");
  if (asked.namespaces.get("pid")?.file !== undefined && !asked.fork)
    throw badWords(grammar, "a persistent pid namespace (--pid=FILE) needs --fork: without it the namespace has no first process");
}
