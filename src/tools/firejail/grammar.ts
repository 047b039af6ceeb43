import { BrigError } from "../../error/brig-error.js";
import type { Origin } from "../../spec/extension.js";
import { findFault } from "./directives.js";
import type { Rule } from "./rule.js";

/** What is done with a sandbox that runs, or told without one. */
export interface Action {
  name: "help" | "version" | "list" | "tree" | "shutdown" | "join" | "ls" | "cat" | "get" | "put" | "join-network" | "join-filesystem" | "bandwidth" | "top" | "netstats" | "symlinks" | "symlinks-clean" | "print" | "debug-caps" | "debug-syscalls" | "debug-protocols" | "debug-errnos";
  /** The sandbox: a name or pid; "" where none is meant. */
  sandbox: string;
  /** "caps.print": what is printed of it. */
  what?: string;
}

/** One option in its place: the order decides what a profile's conditions and `ignore` see. */
export type Step =
  | { kind: "rule"; rule: Rule }
  | { kind: "profile"; name: string }
  | { kind: "include"; name: string }
  | { kind: "ignore"; words: string; text: string };

export interface Words {
  action: Action | undefined;
  steps: Step[];
  /** No profile is looked for. */
  noprofile: boolean;
  quiet: boolean;
  debug: boolean;
  /** What is told of the program's calls, and where: "" is standard error. */
  watch?: { what: "trace" | "build"; file: string };
  /** The program's output goes to a file too, with its errors or without. */
  output?: { file: string; errors: boolean };
  /** The program is an AppImage. */
  appimage?: boolean;
  /** Program and arguments; empty: the user's shell. */
  command: string[];
  /** As a login shell is started. */
  login: boolean;
}

/** Options that are no rules of a profile and mean nothing more than their presence. */
const SWITCHES = new Set(["noprofile", "quiet", "debug", "debug-blacklists", "debug-whitelists", "debug-private-lib", "appimage"]);
const ACTIONS = new Set(["help", "version", "list", "tree", "shutdown", "join", "ls", "cat", "get", "put", "join-network", "join-filesystem", "bandwidth", "top", "netstats", "symlinks", "symlinks-clean", "debug-caps", "debug-syscalls", "debug-protocols", "debug-errnos"]);

/** What --NAME.print prints. */
const PRINTED = new Set(["caps", "seccomp", "protocol", "cpu", "dns", "profile", "fs", "apparmor", "net", "netfilter", "netfilter6"].map((name) => `${name}.print`));

/** What Firejail has and brig firejail has not, with how to go on. */
const UNSUPPORTED: Record<string, string> = {
  chroot: "brig run --root DIR runs a program in another root",
  overlay: "Debian's firejail has no overlayfs either: brig run --ephemeral keeps what a program writes apart",
  "overlay-named": "brig run --ephemeral keeps what a program writes apart",
  "overlay-tmpfs": "brig run --ephemeral drops what a program writes",
  "overlay-clean": "brig run --ephemeral keeps what a program writes apart",
  scan: "brig firejail --net=eth0 arp-scan --localnet, or nmap -sn",
  "ids-init": "firejail's intrusion detection: aide(1) is one of its own",
  "ids-check": "firejail's intrusion detection: aide(1) is one of its own",
  nettrace: "tcpdump on the host", dnstrace: "tcpdump on the host", snitrace: "tcpdump on the host", icmptrace: "tcpdump on the host",
};

/** Reads the words behind "firejail" (firejail(1), version 0.9.72). */
export function parseFirejail(words: readonly string[]): Words {
  const parsed: Words = { action: undefined, steps: [], noprofile: false, quiet: false, debug: false, command: [], login: false };
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      at++;
      break;
    }
    if (word === "-?" || word === "-h") parsed.action = { name: "help", sandbox: "" };
    else if (word === "-l") return { ...parsed, login: true, quiet: true, command: [findShell(), "-l", ...words.slice(at + 1)] };
    else if (word === "-c") return readShellCommand(parsed, words, at + 1);
    else if (!word.startsWith("--")) {
      if (word.startsWith("-")) throw refuse(word);
      break;
    } else readOption(parsed, word);
  }
  parsed.command = words.slice(at);
  return parsed;
}

/** Started as a login shell, or by sshd for a command: "-c COMMAND" is the shell's. Programs read what it says. */
function readShellCommand(parsed: Words, words: readonly string[], at: number): Words {
  const command = words[at];
  if (command === undefined) throw refuse("-c");
  return { ...parsed, login: true, quiet: true, command: [findShell(), "-c", command, ...words.slice(at + 1)] };
}

/** $SHELL, unless that is brig itself standing in /etc/passwd. */
export function findShell(env: NodeJS.ProcessEnv = process.env): string {
  const { SHELL: shell } = env;
  return shell?.startsWith("/") && !/\/(firejail|brig)$/.test(shell) ? shell : "/bin/bash";
}

function readOption(parsed: Words, word: string): void {
  const cut = word.indexOf("=");
  const name = cut < 0 ? word.slice(2) : word.slice(2, cut);
  const value = cut < 0 ? "" : word.slice(cut + 1);
  if (PRINTED.has(name)) parsed.action = { name: "print", sandbox: needValue(word, value), what: name };
  else if (ACTIONS.has(name)) parsed.action = { name: name as Action["name"], sandbox: value };
  else if (SWITCHES.has(name) && cut < 0) readSwitch(parsed, name);
  else if (name === "profile" || name === "include") parsed.steps.push({ kind: name, name: needValue(word, value) });
  else if (name === "trace" || name === "build") parsed.watch = { what: name, file: cut < 0 ? "" : needValue(word, value) };
  else if (name === "output" || name === "output-stderr") parsed.output = { file: needValue(word, value), errors: name === "output-stderr" };
  else if (name === "ignore") parsed.steps.push({ kind: "ignore", words: needValue(word, value), text: word });
  else if (Object.hasOwn(UNSUPPORTED, name)) throw refuseUnsupported(name);
  else readRule(parsed, word, name, value, cut >= 0);
}

function readSwitch(parsed: Words, name: string): void {
  if (name === "noprofile") parsed.noprofile = true;
  else if (name === "quiet") parsed.quiet = true;
  else if (name === "appimage") parsed.appimage = true;
  else parsed.debug = true;
}

function readRule(parsed: Words, word: string, name: string, value: string, hasValue: boolean): void {
  const isLog = value === "" ? name === "dbus-user.log" || name === "dbus-system.log" : name === "dbus-log";
  if ((findFault(name, value) !== undefined && !isLog) || name === "whitelist-ro" || (hasValue && value === "")) throw refuse(word);
  const origin: Origin = { kind: "flag", text: word };
  parsed.steps.push({ kind: "rule", rule: { name, value, origin } });
}

function needValue(word: string, value: string): string {
  if (value === "") throw refuse(word);
  return value;
}

function refuse(word: string): BrigError {
  return new BrigError(`invalid ${word} command line option`, { code: "BRIG_BAD_OPTION", exitCode: 1, hint: "brig firejail --help lists the options" });
}

function refuseUnsupported(name: string): BrigError {
  return new BrigError(`brig firejail has no --${name}`, { code: "BRIG_CANNOT_ENFORCE", exitCode: 1, hint: UNSUPPORTED[name]! });
}
