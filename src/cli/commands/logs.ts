import { BrigError } from "../../error/brig-error.js";
import { parseDuration } from "../../policy/parse/duration.js";
import { findSandbox } from "../../sandbox/find.js";
import type { LogLine } from "../../sandbox/log-line.js";
import { type LogOptions, type LogPlace, readLogs } from "../../sandbox/logs.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print, printBytes } from "../output/print.js";

const NEWLINE = Buffer.from("\n");

export const command: CommandForm = {
  name: "logs",
  usage: ["logs [-f] [-n LINES] [--since TIME] [-t] SANDBOX"],
  description: "Prints what a detached sandbox wrote: its standard output to standard output, its standard error to standard error.",
  options: [
    { name: "follow", short: "f", help: "go on until the sandbox ends" },
    { name: "tail", short: "n", value: "LINES", help: "begin with the last lines; all: with the first" },
    { name: "since", value: "TIME", help: "only what is newer: 10m, or 2026-01-31T10:00:00Z" },
    { name: "until", value: "TIME", help: "only what is older" },
    { name: "timestamps", short: "t", help: "each line with the time when it was written" },
    { ...jsonOption, help: "a JSON object a line, with time, stream and text" },
  ],
  minOperands: 1,
  maxOperands: 1,
  operands: "sandbox",
  examples: [
    { words: "brig logs -f -n 20 build", what: "the last lines, and what comes" },
    { words: "brig logs --since 5m -t build", what: "the last five minutes, with times" },
  ],
  run: (words) => showLogs(findSandbox(words.operands[0]!), words),
};

/** Prints a log as the options say. */
export async function showLogs(place: LogPlace, words: ParsedWords): Promise<void> {
  const show = words.has("json") ? showJson : words.has("timestamps") ? showTimed : showPlain;
  for await (const line of readLogs(place, readOptions(words))) show(line);
}

function readOptions(words: ParsedWords): LogOptions {
  const tail = words.value("tail");
  const since = words.value("since");
  const until = words.value("until");
  if (tail !== undefined && tail !== "all" && !/^\d+$/.test(tail)) throw new BrigError(`--tail cannot be ${JSON.stringify(tail)}`, { code: "BRIG_BAD_VALUE", hint: "a number of lines, or all" });
  return {
    follow: words.has("follow"),
    ...(tail === undefined || tail === "all" ? {} : { tail: Number(tail) }),
    ...(since === undefined ? {} : { sinceMs: parseMoment(since, "since") }),
    ...(until === undefined ? {} : { untilMs: parseMoment(until, "until") }),
  };
}

/** A date, seconds since the epoch, or how long ago. */
function parseMoment(text: string, where: string): number {
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return Date.parse(text);
  if (/^\d{9,}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  return Date.now() - parseDuration(text, where, "s");
}

function showPlain({ stream, whole, text }: LogLine): void {
  printBytes(stream === "stdout" ? 1 : 2, whole ? Buffer.concat([text, NEWLINE]) : text);
}

function showTimed(line: LogLine): void {
  showPlain({ ...line, text: Buffer.concat([Buffer.from(`${line.time} `), line.text]) });
}

function showJson({ time, stream, whole, text }: LogLine): void {
  print(JSON.stringify({ time, stream, text: text.toString(), ...(whole ? {} : { partial: true }) }));
}
