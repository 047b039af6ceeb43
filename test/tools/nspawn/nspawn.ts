import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { findLauncher } from "../../../src/launch/find-launcher.js";

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

export function ran(program: string, words: string[], env: NodeJS.ProcessEnv = {}, identity: { uid?: number; gid?: number } = {}): Ran {
  const { status, signal, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8", env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000, ...identity });
  if (error) throw error;
  return { status: status ?? 128 + constants.signals[signal!], stdout: stdout.replaceAll("\r\n", "\n"), stderr };
}

/** `brig nspawn WORDS…`, to its end. */
export function nspawn(...words: string[]): Ran {
  return ran(findLauncher(), ["nspawn", ...words]);
}

/** A name that no other test has. */
export function freshName(what: string): string {
  return `t${process.pid}${what}`;
}
