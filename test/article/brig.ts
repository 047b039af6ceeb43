import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { parseMountinfo } from "../../src/host/mountinfo.js";
import { findLauncher } from "../../src/launch/find-launcher.js";

/** Who runs a command: root, or this one. */
export const NOBODY = 65534;
export const isRoot = process.geteuid?.() === 0;

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

export interface How {
  /** As an ordinary user. */
  ordinary?: boolean;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
}

/** `brig WORDS…` as typed, to its end. */
export function brig(words: string[], how: How = {}): Ran {
  return run(findLauncher(), words, how);
}

/** Any program, to its end. */
export function run(program: string, words: string[], how: How = {}): Ran {
  const { status, signal, stdout, stderr, error } = spawnSync(program, words, {
    encoding: "utf8",
    cwd: how.cwd ?? "/",
    env: { ...process.env, LC_ALL: "C.UTF-8", ...how.env },
    input: how.input ?? "",
    timeout: 30_000,
    ...(how.ordinary && isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  if (error) throw error;
  return { status: status ?? (signal ? 128 + constants.signals[signal] : -1), stdout, stderr };
}

/** Skips what only root can do. */
export function needsRoot(t: TestContext): boolean {
  if (!isRoot) t.skip("needs root");
  return !isRoot;
}

/** A folder that goes with the test, which everyone may enter. */
export function makeFolder(t: TestContext, mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-article-"));
  run("chmod", [mode.toString(8), folder]);
  t.after(() => {
    const points = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).map(({ point }) => point);
    for (const point of points.filter((one) => one.startsWith(`${folder}/`)).reverse()) run("umount", ["-l", point]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Holds `brig TOOL WORDS…` against the real tool: output, errors and status. */
export function bothWays(words: string[], how: How = {}): { ours: Ran; real: Ran } {
  const [tool, ...rest] = words;
  return { ours: brig(words, how), real: run(tool!, rest, how) };
}
