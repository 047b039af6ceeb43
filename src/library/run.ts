import { patchPlan } from "../plan/patch.js";
import { type Engine, findSharedEngine } from "./engine.js";
import { AbortError } from "./errors.js";
import { execute } from "./exec.js";
import type { ExecResult, RunOptions } from "./options.js";
import { makePayload } from "./payload.js";

/**
 * Runs one command in a sandbox of its own, which ends with it. Without options it has the safe default of `brig run`.
 * It throws only when the sandbox could not do it: whether the program did well is in the result, unless `check` is
 * set.
 * @throws BrigError BRIG_NOT_FOUND, BRIG_CANNOT_…, BRIG_BAD_OPTIONS, BRIG_LAUNCHER_DIED…; ExecError; AbortError
 */
export function run(file: string, args: readonly string[] | undefined, options: RunOptions & { encoding: "buffer" }): Promise<ExecResult<Uint8Array>>;
export function run(file: string, args?: readonly string[], options?: RunOptions & { encoding?: "utf8" | undefined }): Promise<ExecResult>;
export async function run(file: string, args: readonly string[] = [], options: RunOptions = {}): Promise<ExecResult<string | Uint8Array>> {
  return await runWith(findSharedEngine(), file, args, options);
}

/** `run` with a launcher of one's own. */
export async function runWith(engine: Engine, file: string, args: readonly string[], options: RunOptions): Promise<ExecResult<string | Uint8Array>> {
  const { input, encoding, maxBuffer, check, signal, timeoutMs, graceMs, stdout, stderr, env, cwd, ...walls } = options;
  if (signal?.aborted) throw new AbortError(signal.reason);
  const own = { input, encoding, maxBuffer, check, signal, timeoutMs, graceMs, stdout, stderr };
  const listed = Array.isArray(env) ? { env } : {};
  const changes = Array.isArray(env) ? undefined : (env as Record<string, string | undefined> | undefined);
  const template = await engine.templates.take({ ...walls, ...listed, ...(cwd === undefined ? {} : { cwd }) }, "run");
  const payload = makePayload(template.spec, file, args, { ...own, env: changes });
  const what = { bytes: patchPlan(template.bytes, payload), plan: template.plan };
  return await execute(engine.startZygote(), what, [file, ...args], own);
}
