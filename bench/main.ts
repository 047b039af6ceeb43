import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { type Contestant, type ContestantName, listContestants } from "./contestants.js";
import { measureMemory } from "./memory.js";
import { type BenchArguments, parseArguments, usage } from "./parse-arguments.js";
import type { Place } from "./paths.js";
import { printTable } from "./print-table.js";
import { race } from "./race.js";
import { compareMemory, compareRow, type Result, type ResultRow } from "./result.js";
import { chooseRows, memoryBar, type Row } from "./rows.js";
import { drawChart } from "./draw-chart.js";

/** `npm run bench`. `root` is the checkout, `built` where its sources are transpiled. Returns the exit status. */
export async function runBench(words: readonly string[], root: string, built: string): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) return say(usage, 0);
  let asked: BenchArguments;
  try {
    asked = parseArguments(words);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const scratch = mkdtempSync(join(tmpdir(), "brig-bench-"));
  try {
    return report(await measureAll(asked, { root, built, scratch }), asked);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measureAll(asked: BenchArguments, place: Place): Promise<Result> {
  const env = cleanEnvironment(place);
  const before = loadavg()[0] as number;
  compilePrograms(place);
  copyCommand(place);
  const chosen = chooseRows(asked.word);
  const contestants = chooseContestants(chosen, listContestants(place));
  const onRound = (round: number): void => void (process.stderr.isTTY && process.stderr.write(`\r\u001b[Kbench: round ${round} of ${asked.rounds}`));
  const times = await race(contestants, { ...asked, env, onRound });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const rows: ResultRow[] = chosen.map((row) => compareRow(row, contestants, times));
  if (memoryBar.name.includes((asked.word ?? "").toLowerCase())) rows.push(compareMemory(await measureMemory(join(place.scratch, "dist", "brig"), env)));
  if (rows.length === 0) throw new Error(`no row contains ${asked.word}`);
  const { rounds, runs } = asked;
  return { when: new Date().toISOString(), kernel: release(), node: process.version, root: process.getuid?.() === 0, rounds, runs, load: [before, loadavg()[0] as number], rows };
}

/** No other cache of plans than the run's own, and nothing that makes Node start slowly. */
function cleanEnvironment(place: Place): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, BRIG_NO_CACHE: ___, ...env } = process.env;
  return { ...env, XDG_CACHE_HOME: join(place.scratch, "cache") };
}

/** A build while this runs would make every plan stale. */
function copyCommand({ root, scratch }: Place): void {
  for (const part of ["brig", "cli"]) cpSync(join(root, "dist", part), join(scratch, "dist", part), { recursive: true, preserveTimestamps: true });
}

function compilePrograms({ root, scratch }: Place): void {
  const compile = (name: string, flags: string[]): void => {
    execFileSync(process.env["CC"] ?? "cc", [...flags, "-o", join(scratch, name), join(root, "bench", `${name}.c`)], { stdio: ["ignore", "ignore", "inherit"] });
  };
  compile("nothing", ["-Os", "-static", "-nostdlib"]);
  compile("limit", ["-O2"]);
  compile("repeat", ["-O2"]);
}

function chooseContestants(chosen: readonly Row[], all: Record<ContestantName, Contestant>): Map<ContestantName, Contestant> {
  const names = new Set(chosen.flatMap(({ ours, theirs }) => [ours, theirs]));
  return new Map([...names].map((name) => [name, all[name]]));
}

function report(result: Result, { json, svg }: BenchArguments): number {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  if (svg !== undefined) writeFileSync(svg, drawChart(result));
  return say(printTable(result).trimEnd(), result.rows.some(({ met }) => met === false) ? 1 : 0);
}

function say(text: string, status: number): number {
  console.log(text);
  return status;
}
