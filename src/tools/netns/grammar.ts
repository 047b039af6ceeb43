import { EXIT_REFUSED, netnsError, requireName } from "./names.js";

/** What `brig netns …` was asked for: the words of `ip netns` (iproute2 6.1), and brig's connect and disconnect. */
export type NetnsRequest =
  | { kind: "list"; json: boolean }
  | { kind: "list-id"; json: boolean; target?: number; nsid?: number }
  | { kind: "help" }
  | { kind: "add"; name: string }
  | { kind: "attach"; name: string; pid: number }
  | { kind: "delete"; name: string }
  | { kind: "delete-all" }
  | { kind: "set"; name: string; nsid: number | "auto" }
  | { kind: "identify"; pid: string }
  | { kind: "pids"; name: string }
  | { kind: "exec"; name: string; command: string[] }
  | { kind: "exec-all"; command: string[] }
  | { kind: "monitor" }
  | { kind: "connect"; name: string; subnet?: string; nat: boolean; uplink?: string }
  | { kind: "disconnect"; name: string };

/** Which word is meant by its beginning: the first that fits, in ip's order. */
const WORDS = [
  "list", "show", "lst", "list-id", "help", "add", "set", "delete", "identify", "pids", "exec", "monitor", "attach",
  "connect", "disconnect",
] as const;

interface Flags {
  all: boolean;
  json: boolean;
}

/**
 * @param words behind "netns", with ip's own options (-all, -json) in front
 * @throws BrigError in ip's words and with its status
 */
export function parseNetns(words: string[]): NetnsRequest {
  const { flags, rest } = readFlags(words);
  const [typed, ...operands] = rest;
  if (typed === "--help" || typed === "-h" || typed === "-help") return { kind: "help" };
  const word = typed === undefined ? "list" : WORDS.find((known) => typed !== "" && known.startsWith(typed));
  if (!word) throw netnsError(`Command ${JSON.stringify(typed)} is unknown, try "brig netns help".`, EXIT_REFUSED);
  return readCommand(word, operands, flags);
}

function readFlags(words: string[]): { flags: Flags; rest: string[] } {
  const flags: Flags = { all: false, json: false };
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at]!.replace(/^--/, "-");
    if (word.length > 1 && "-all".startsWith(word)) flags.all = true;
    else if (word.length > 1 && "-json".startsWith(word)) flags.json = true;
    else if (word.length < 2 || !"-pretty".startsWith(word)) break;
  }
  return { flags, rest: words.slice(at) };
}

function readCommand(word: (typeof WORDS)[number], operands: string[], { all, json }: Flags): NetnsRequest {
  const [first, second] = operands;
  switch (word) {
    case "list": case "show": case "lst": return { kind: "list", json: json || first === "--json" };
    case "list-id": return readListId(operands, json);
    case "help": return { kind: "help" };
    case "monitor": return { kind: "monitor" };
    case "add": return { kind: "add", name: requireName(first) };
    case "attach": return readAttach(first, second);
    case "set": return readSet(first, second);
    case "delete": return all ? { kind: "delete-all" } : { kind: "delete", name: requireName(first) };
    case "identify": return readIdentify(operands);
    case "pids": refuseExtra(operands, 1); return { kind: "pids", name: requireName(first) };
    case "exec": return readExec(operands, all);
    case "connect": return readConnect(operands);
    case "disconnect": refuseExtra(operands, 1); return { kind: "disconnect", name: requireName(first) };
  }
}

function readAttach(name: string | undefined, pid: string | undefined): NetnsRequest {
  if (name === undefined || pid === undefined) throw netnsError("No netns name and PID specified");
  const number = /^\d+$/.test(pid) ? Number(pid) : 0;
  if (number < 1) throw netnsError(`Invalid PID: ${pid}`);
  return { kind: "attach", name: requireName(name), pid: number };
}

function readSet(name: string | undefined, id: string | undefined): NetnsRequest {
  if (name === undefined) throw netnsError("No netns name specified");
  if (id === undefined) throw netnsError("No nsid specified");
  return { kind: "set", name: requireName(name), nsid: id === "auto" ? "auto" : readNsid(id, "netnsid") };
}

function readListId(operands: string[], json: boolean): NetnsRequest {
  const asked: NetnsRequest = { kind: "list-id", json };
  for (let at = 0; at < operands.length; at += 2) {
    const word = operands[at]!;
    const value = operands[at + 1];
    if (word !== "target-nsid" && word !== "nsid") throw netnsError(`What is ${JSON.stringify(word)}? Try "brig netns help".`, EXIT_REFUSED);
    if (value === undefined) throw netnsError("Command line is not complete. Try option \"help\"", EXIT_REFUSED);
    asked[word === "nsid" ? "nsid" : "target"] = readNsid(value, word);
  }
  return asked;
}

function readNsid(text: string, what: string): number {
  const wrong = (why: string) => netnsError(`Error: argument ${JSON.stringify(text)} is wrong: ${why}`, EXIT_REFUSED);
  if (/^-\d+$/.test(text)) throw wrong(`"${what}" value should be >= 0`);
  if (!/^\d+$/.test(text) || Number(text) > 2 ** 31 - 1) throw wrong(`Invalid "${what}" value`);
  return Number(text);
}

function readIdentify(operands: string[]): NetnsRequest {
  refuseExtra(operands, 1);
  const pid = operands[0] ?? "self";
  if (pid !== "self" && !/^\d+$/.test(pid)) throw netnsError(`Specified string '${pid}' is not a pid`);
  return { kind: "identify", pid };
}

function readExec(operands: string[], all: boolean): NetnsRequest {
  const [name, ...command] = all ? ["", ...operands] : operands;
  if (name === undefined) throw netnsError("No netns name specified");
  if (command.length === 0) throw netnsError("No command specified");
  return all ? { kind: "exec-all", command } : { kind: "exec", name: requireName(name), command };
}

function readConnect(operands: string[]): NetnsRequest {
  const asked: Extract<NetnsRequest, { kind: "connect" }> = { kind: "connect", name: requireName(operands[0]), nat: true };
  for (let at = 1; at < operands.length; at++) {
    const [word, joined] = splitOption(operands[at]!);
    if (word === "--no-nat" && joined === undefined) {
      asked.nat = false;
      continue;
    }
    const value = joined ?? operands[++at];
    if (word !== "--subnet" && word !== "--uplink")
      throw netnsError(`What is ${JSON.stringify(word)}? connect takes --subnet A.B.C.D/N, --uplink INTERFACE and --no-nat`, EXIT_REFUSED);
    if (value === undefined) throw netnsError(`${word} requires a value`, EXIT_REFUSED);
    asked[word === "--subnet" ? "subnet" : "uplink"] = value;
  }
  return asked;
}

function splitOption(word: string): [string, string | undefined] {
  const cut = word.indexOf("=");
  return cut < 0 ? [word, undefined] : [word.slice(0, cut), word.slice(cut + 1)];
}

function refuseExtra(operands: string[], most: number): void {
  if (operands.length > most) throw netnsError("extra arguments specified");
}
