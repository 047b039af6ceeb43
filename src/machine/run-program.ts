import { spawnSync } from "node:child_process";
import { BrigError } from "../error/brig-error.js";

/**
 * Runs a program of the host that must succeed, and returns what it printed.
 * @throws BrigError BRIG_NO_TOOL, BRIG_HOST_COMMAND with its own complaint
 */
export function runProgram(program: string, words: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } });
  if (error) throw new BrigError(`${program} cannot be run: ${error.message}`, { code: "BRIG_NO_TOOL", exitCode: 1, hint: `is ${program} installed?` });
  if (status === 0) return stdout;
  throw new BrigError(`${program} ${words[0] ?? ""} failed: ${stderr.trim().split("\n")[0] ?? ""}`, { code: "BRIG_HOST_COMMAND", exitCode: 1 });
}
