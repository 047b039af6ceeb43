import { BrigError } from "../../error/brig-error.js";

/** What `brig journalctl` was asked for. */
export interface JournalctlRequest {
  machine: string;
  /** journalctl's own words, as they stood. */
  words: string[];
  /** What of them a console log can be asked. */
  console: { follow: boolean; tail: number | undefined };
}

/** Options that say where the entries are, or that change files: neither is a machine's business or a reader's. */
const REFUSED = [
  "directory", "file", "root", "image", "namespace", "merge", "system", "user", "cursor-file", "vacuum-size", "vacuum-files", "vacuum-time", "sync",
  "relinquish-var", "smart-relinquish-var", "flush", "rotate", "setup-keys", "update-catalog", "pager-end", "force",
];
/** Letters with a value. */
const WITH_VALUE = "DMcSUutpgoF";

/**
 * Finds the machine, and leaves the rest to journalctl.
 * @param words behind "journalctl"
 * @throws BrigError BRIG_BAD_USAGE, BRIG_BAD_OPTION; status 1
 */
export function parseJournalctl(words: readonly string[]): JournalctlRequest | "help" {
  const rest: string[] = [];
  let machine: string | undefined;
  let follow = false;
  let tail: number | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const [name, value] = splitLong(word);
    if (word === "--help" || word === "-h") return "help";
    if (word === "--") {
      rest.push(...words.slice(at));
      break;
    }
    if (name === "machine" || word === "-M") machine = value ?? words[++at];
    else if (/^-M./.test(word)) machine = word.slice(2);
    else if (isRefused(name, word)) throw refuse(word);
    else {
      rest.push(word);
      if (name === "follow" || /^-[a-zA-Z]*f/.test(word)) follow = true;
      const lines = /^(?:--lines=|-n)(\d+)$/.exec(word)?.[1] ?? (/^(-n|--lines)$/.test(word) && /^\d+$/.test(words[at + 1] ?? "") ? words[at + 1] : undefined);
      if (lines !== undefined) tail = Number(lines);
      if (takesValue(word) && at + 1 < words.length) rest.push(words[++at]!);
    }
  }
  if (machine === undefined || machine === "") throw new BrigError("of which machine?", { code: "BRIG_BAD_USAGE", exitCode: 1, hint: "brig journalctl -M MACHINE" });
  return { machine, words: rest, console: { follow, tail: tail ?? (follow ? 10 : undefined) } };
}

function splitLong(word: string): [name: string | undefined, value: string | undefined] {
  const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(word);
  return [match?.[1], match?.[2]];
}

/** Long names may be shortened, as getopt_long(3) takes them; a short option may stand in a row of others. */
function isRefused(name: string | undefined, word: string): boolean {
  if (name !== undefined) return name !== "user-unit" && REFUSED.some((refused) => refused === name || (name.length > 2 && refused.startsWith(name) && !"follow".startsWith(name) && !"since".startsWith(name)));
  if (!/^-[^-]/.test(word)) return false;
  for (const letter of word.slice(1)) {
    if ("DMme".includes(letter)) return true;
    if (WITH_VALUE.includes(letter) || "nb".includes(letter)) return false;
  }
  return false;
}

/** "-u" and "-fu": the value is the next word. */
function takesValue(word: string): boolean {
  const letters = /^-([a-zA-Z]+)$/.exec(word)?.[1];
  if (letters === undefined) return /^--(since|until|cursor|after-cursor|unit|user-unit|identifier|priority|facility|grep|output|output-fields|field|interval|verify-key)$/.test(word);
  const at = [...letters].findIndex((letter) => WITH_VALUE.includes(letter));
  return at >= 0 && at === letters.length - 1;
}

function refuse(word: string): BrigError {
  return new BrigError(`${word} cannot go with a machine`, { code: "BRIG_BAD_OPTION", exitCode: 1, hint: "its journal is read where it stands, and never changed; journalctl(1) itself does the rest" });
}
