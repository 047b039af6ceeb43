import { BrigError } from "../error/brig-error.js";
import { describeInside, type Inside } from "../denials/inside.js";
import { HostSockets } from "../denials/host-sockets.js";
import { REPORT_FD, runWatchedPlan } from "../launch/run-watched.js";
import { findRunFolder } from "../launch/run-folder.js";
import type { LauncherStreams } from "../launch/run-plan.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { defaultSeccomp } from "../plan/seccomp/default.js";
import { buildSpec } from "../policy/build-spec.js";
import type { PolicyContext } from "../policy/context.js";
import { readExtension } from "../spec/extension.js";
import { makeScratch, removeScratch } from "../rootfs/overlay/scratch.js";
import { MAPPED_BASE } from "../policy/identity.js";
import { dirname } from "node:path";
import { deriveLines } from "./derive.js";
import { dropUnneeded } from "./drop.js";
import { type Line, sameLine } from "./line.js";
import { buildOpenSpec, type OpenWish } from "./open-sandbox.js";
import { type ProfileTexts, renderProfile } from "./profile-text.js";
import { type Trial, tryProfile } from "./try-profile.js";
import { Uses } from "./uses.js";

export interface LearnWish extends OpenWish {
  command: readonly string[];
  runs: number;
  verify: boolean;
  /** Try to take out each line, and not only those that the program may well do without. */
  minimize: boolean;
  /** File name of the seccomp document beside the profile. */
  seccompName: string;
  streams: LauncherStreams;
  /** A file that trials get as standard input. */
  input: string;
  /** Hears what is being done. */
  say(what: string): void;
}

export interface Learned {
  texts: ProfileTexts;
  lines: Line[];
  unneeded: Line[];
  /** The program's exit status while it was learned from. */
  status: number;
  /** Without verification: undefined. */
  verified?: boolean;
  /** What was blocked in the last trial that did not go as it should. */
  trial?: Trial;
}

/** Runs a program with open walls, watches what it uses, and writes the tightest profile with which it does the same. */
export async function learnProfile(wish: LearnWish, context: PolicyContext): Promise<Learned> {
  const { host, home, cwd } = context;
  const strict = describeInside(buildSpec({}, wish.command, context), { home, cwd, euid: host.euid, landlockAbi: host.landlockAbi });
  const uses = new Uses(strict, new HostSockets());
  let status = 0;
  const beganMs = performance.now();
  for (let run = 1; run <= wish.runs; run++) status = await watchRun(wish, context, uses);
  const lines = deriveLines(uses, strict);
  if (!wish.verify) return finish(wish, strict, lines.filter(({ optional }) => !optional), lines.filter(({ optional }) => optional), { status });
  const timeoutMs = Math.max(LEAST_TRIAL_MS, (PATIENCE * (performance.now() - beganMs)) / wish.runs);
  return verify(wish, context, strict, lines, { status, timeoutMs: Math.ceil(timeoutMs) });
}

/** A trial may take so many times as long as a run that was learned from, and this long in any case. */
const PATIENCE = 4;
const LEAST_TRIAL_MS = 5000;

/** What a trial is held against. */
interface Expected {
  status: number;
  timeoutMs: number;
}

async function watchRun(wish: LearnWish, context: PolicyContext, uses: Uses): Promise<number> {
  const spec = buildOpenSpec(wish.command, wish, context, REPORT_FD);
  const overlays = readExtension(spec).overlay ?? [];
  const plan = compilePlan(spec, context.host, { runFolder: findRunFolder(context.host.euid) });
  const [first] = overlays;
  const scratch = first ? dirname(dirname(first.upper)) : undefined;
  try {
    if (scratch !== undefined) makeScratch(scratch, overlays, first?.place === undefined ? 0 : MAPPED_BASE);
    return await runWatchedPlan(encodePlan(plan), (event) => uses.add(event), wish.streams);
  } finally {
    if (scratch !== undefined) removeScratch(scratch);
  }
}

/** By names, else, where they do not do (an address that is private, a protocol that is not TCP), with all of the network. */
async function verify(wish: LearnWish, context: PolicyContext, strict: Inside, lines: Line[], expected: Expected): Promise<Learned> {
  const hosts = lines.filter(({ key }) => key === "allowHosts");
  const learned = await verifyLines(wish, context, strict, lines, expected);
  if (learned.verified || hosts.length === 0) return learned;
  const out: Line = { key: "net", value: "user", why: `it talked to ${hosts.map(({ value }) => value).join(", ")}, and did not do with just those names`, optional: false };
  return verifyLines(wish, context, strict, [out, ...lines.filter((line) => !hosts.includes(line))], expected);
}

