import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { readAttempts } from "../denials/attempts.js";
import type { Denial } from "../denials/denial.js";
import { describeInside, type Inside } from "../denials/inside.js";
import { DenialLedger } from "../denials/ledger.js";
import { listWords, renderDenial, renderSummary } from "../denials/render.js";
import { REPORT_FD, runWatchedPlan } from "../launch/run-watched.js";
import { encodePlan } from "../plan/encode.js";
import { type Extension, readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { type CompiledRun, compileAsked } from "./compile-asked.js";
import type { ParsedWords } from "./grammar.js";
import { printError } from "./output/print.js";

/** `brig run` with somebody who watches. Returns the payload's status. */
export async function runExplained(words: ParsedWords, typed: readonly string[]): Promise<number> {
  const compiled = await compileAsked(words, typed, addWatch);
  try {
    return await watch(words, compiled);
  } finally {
    const { log } = readExtension(compiled.spec).network?.filter ?? {};
    if (log !== undefined && isOwnLog(log)) rmSync(dirname(log), { recursive: true, force: true });
  }
}

async function watch(words: ParsedWords, compiled: CompiledRun): Promise<number> {
  const inside = describeInside(compiled.spec, readCaller(compiled));
  const live = openLive(words, compiled);
  try {
    const ledger = new DenialLedger(inside, live.write);
    const status = await runCompiled(compiled, ledger);
    addAttempts(compiled, inside, ledger);
    if (words.has("explain-denials") && ledger.hasBegun) printSummary(ledger, words.has("json"));
    return status;
  } finally {
    live.close();
  }
}

function addWatch(spec: Spec): Spec {
  const extension = readExtension(spec);
  if (!extension.detach) return writeExtension(spec, { ...logAttempts(extension), watch: { fd: REPORT_FD, mode: "walls" } });
  const hint = "run it in the foreground, or leave --explain-denials out";
  throw new BrigError("a detached sandbox has nobody who stays to say what was blocked", { code: "BRIG_CANNOT_WATCH", origin: "--detach", hint });
}

const LOG_FOLDER = "brig-attempts-";

/** A list of hosts has its own log of what it refused, which needs a file that only this user may read. */
function logAttempts(extension: Extension): Extension {
  const { network } = extension;
  if (!network?.filter || network.filter.log !== undefined) return extension;
  const log = join(mkdtempSync(join(tmpdir(), LOG_FOLDER)), "log");
  writeFileSync(log, "", { mode: 0o600 });
  return { ...extension, network: { ...network, filter: { ...network.filter, log } } };
}

function isOwnLog(path: string): boolean {
  return dirname(path).startsWith(join(tmpdir(), LOG_FOLDER));
}

function addAttempts({ spec }: CompiledRun, inside: Inside, ledger: DenialLedger): void {
  const { log } = readExtension(spec).network?.filter ?? {};
  if (log !== undefined) readAttempts(inside, readFileSync(log, "utf8")).forEach((found) => ledger.addFinding(found));
}

function readCaller({ host }: CompiledRun): Pick<Inside, "home" | "cwd" | "euid" | "landlockAbi"> {
  const { HOME: home } = process.env;
  return { home: home?.startsWith("/") ? home : homedir(), cwd: process.cwd(), euid: host.euid, landlockAbi: host.landlockAbi };
}

async function runCompiled({ plan, spec, options }: CompiledRun, ledger: DenialLedger): Promise<number> {
  const run = (bytes: Uint8Array): Promise<number> => runWatchedPlan(bytes, (event) => ledger.add(event));
  const bytes = encodePlan(plan);
  if (!options.ephemeral) return run(bytes);
  const { runEphemeral } = await import("./run-ephemeral.js");
  return runEphemeral(bytes, spec, options.ephemeral, run);
}

interface Live {
  write(denial: Denial): void;
  close(): void;
}

function openLive(words: ParsedWords, { plan }: CompiledRun): Live {
  const file = words.value("denials-file");
  const descriptor = file === undefined ? undefined : openFile(file);
  const asJson = words.has("json") || /\.jsonl?$/.test(file ?? "");
  // the payload's terminal may be in raw mode, where a line's end does not go back to its beginning
  const end = plan.steps.child.some(({ op }) => op === "PTY") ? "\r\n" : "\n";
  return {
    write(denial) {
      if (descriptor !== undefined) writeSync(descriptor, `${asJson ? JSON.stringify(denial) : renderDenial(denial)}\n`);
      if (words.has("denials-live")) printError(`${words.has("json") ? JSON.stringify(denial) : renderDenial(denial)}${end}`);
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

function openFile(file: string): number {
  try {
    return openSync(file, "w", 0o600);
  } catch (error) {
    throw new BrigError(`cannot write ${file}: ${(error as Error).message}`, { code: "BRIG_CANNOT_WRITE", origin: `--denials-file ${file}`, hint: "name a file in a folder that you may write to", cause: error });
  }
}

function printSummary(ledger: DenialLedger, asJson: boolean): void {
  const denials = ledger.list();
  if (asJson) printError(JSON.stringify({ denials, lost: ledger.lost, allow: listWords(denials) }, undefined, 2));
  else printError(renderSummary(denials, ledger.lost));
}
