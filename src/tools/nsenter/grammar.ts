import type { NamespaceType } from "../../spec/oci.js";
import { badWords, parseGetopt, type Grammar, type ParsedOption } from "../grammar/getopt.js";
import { namespaceOptions } from "../grammar/namespaces.js";
import { badValue, requireId } from "../grammar/numbers.js";

/** What nsenter(1) of util-linux 2.38 was asked for. */
export interface NsenterOptions {
  /** A process on this host. */
  target?: number;
  /** Namespaces to enter; without a file, the target's. */
  namespaces: Map<NamespaceType, { file?: string; text: string }>;
  /** Every namespace of the target. */
  all?: { text: string };
  setuid?: { value: number; text: string };
  setgid?: { value: number; text: string };
  preserveCredentials?: boolean;
  /** A folder, opened before any namespace is entered; undefined inside: the target's. */
  root?: { path?: string; text: string };
  wd?: { path?: string; text: string };
  /** A working folder looked up once inside. */
  wdns?: { path: string; text: string };
  noFork?: boolean;
  command: string[];
}

export const EXIT_FAILURE = 1;
const HIGHEST_PID = 2 ** 22;

type Key =
  | NamespaceType
  | "help" | "version" | "all" | "target" | "setuid" | "setgid" | "preserve" | "root" | "wd" | "wdns" | "noFork" | "context";

const grammar: Grammar<Key> = {
  tool: "nsenter",
  exitCode: EXIT_FAILURE,
  short: {
    ...Object.fromEntries(namespaceOptions.map(({ letter, type }) => [letter, { key: type, argument: "optional" as const }])),
    h: { key: "help", argument: "none" },
    V: { key: "version", argument: "none" },
    a: { key: "all", argument: "none" },
    t: { key: "target", argument: "required" },
    S: { key: "setuid", argument: "required" },
    G: { key: "setgid", argument: "required" },
    r: { key: "root", argument: "optional" },
    w: { key: "wd", argument: "optional" },
    W: { key: "wdns", argument: "optional" },
    F: { key: "noFork", argument: "none" },
    Z: { key: "context", argument: "none" },
  },
  long: [
    { name: "all", argument: "none", key: "all" },
    { name: "help", argument: "none", key: "help" },
    { name: "version", argument: "none", key: "version" },
    { name: "target", argument: "required", key: "target" },
    ...namespaceOptions.map(({ name, type }) => ({ name, argument: "optional" as const, key: type })),
    { name: "setuid", argument: "required", key: "setuid" },
    { name: "setgid", argument: "required", key: "setgid" },
    { name: "root", argument: "optional", key: "root" },
    { name: "wd", argument: "optional", key: "wd" },
    { name: "wdns", argument: "optional", key: "wdns" },
    { name: "no-fork", argument: "none", key: "noFork" },
    { name: "preserve-credentials", argument: "none", key: "preserve" },
    { name: "follow-context", argument: "none", key: "context" },
  ],
};

/**
 * Reads nsenter's words.
 * @throws BrigError BRIG_BAD_OPTION, BRIG_BAD_VALUE, with nsenter's own message and status
 */
export function parseNsenter(words: string[]): NsenterOptions | "help" | "version" {
  const { options, operands } = parseGetopt(grammar, words);
  const asked: NsenterOptions = { namespaces: new Map(), command: operands };
  for (const option of options) {
    if (option.key === "help" || option.key === "version") return option.key;
    take(asked, option);
  }
  if (asked.wd && asked.wdns) throw badWords(grammar, "mutually exclusive arguments: --wdns --wd");
  if (asked.all && asked.target === undefined) throw badWords(grammar, "no target PID specified for --all");
  return asked;
}

function take(asked: NsenterOptions, { key, value, text }: ParsedOption<Key>): void {
  switch (key) {
    case "all": asked.all = { text }; return;
    case "target": asked.target = parsePid(value ?? ""); return;
    case "setuid": asked.setuid = { value: requireId(value ?? "", "uid", EXIT_FAILURE), text }; return;
    case "setgid": asked.setgid = { value: requireId(value ?? "", "gid", EXIT_FAILURE), text }; return;
    case "preserve": asked.preserveCredentials = true; return;
    case "root": asked.root = withPath(value, text); return;
    case "wd": asked.wd = withPath(value, text); return;
    case "wdns": asked.wdns = { path: trimEquals(value) ?? missingFolder(), text }; return;
    case "noFork": asked.noFork = true; return;
    case "context": throw refuseContext();
    case "help": case "version": return;
    default: asked.namespaces.set(key, withFile(value, text));
  }
}

function parsePid(text: string): number {
  const pid = /^\s*\+?\d+$/.test(text) ? Number(text) : 0;
  if (pid < 1 || pid > HIGHEST_PID) throw badValue(`failed to parse pid: '${text}'`, EXIT_FAILURE, "the number of a process, as ps shows it");
  return pid;
}

function withFile(value: string | undefined, text: string): { file?: string; text: string } {
  const file = trimEquals(value);
  return file === undefined ? { text } : { file, text };
}

function withPath(value: string | undefined, text: string): { path?: string; text: string } {
  const path = trimEquals(value);
  return path === undefined ? { text } : { path, text };
}

// "-n=/run/netns/a" means what "-n/run/netns/a" says (util-linux 2.39); no such file could be meant.
function trimEquals(value: string | undefined): string | undefined {
  return value?.replace(/^=/, "");
}

function missingFolder(): never {
  throw badWords(grammar, "option '--wdns' requires a folder: --wdns=DIR");
}

function refuseContext() {
  return badValue(
    "option --follow-context is not available: brig sets no SELinux context",
    EXIT_FAILURE,
    "leave -Z away, or start the program through runcon(1)",
  );
}
