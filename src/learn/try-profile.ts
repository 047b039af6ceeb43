import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Denial } from "../denials/denial.js";
import { describeInside } from "../denials/inside.js";
import { DenialLedger } from "../denials/ledger.js";
import { findRunFolder } from "../launch/run-folder.js";
import { REPORT_FD, runWatchedPlan } from "../launch/run-watched.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { buildSpec } from "../policy/build-spec.js";
import type { PolicyContext } from "../policy/context.js";
import { loadProfile } from "../policy/profile.js";
import { listProfileOrigins } from "../policy/profile-origins.js";
import { makeScratch, removeScratch } from "../rootfs/overlay/scratch.js";
import { nameScratch } from "../rootfs/overlay/name-scratch.js";
import { dropWrites } from "./drop-writes.js";
import { addWatch } from "./open-sandbox.js";
import type { ProfileTexts } from "./profile-text.js";

/** What became of a run under a profile. */
export interface Trial {
  status: number;
  /** Of what it wrote to standard output and standard error. */
  digest: string;
  denials: Denial[];
}

export interface TrialWish {
  /** A file that is standard input. */
  input: string;
  /** After this it is ended: a wall may make a program wait for what never comes. */
  timeoutMs: number;
}

/**
 * Runs the command under the profile as `brig run --profile` would, but that nothing is written to the host, and its
 * output is kept for a comparison only.
 */
export async function tryProfile(texts: ProfileTexts, seccompName: string, command: readonly string[], context: PolicyContext, { input, timeoutMs }: TrialWish): Promise<Trial> {
  const scratch = nameScratch();
  makeScratch(scratch, [], 0);
  try {
    writeFileSync(join(scratch, "profile.toml"), texts.text);
    if (texts.seccomp !== undefined) writeFileSync(join(scratch, seccompName), texts.seccomp);
    const profile = loadProfile(join(scratch, "profile.toml"));
    const spec = buildSpec({ ...profile.options, timeoutMs }, command, { ...context, origins: listProfileOrigins(profile) });
    return await runDropped(addWatch(spec, REPORT_FD, "walls"), scratch, context, input);
  } finally {
    removeScratch(scratch);
    removeScratch(`${scratch}-writes`);
  }
}

async function runDropped(asked: ReturnType<typeof buildSpec>, scratch: string, context: PolicyContext, input: string): Promise<Trial> {
  const dropping = dropWrites(asked, `${scratch}-writes`);
  makeScratch(`${scratch}-writes`, dropping.overlays, dropping.shift);
  dropping.copyFiles();
  const { host, home, cwd } = context;
  const plan = compilePlan(dropping.spec, host, { runFolder: findRunFolder(host.euid) });
  const ledger = new DenialLedger(describeInside(asked, { home, cwd, euid: host.euid, landlockAbi: host.landlockAbi }));
  const output = join(scratch, "output");
  const streams = [openSync(existsSync(input) ? input : "/dev/null", "r"), openSync(output, "w", 0o600), openSync(output, "a")] as const;
  try {
    const status = await runWatchedPlan(encodePlan(plan), (event) => ledger.add(event), [...streams]);
    return { status, digest: digestFile(output), denials: ledger.list() };
  } finally {
    streams.forEach(closeSync);
  }
}

function digestFile(path: string): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "r");
  const buffer = Buffer.alloc(1 << 16);
  for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) hash.update(buffer.subarray(0, got));
  closeSync(fd);
  return hash.digest("hex");
}
