import { type BwrapOptions, type RootOperation, type UnsharedType } from "./options.js";
import { parseCapability, parseDescriptor, parseId, parsePerms, parseSize, refuseWords } from "./values.js";

/** As bwrap, which wants no words without an end. */
const MOST_WORDS = 9000;

/** What stands before the operation that it is for. */
interface Modifiers {
  perms?: number;
  size?: bigint;
  lower: string[];
}

interface Parser {
  asked: BwrapOptions;
  modifiers: Modifiers;
  seen: Set<string>;
  /** The words behind the option. */
  values: string[];
  /** As typed, for origins. */
  text: string;
  readArgs: (fd: number) => Buffer;
  count: number;
  inFile: boolean;
}

interface Option {
  takes: 0 | 1 | 2 | 3;
  /** Given twice, the last one counts, with a warning. */
  single?: boolean;
  modifies?: boolean;
  apply: (parser: Parser) => void;
}

/**
 * Reads bwrap's words (bubblewrap 0.11).
 * @param readArgs reads a descriptor to its end, for --args
 * @returns "help" or "version" when that is asked for first; "usage" when there is no command
 * @throws BrigError BRIG_BAD_OPTION with bwrap's message
 */
export function parseBwrap(words: string[], readArgs: (fd: number) => Buffer): BwrapOptions | "help" | "version" | "usage" {
  const parser = startParser(readArgs);
  const rest = readWords(parser, words);
  if (typeof rest === "string") return rest;
  parser.asked.command = rest;
  return rest.length === 0 ? "usage" : parser.asked;
}

function startParser(readArgs: (fd: number) => Buffer): Parser {
  const asked: BwrapOptions = {
    operations: [], environment: [], capabilities: [], unshare: new Map(), disableUserns: false, assertUsernsDisabled: false,
    locks: [], seccomp: [], newSession: false, dieWithParent: false, asPid1: false, levelPrefix: false, argsFds: [], warnings: [], command: [],
  };
  return { asked, modifiers: { lower: [] }, seen: new Set(), values: [], text: "", readArgs, count: 0, inFile: false };
}

/** The words that are left, or what ends the parsing. */
function readWords(parser: Parser, words: string[]): string[] | "help" | "version" {
  parser.count += words.length;
  if (parser.count > MOST_WORDS) throw refuseWords(`Exceeded maximum number of arguments ${MOST_WORDS}`);
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (word === "--help" || word === "--version") return word.slice(2) as "help" | "version";
    if (word === "--") return words.slice(at + 1);
    if (!word.startsWith("-")) break;
    const option = Object.hasOwn(OPTIONS, word) ? OPTIONS[word] : undefined;
    if (!option) throw refuseWords(`Unknown option ${word}`);
    parser.values = words.slice(at + 1, at + 1 + option.takes);
    parser.text = [word, ...parser.values].join(" ");
    if (parser.values.length < option.takes) throw refuseWords(`${word} takes ${SAYS_ONE.has(word) ? "one argument" : COUNTS[option.takes]}`);
    if (option.single) warnOfSecond(parser, word);
    option.apply(parser);
    if (!option.modifies) checkModifiers(parser.modifiers);
    at += 1 + option.takes;
  }
  return words.slice(at);
}

const COUNTS = ["no arguments", "an argument", "two arguments", "three arguments"];
const SAYS_ONE = new Set(["--chdir", "--remount-ro", "--argv0", "--overlay-src", "--tmp-overlay", "--ro-overlay"]);

function warnOfSecond({ asked, seen }: Parser, word: string): void {
  if (seen.has(word)) asked.warnings.push(`Only the last ${word} option will take effect`);
  seen.add(word);
}

function checkModifiers({ perms, size, lower }: Modifiers): void {
  if (size !== undefined) throw refuseWords("--size must be followed by --tmpfs");
  if (perms !== undefined) throw refuseWords("--perms must be followed by an option that creates a file");
  if (lower.length > 0)
    throw refuseWords("--overlay-src must be followed by another --overlay-src or one of --overlay, --tmp-overlay, or --ro-overlay");
}

/** An operation's modifiers are used up with it. */
function take<Key extends "perms" | "size">(modifiers: Modifiers, key: Key): Pick<Modifiers, Key> {
  const value = modifiers[key];
  delete modifiers[key];
  return (value === undefined ? {} : { [key]: value }) as Pick<Modifiers, Key>;
}

type Body = RootOperation extends infer One ? (One extends { text: string } ? Omit<One, "text"> : never) : never;

function add({ asked, text }: Parser, body: Body): void {
  asked.operations.push({ ...body, text } as RootOperation);
}

