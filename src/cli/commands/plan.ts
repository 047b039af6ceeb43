import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { writeExecutablePlan } from "../../launch/cache.js";
import { describeErrno } from "../../error/errno.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { handOverPlan, readEntryDescriptor } from "../../launch/hand-over.js";
import { decodePlan } from "../../plan/decode.js";
import { disassemblePlan } from "../../plan/disassemble.js";
import { encodePlan } from "../../plan/encode.js";
import { PLAN_PREFIX } from "../../plan/format.js";
import type { Plan } from "../../plan/plan.js";
import { sandboxOptions } from "../asked-sandbox.js";
import { compileAsked } from "../compile-asked.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print, printJson } from "../output/print.js";
import { parseWords } from "../parse-words.js";
import { command as runCommand } from "./run.js";

const OWN = new Set(["out", "json", "recompile"]);

export const command: CommandForm = {
  name: "plan",
  usage: ["plan [--json] [OPTIONS] [--] COMMAND [ARGUMENT…]", "plan --out FILE [OPTIONS] [--] COMMAND [ARGUMENT…]", "plan --recompile FILE"],
  description: "The steps that the launcher would perform for brig run with the same words, each with who asked for it.",
  options: [
    { name: "out", short: "o", value: "FILE", group: "Output", complete: "path", help: "write a program that runs the plan without Node" },
    { name: "recompile", value: "FILE", group: "Output", complete: "path", help: "compile a written plan again from the words that it came from" },
    { ...jsonOption, group: "Output" },
    ...sandboxOptions,
  ],
  stopAtOperand: true,
  operands: "command",
  examples: [
    { words: "brig plan -- true", what: "the steps" },
    { words: "brig plan --out ./build --write . -- make", what: "a sandboxed make that starts in about a millisecond" },
  ],
  run: (words) => (words.has("recompile") ? recompile(words.value("recompile")!) : planAsked(words)),
};

async function planAsked(words: ParsedWords): Promise<number> {
  const { plan } = await compileAsked(words, wordsOfRun(words));
  const file = words.value("out");
  if (file !== undefined) writePlan(file, plan);
  else if (words.has("json")) printJson(plan);
  else print(disassemblePlan(plan).join("\n"));
  return 0;
}

function writePlan(file: string, plan: Plan): void {
  try {
    writeExecutablePlan(file, makeCallable(plan), findLauncher());
  } catch (error) {
    if (error instanceof BrigError) throw error;
    throw new BrigError(`cannot write the plan ${file}: ${describeErrno(error as NodeJS.ErrnoException)}`, { code: "BRIG_CANNOT_WRITE", origin: `--out ${file}`, hint: "name a file in a folder that you may write", cause: error });
  }
}

/** The same as words of `brig run`, for whoever compiles it again. */
function wordsOfRun(words: ParsedWords): string[] {
  const options = words.typed.filter(({ name }) => !OWN.has(name)).map(({ name, value, on }) => writeOption(name, value, on));
  return ["run", ...options, "--", ...words.operands];
}

function writeOption(name: string, value: string, on: boolean): string {
  const takesValue = sandboxOptions.find((option) => option.name === name)?.value !== undefined;
  return takesValue ? `--${name}=${value}` : `--${on ? "" : "no-"}${name}`;
}

/** A program is started from anywhere, by its own name: it holds whatever words, folder and terminal it is started with. */
function makeCallable(plan: Plan): Plan {
  return { ...plan, witnesses: plan.witnesses.filter(({ kind }) => kind === "file" || kind === "ids") };
}

async function recompile(name: string): Promise<number> {
  const file = resolve(name); // the folder below is the one that the plan was compiled in
  const { words, cwd } = readPlan(file).note;
  if (!words || !cwd) throw new BrigError(`${file} does not say what it was compiled from`, { code: "BRIG_BAD_PLAN", hint: "write it again with brig plan --out" });
  process.chdir(cwd);
  const { plan } = await compileAsked(parseWords(runCommand, words.slice(1)), words);
  const callable = makeCallable(plan);
  replacePlan(file, callable);
  return readEntryDescriptor(process.env) === undefined ? 0 : handOverPlan(encodePlan(callable));
}

/** Whoever may run it but not write it gets the new plan only this once. */
function replacePlan(file: string, plan: Plan): void {
  try {
    writeExecutablePlan(file, plan, findLauncher());
  } catch (error) {
    if (!["EACCES", "EROFS", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function readPlan(file: string): Plan {
  const bytes = readFileSync(file);
  return decodePlan(bytes.subarray(0, 2).toString() === "#!" ? bytes.subarray(PLAN_PREFIX) : bytes);
}