async function verifyLines(wish: LearnWish, context: PolicyContext, strict: Inside, lines: Line[], expected: Expected): Promise<Learned> {
  const { status, timeoutMs } = expected;
  let trials = 0;
  const attempt = (kept: readonly Line[]): Promise<Trial> => {
    wish.say(`trying the profile with ${kept.length} of ${lines.length} rules (trial ${++trials})`);
    return tryProfile(render(wish, strict, kept, []), wish.seccompName, wish.command, context, { input: wish.input, timeoutMs });
  };
  const whole = await attempt(lines);
  if (whole.status !== status && whole.status !== 0) return finish(wish, strict, lines, [], { status, verified: false, trial: whole });
  const again = await attempt(lines);
  const isSteady = again.digest === whole.digest;
  const known = new Map<string, boolean>();
  const works = async (kept: readonly Line[]): Promise<boolean> => {
    const key = JSON.stringify(kept.map((line) => lines.indexOf(line)).sort((a, b) => a - b));
    const trial = known.has(key) ? undefined : await attempt(kept);
    if (trial) known.set(key, trial.status === whole.status && (!isSteady || trial.digest === whole.digest));
    return known.get(key) ?? false;
  };
  const tried = lines.filter((line) => (wish.minimize || line.optional) && !isTightening(line)).sort((a, b) => weigh(b) - weigh(a));
  const fixed = lines.filter((line) => !tried.includes(line));
  const needed = await dropUnneeded(tried, (kept) => works([...fixed, ...kept]));
  const kept = lines.filter((line) => fixed.includes(line) || needed.includes(line));
  return finish(wish, strict, kept, lines.filter((line) => !kept.some((each) => sameLine(each, line))), { status, verified: true });
}

const WEIGHTS: Record<Line["key"], number> = { seccomp: 9, capAdd: 8, devices: 7, net: 6, write: 4, project: 3, allowHosts: 2, read: 1 };

/** Without it more would be shown, and not less. */
function isTightening({ key, value }: Line): boolean {
  return key === "project" && value === "none";
}

/** How much a line opens: the most is tried to do without first, so that of two that serve the lesser one stays. */
function weigh({ key, optional }: Line): number {
  return WEIGHTS[key] + (optional ? 0.5 : 0);
}

function finish(wish: LearnWish, strict: Inside, lines: Line[], unneeded: Line[], outcome: Pick<Learned, "status" | "verified" | "trial">): Learned {
  return { texts: render(wish, strict, lines, unneeded), lines, unneeded, ...outcome };
}

function render(wish: LearnWish, strict: Inside, lines: readonly Line[], unneeded: readonly Line[]): ProfileTexts {
  const text = renderProfile(lines, { command: wish.command, runs: wish.runs, home: strict.hostHome, seccompName: wish.seccompName, unneeded });
  const calls = lines.find(({ key }) => key === "seccomp")?.value.split(" ");
  return calls ? { text, seccomp: renderSeccomp(calls, lines, strict) } : { text };
}

/** The default filter, and these calls. */
function renderSeccomp(calls: string[], lines: readonly Line[], strict: Inside): string {
  const capabilities = new Set(lines.filter(({ key }) => key === "capAdd").map(({ value }) => value));
  const rules = defaultSeccomp({ capabilities, setuidFiles: strict.euid !== 0 });
  return `${JSON.stringify({ ...rules, syscalls: [...(rules.syscalls ?? []), { names: calls, action: "SCMP_ACT_ALLOW" }] }, undefined, 2)}\n`;
}

/** @throws BrigError BRIG_LEARN_FAILED when the profile did not do in its trial */
export function checkLearned({ verified, trial, status }: Learned): void {
  if (verified !== false || !trial) return;
  const blocked = trial.denials.flatMap(({ allow, what }) => (allow ? [`${allow} (${what})`] : []));
  throw new BrigError(`under the profile the program ends with status ${trial.status}, and not with ${status} as it did while it was learned from`, {
    code: "BRIG_LEARN_FAILED",
    hint: blocked.length > 0 ? `what was blocked in the trial would be allowed by ${blocked.slice(0, 5).join(", ")}` : "it may depend on its standard input, on time, or on what an earlier run left: look at the profile, and try it with brig run --explain-denials --profile FILE",
  });
}