const root = (takes: 1 | 2 | 3, make: (parser: Parser, values: string[]) => Body): Option => ({
  takes,
  apply: (parser) => add(parser, make(parser, parser.values)),
});

const bind = (access: "write" | "read" | "device", optional: boolean): Option =>
  root(2, (_, [source, dest]) => ({ kind: "bind", access, source: source!, dest: dest!, optional }));

const bindFd = (access: "write" | "read"): Option =>
  root(2, (_, [fd, dest]) => ({ kind: "bind-fd", access, fd: parseDescriptor(fd!), dest: dest! }));

const data = (access: "write" | "read"): Option =>
  root(2, ({ modifiers }, [fd, dest]) => ({ kind: "data", access, fd: parseDescriptor(fd!), dest: dest!, ...take(modifiers, "perms") }));

const place = (kind: "proc" | "dev" | "mqueue" | "remount-ro"): Option => root(1, (_, [dest]) => ({ kind, dest: dest! }));

const overlay = (least: 1 | 2, takes: 1 | 3, name: string): Option =>
  root(takes, ({ modifiers }, values) => {
    const { lower } = modifiers;
    if (lower.length < least) throw refuseWords(`${name} requires at least ${least === 1 ? "one" : "two"} --overlay-src`);
    modifiers.lower = [];
    const upper = takes === 3 ? { upper: values[0]!, work: values[1]! } : name === "--tmp-overlay" ? "tmpfs" : "none";
    return { kind: "overlay", lower, upper, dest: values[takes - 1]! };
  });

const set = (apply: (asked: BwrapOptions, value: string) => void, single = false): Option => ({
  takes: 1,
  single,
  apply: ({ asked, values }) => apply(asked, values[0]!),
});

const flag = (apply: (asked: BwrapOptions, text: string) => void): Option => ({ takes: 0, apply: ({ asked, text }) => apply(asked, text) });

const unshare = (...types: UnsharedType[]): Option => flag((asked, text) => types.forEach((type) => asked.unshare.set(type, text)));

const refuseLabel: Option = {
  takes: 1,
  apply: () => {
    throw refuseWords("labeling not supported on this system", "brig sets no SELinux labels: leave the option out");
  },
};

