import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { findLauncher } from "../../../src/launch/find-launcher.js";

export const isRoot = process.geteuid?.() === 0;

/** An ordinary user's number, which need not be in /etc/passwd. */
const ORDINARY = 12345;

export interface How {
  ordinary?: boolean;
  /** What stands on descriptors 3 and up. */
  data?: (string | Uint8Array)[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Plans are kept in this folder. */
  cache?: string;
}

export interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
  /** What the descriptors 3 and up hold afterwards. */
  written: string[];
}

/** The real bwrap, or undefined behind a skip. */
export function needsBwrap(t: TestContext): boolean {
  const missing = spawnSync("bwrap", ["--version"]).status !== 0;
  if (missing) t.skip("bwrap is not installed");
  return missing;
}

function run(command: string[], words: string[], { ordinary = false, data = [], cwd = "/", env, cache }: How): Answer {
  const folder = mkdtempSync(join(tmpdir(), "brig-bwrap-"));
  const files = data.map((content, index) => {
    const path = join(folder, String(index));
    writeFileSync(path, content);
    return { path, fd: openSync(path, "r+") };
  });
  try {
    const who = ordinary && isRoot ? { uid: ORDINARY, gid: ORDINARY } : {};
    const cached = cache === undefined ? { BRIG_NO_CACHE: "1" } : { XDG_CACHE_HOME: cache };
    const { status, stdout, stderr } = spawnSync(command[0]!, [...command.slice(1), ...words], {
      encoding: "utf8", cwd, timeout: 20_000, stdio: ["ignore", "pipe", "pipe", ...files.map(({ fd }) => fd)],
      env: { PATH: process.env["PATH"], HOME: "/", LC_ALL: "C.UTF-8", ...env, ...cached }, ...who,
    });
    return { status, stdout, stderr, written: files.map(({ path }) => readFileSync(path, "utf8")) };
  } finally {
    for (const { fd } of files) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}

export function runReal(words: string[], how: How = {}): Answer {
  return run(["bwrap"], words, how);
}

export function runBrig(words: string[], how: How = {}): Answer {
  return run([findLauncher(), "bwrap"], words, how);
}

/** Without what differs from one start to the next. */
export function normalise({ status, stdout, stderr, written }: Answer): Answer {
  const clean = (text: string): string =>
    text.replace(/"child-pid": \d+/g, '"child-pid": N').replace(/-namespace": \d+/g, '-namespace": N').replace(/BRIG_NO_CACHE=1\n/, "");
  return { status, stdout: clean(stdout), stderr: clean(stderr), written: written.map(clean) };
}
