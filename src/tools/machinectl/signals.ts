import { constants } from "node:os";
import { machinectlError } from "./errors.js";

const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;

/** Names by number as systemd writes them, without "SIG"; the first name that the C library has for a number counts. */
const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) if (!NAMES.has(number) && name !== "SIGPOLL") NAMES.set(number, name.slice(3));
NAMES.set(constants.signals.SIGABRT, "ABRT").set(constants.signals.SIGIO, "IO").set(constants.signals.SIGSYS, "SYS");

/** "KILL", "RTMIN+4", "32". */
export function nameSignal(number: number): string {
  if (number >= FIRST_REALTIME) return `RTMIN+${number - FIRST_REALTIME}`;
  return NAMES.get(number) ?? String(number);
}

/** What `--signal=list` prints. */
export function listSignals(): string {
  const lines = Array.from({ length: LAST_REALTIME }, (_, index) => `${String(index + 1).padEnd(6)} SIG${nameSignal(index + 1)}`);
  return ["SIGNAL NAME", ...lines].join("\n");
}

/** What `--signal=help` prints: systemd's table of names begins with number 0. */
export function listSignalNames(): string {
  const named = Array.from({ length: LAST_REALTIME }, (_, index) => nameSignal(index + 1));
  return ["0", ...named].join("\n");
}

/**
 * "SIGTERM", "TERM", "15", "RTMIN+3", "SIGRTMAX-1". Small letters too, which systemd refuses: people type `-s kill`.
 * @throws BrigError in machinectl's words
 */
export function parseSignalWord(text: string): number {
  const word = text.toUpperCase().replace(/^SIG/, "");
  const number = parseNumber(word) ?? parseRealtime(word) ?? [...NAMES].find(([, name]) => name === word)?.[0];
  if (number === undefined) throw machinectlError(`Failed to parse signal string "${text}".`, "BRIG_BAD_SIGNAL", "--signal=list names them");
  return number;
}

function parseNumber(word: string): number | undefined {
  const number = /^\d{1,2}$/.test(word) ? Number(word) : 0;
  return number >= 1 && number <= LAST_REALTIME ? number : undefined;
}

function parseRealtime(word: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(word);
  if (!match) return undefined;
  const [, end, sign, digits = "0"] = match;
  const number = (end === "MIN" ? FIRST_REALTIME : LAST_REALTIME) + (sign === "-" ? -Number(digits) : Number(digits));
  return number >= FIRST_REALTIME && number <= LAST_REALTIME ? number : undefined;
}
