import { fstatSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { readHostFacts } from "../../host/facts.js";
import { checkLearned, type Learned, learnProfile, type LearnWish } from "../../learn/learn.js";
import type { PolicyContext } from "../../policy/context.js";
import { nameScratch } from "../../rootfs/overlay/name-scratch.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print, printError, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "learn",
  usage: ["learn [-o FILE] [--runs N] [--minimize] [--] COMMAND [ARGUMENT…]"],
  description:
    "Runs a command with open walls, watches what it needs, and writes the tightest profile for brig run --profile with which it does the same. " +
    "While it is learned from, the command can read all your files and reach the network, so learn only from what you trust that far (--net none and --hide narrow it); what it writes is dropped. " +
    "Then the profile is tried: the command runs under it, without your terminal, and must end with the same status and, where that is always the same, the same output. What it does without is left out.",
  options: [
    { name: "out", short: "o", value: "FILE", complete: "path", help: "write the profile there (default: standard output, and the command's output on standard error)" },
    { name: "runs", value: "N", help: "watch it so many times, if it does not always do the same (default 1)" },
    { name: "net", value: "none|user|host", complete: ["none", "user", "host"], help: "what of the network it may reach meanwhile (default user)" },
    { name: "hide", value: "PATH", repeat: true, complete: "path", help: "a path that stays hidden all the same" },
    { name: "verify", negatable: true, help: "try the profile (default on)" },
    { name: "minimize", help: "take out each line that the command does without, one by one" },
    jsonOption,
  ],
  stopAtOperand: true,
  operands: "command",
  minOperands: 1,
  examples: [
    { words: "brig learn -o git.toml -- git status", what: "what git status needs" },
    { words: "brig run --profile git.toml", what: "run it with just that" },
    { words: "brig learn --net none --hide ~/.ssh --minimize -o tool.toml -- ./tool", what: "offline, without the keys, and with no line that is not needed" },
  ],
  run: (words) => learn(words),
};

async function learn(words: ParsedWords): Promise<number> {
  const out = words.value("out");
  const { context, wish } = readWish(words, out);
  const learned = await learnProfile(wish, context);
  writeProfile(learned, wish, out, words.has("json"));
  checkLearned(learned);
  tell(learned, out);
  return 0;
}

function readWish(words: ParsedWords, out: string | undefined): { context: PolicyContext; wish: LearnWish } {
  const host = readHostFacts();
  const { HOME: home } = process.env;
  const context: PolicyContext = { cwd: process.cwd(), env: process.env, home: home?.startsWith("/") ? resolve(home) : homedir(), host, scratch: nameScratch() };
  const name = basename(words.operands[0] ?? "").replaceAll(/[^\w.+-]/g, "_");
  const wish: LearnWish = {
    command: words.operands,
    runs: readRuns(words.value("runs")),
    net: readNet(words.value("net"), host.hasTool("pasta") !== undefined),
    hide: words.values("hide"),
    verify: words.typed.findLast((option) => option.name === "verify")?.on ?? true,
    minimize: words.has("minimize"),
    seccompName: `${out === undefined ? name : basename(out).replace(/\.toml$/, "")}.seccomp.json`,
    streams: out === undefined ? [0, 2, 2] : [0, 1, 2],
    input: findInput(),
    say: (what) => printError(`brig: ${what}`),
  };
  return { context, wish };
}

function readRuns(text: string | undefined): number {
  if (text === undefined) return 1;
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new BrigError(`--runs cannot be ${JSON.stringify(text)}`, { code: "BRIG_BAD_VALUE", origin: `--runs ${text}`, hint: "a number from 1 to 99" });
}

function readNet(text: string | undefined, hasPasta: boolean): string {
  if (text === undefined) return hasPasta ? "user" : "none";
  if (["none", "user", "host"].includes(text)) return text;
  throw new BrigError(`--net cannot be ${JSON.stringify(text)}`, { code: "BRIG_BAD_VALUE", origin: `--net ${text}`, hint: "none, user or host" });
}

/** A file as standard input can be read again for each trial; what came through a pipe or a terminal cannot. */
function findInput(): string {
  try {
    return fstatSync(0).isFile() ? "/proc/self/fd/0" : "/dev/null";
  } catch {
    return "/dev/null";
  }
}

function writeProfile({ texts, lines, unneeded, status, verified }: Learned, wish: LearnWish, out: string | undefined, asJson: boolean): void {
  if (out !== undefined) writeWhole(out, texts.text);
  if (texts.seccomp !== undefined) writeWhole(join(out === undefined ? "." : dirname(out), wish.seccompName), texts.seccomp);
  if (asJson) printJson({ profile: texts.text, lines, unneeded, status, verified });
  else if (out === undefined) print(texts.text);
}

function writeWhole(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new BrigError(`cannot write ${file}: ${(error as Error).message}`, { code: "BRIG_CANNOT_WRITE", hint: "name a file in a folder that you may write to", cause: error });
  }
}

function tell({ lines, unneeded, verified, status }: Learned, out: string | undefined): void {
  const rules = `${lines.length} ${lines.length === 1 ? "rule" : "rules"}${unneeded.length > 0 ? `, ${unneeded.length} found unneeded` : ""}`;
  const how = verified ? "it does the same under them" : "not tried";
  printError(`brig: ${rules}; ${how}${status === 0 ? "" : `; it ended with status ${status}`}${out === undefined ? "" : `; run it with: brig run --profile ${out}`}`);
}