const OPTIONS: Record<string, Option> = {
  "--args": { takes: 1, apply: readArgsFrom },
  "--argv0": {
    takes: 1,
    apply: ({ asked, values }) => {
      if (asked.argv0 !== undefined) throw refuseWords("--argv0 used multiple times");
      asked.argv0 = values[0]!;
    },
  },
  "--level-prefix": flag((asked) => (asked.levelPrefix = true)),
  "--unshare-all": flag((asked, text) => {
    for (const type of ["ipc", "pid", "uts", "network"] as const) asked.unshare.set(type, text);
    asked.userTry = asked.cgroupTry = text;
  }),
  "--share-net": flag((asked) => asked.unshare.delete("network")),
  "--unshare-user": unshare("user"),
  "--unshare-user-try": flag((asked, text) => (asked.userTry = text)),
  "--unshare-ipc": unshare("ipc"),
  "--unshare-pid": unshare("pid"),
  "--unshare-net": unshare("network"),
  "--unshare-uts": unshare("uts"),
  "--unshare-cgroup": unshare("cgroup"),
  "--unshare-cgroup-try": flag((asked, text) => (asked.cgroupTry = text)),
  "--userns": set((asked, value) => (asked.userns = parseDescriptor(value)), true),
  "--userns2": set((asked, value) => (asked.userns2 = parseDescriptor(value)), true),
  "--pidns": set((asked, value) => (asked.pidns = parseDescriptor(value)), true),
  "--disable-userns": flag((asked) => (asked.disableUserns = true)),
  "--assert-userns-disabled": flag((asked) => (asked.assertUsernsDisabled = true)),
  "--uid": set((asked, value) => (asked.uid = parseId(value, "uid")), true),
  "--gid": set((asked, value) => (asked.gid = parseId(value, "gid")), true),
  "--hostname": set((asked, value) => (asked.hostname = value), true),
  "--chdir": set((asked, value) => (asked.chdir = value), true),
  "--clearenv": flag((asked) => asked.environment.push({ kind: "clear" })),
  "--setenv": { takes: 2, apply: ({ asked, values: [name, value] }) => asked.environment.push({ kind: "set", name: name!, value: value! }) },
  "--unsetenv": set((asked, name) => asked.environment.push({ kind: "unset", name })),
  "--lock-file": set((asked, value) => asked.locks.push(value)),
  "--sync-fd": set((asked, value) => (asked.syncFd = parseDescriptor(value)), true),
  "--bind": bind("write", false),
  "--bind-try": bind("write", true),
  "--dev-bind": bind("device", false),
  "--dev-bind-try": bind("device", true),
  "--ro-bind": bind("read", false),
  "--ro-bind-try": bind("read", true),
  "--bind-fd": bindFd("write"),
  "--ro-bind-fd": bindFd("read"),
  "--remount-ro": place("remount-ro"),
  "--overlay-src": { takes: 1, modifies: true, apply: ({ modifiers, values }) => modifiers.lower.push(values[0]!) },
  "--overlay": overlay(1, 3, "--overlay"),
  "--tmp-overlay": overlay(1, 1, "--tmp-overlay"),
  "--ro-overlay": overlay(2, 1, "--ro-overlay"),
  "--exec-label": refuseLabel,
  "--file-label": refuseLabel,
  "--proc": place("proc"),
  "--dev": place("dev"),
  "--tmpfs": root(1, ({ modifiers }, [dest]) => ({ kind: "tmpfs", dest: dest!, ...take(modifiers, "perms"), ...take(modifiers, "size") })),
  "--mqueue": place("mqueue"),
  "--dir": root(1, ({ modifiers }, [dest]) => ({ kind: "dir", dest: dest!, ...take(modifiers, "perms") })),
  "--file": root(2, ({ modifiers }, [fd, dest]) => ({ kind: "file", fd: parseDescriptor(fd!), dest: dest!, ...take(modifiers, "perms") })),
  "--bind-data": data("write"),
  "--ro-bind-data": data("read"),
  "--symlink": root(2, (_, [target, dest]) => ({ kind: "symlink", target: target!, dest: dest! })),
  "--chmod": root(2, (_, [perms, dest]) => ({ kind: "chmod", perms: parsePerms("--chmod", perms!), dest: dest! })),
  "--perms": { takes: 1, modifies: true, apply: takePerms },
  "--size": { takes: 1, modifies: true, apply: takeSize },
  "--seccomp": { takes: 1, single: true, apply: takeSeccomp },
  "--add-seccomp-fd": { takes: 1, apply: addSeccomp },
  "--block-fd": set((asked, value) => (asked.blockFd = parseDescriptor(value)), true),
  "--userns-block-fd": set((asked, value) => (asked.usernsBlockFd = parseDescriptor(value)), true),
  "--info-fd": set((asked, value) => (asked.infoFd = parseDescriptor(value)), true),
  "--json-status-fd": set((asked, value) => (asked.jsonStatusFd = parseDescriptor(value)), true),
  "--new-session": flag((asked) => (asked.newSession = true)),
  "--die-with-parent": flag((asked) => (asked.dieWithParent = true)),
  "--as-pid-1": flag((asked) => (asked.asPid1 = true)),
  "--cap-add": set((asked, value) => asked.capabilities.push({ add: true, name: parseCapability(value) })),
  "--cap-drop": set((asked, value) => asked.capabilities.push({ add: false, name: parseCapability(value) })),
};

function takePerms({ modifiers, values }: Parser): void {
  if (modifiers.perms !== undefined) throw refuseWords("--perms given twice for the same action");
  modifiers.perms = parsePerms("--perms", values[0]!);
}

function takeSize({ modifiers, values }: Parser): void {
  if (modifiers.size !== undefined) throw refuseWords("--size given twice for the same action");
  modifiers.size = parseSize(values[0]!);
}

function takeSeccomp({ asked, seen, values }: Parser): void {
  if (seen.has("--add-seccomp-fd")) throw refuseWords("--seccomp cannot be combined with --add-seccomp-fd");
  asked.seccomp = [parseDescriptor(values[0]!)];
}

function addSeccomp({ asked, seen, values }: Parser): void {
  if (seen.has("--seccomp")) throw refuseWords("--add-seccomp-fd cannot be combined with --seccomp");
  seen.add("--add-seccomp-fd");
  asked.seccomp.push(parseDescriptor(values[0]!));
}

/** Words that end with NUL, in place of the option; a command among them is none of bwrap's. */
function readArgsFrom(parser: Parser): void {
  if (parser.inFile) throw refuseWords("--args not supported in arguments file");
  const fd = parseDescriptor(parser.values[0]!);
  parser.asked.argsFds.push(fd);
  const text = parser.readArgs(fd).toString("utf8");
  const words = text.split("\0");
  if (words.at(-1) === "") words.pop();
  parser.inFile = true;
  const rest = readWords(parser, words);
  parser.inFile = false;
  if (typeof rest !== "string") return;
  throw refuseWords(`--${rest} cannot stand in what --args reads`);
}
