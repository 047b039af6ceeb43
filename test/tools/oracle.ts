import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { BrigError } from "../../src/error/brig-error.js";

/** Runs the real tool with words that it refuses, and holds what our parser says against its first line and status. */
export function assertSameRefusal(t: TestContext, command: string[], prefix: string, parse: () => unknown): void {
  const [program, ...words] = command;
  const real = spawnSync(program!, words, { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } });
  if (real.error) return t.skip(`${program} is not installed`);
  let refusal: unknown;
  try {
    parse();
  } catch (error) {
    refusal = error;
  }
  assert.ok(refusal instanceof BrigError, `not refused: ${command.join(" ")}`);
  assert.equal(`${prefix}${refusal.message}`.split("\n")[0], real.stderr.split("\n")[0]);
  assert.equal(refusal.exitCode, real.status);
}
