import { badWords, parseGetopt, type Grammar } from "../grammar/getopt.js";

/** What chroot(1) of coreutils 9.1 was asked for, and brig's own `--hardened`. */
export interface ChrootOptions {
  newRoot: string;
  /** "USER[:GROUP]", as typed. */
  userspec?: { value: string; text: string };
  /** "G1,G2", as typed. */
  groups?: { value: string; text: string };
  skipChdir?: { text: string };
  /** With every other wall. */
  hardened?: boolean;
  x11?: ChrootDisplay;
  /** "PATH[:OPTIONS]": empty folders in memory. */
  tmpfs: { value: string; text: string }[];
  /** A /proc of the host's processes. */
  proc?: { text: string };
  resolvConf?: { value: HostFile; text: string };
  timezone?: { value: HostFile; text: string };
  command: string[];
}

/** What becomes of a file in the root that says how the host does something. */
export type HostFile = "off" | "copy" | "bind";

/** A display: "auto" is what is best here. */
export interface ChrootDisplay {
  value: "auto" | "host" | "xvfb" | "xephyr";
  text: string;
}

/** coreutils' EXIT_CANCELED: the tool itself failed. */
export const EXIT_CANCELED = 125;

type Key = "help" | "version" | "userspec" | "groups" | "skipChdir" | "hardened" | "tmpfs" | "proc" | "resolvConf" | "timezone" | "x11";

const grammar: Grammar<Key> = {
  tool: "chroot",
  exitCode: EXIT_CANCELED,
  short: {},
  long: [
    { name: "groups", argument: "required", key: "groups" },
    { name: "userspec", argument: "required", key: "userspec" },
    { name: "skip-chdir", argument: "none", key: "skipChdir" },
    { name: "hardened", argument: "none", key: "hardened" },
    { name: "x11", argument: "optional", key: "x11" },
    { name: "tmpfs", argument: "required", key: "tmpfs" },
    { name: "proc", argument: "none", key: "proc" },
    { name: "mount-proc", argument: "none", key: "proc" },
    { name: "resolv-conf", argument: "required", key: "resolvConf" },
    { name: "timezone", argument: "required", key: "timezone" },
    { name: "help", argument: "none", key: "help" },
    { name: "version", argument: "none", key: "version" },
  ],
};

/**
 * Reads chroot's words.
 * @param isOldRoot whether a folder is the caller's "/", under any name
 * @throws BrigError BRIG_BAD_OPTION with chroot's own message and status
 */
export function parseChroot(words: string[], isOldRoot: (path: string) => boolean): ChrootOptions | "help" | "version" {
  const { options, operands } = parseGetopt(grammar, words);
  const asked: ChrootOptions = { newRoot: "", tmpfs: [], command: operands.slice(1) };
  for (const { key, value, text } of options) {
    if (key === "help" || key === "version") return key;
    if (key === "hardened") asked.hardened = true;
    else if (key === "x11") asked.x11 = readDisplay(value || "auto", text);
    else if (key === "skipChdir" || key === "proc") asked[key] = { text };
    else if (key === "tmpfs") asked.tmpfs.push({ value: value ?? "", text });
    else if (key === "resolvConf" || key === "timezone") asked[key] = { value: readHostFile(value ?? "", text), text };
    else asked[key] = { value: value ?? "", text };
  }
  if (operands[0] === undefined) throw badWords(grammar, "missing operand");
  asked.newRoot = operands[0];
  if (asked.skipChdir && !isOldRoot(asked.newRoot))
    throw badWords(grammar, "option --skip-chdir only permitted if NEWROOT is old '/'");
  if (asked.skipChdir && asked.hardened)
    throw badWords(grammar, "options --skip-chdir and --hardened are mutually exclusive: a hardened root has no folder outside");
  if (asked.groups && asked.hardened)
    throw badWords(grammar, "options --groups and --hardened are mutually exclusive: a hardened program has no supplementary groups");
  return asked;
}

function readDisplay(value: string, text: string): ChrootDisplay {
  if (value === "auto" || value === "host" || value === "xvfb" || value === "xephyr") return { value, text };
  throw badWords(grammar, `${text}: one of host, xvfb, xephyr`);
}

/** Also by the names that systemd-nspawn(1) has for them. */
function readHostFile(value: string, text: string): HostFile {
  const known: Record<string, HostFile> = { off: "off", copy: "copy", "copy-host": "copy", bind: "bind", "bind-host": "bind" };
  const found = known[value];
  if (found === undefined) throw badWords(grammar, `${text}: one of copy, bind, off`);
  return found;
}
