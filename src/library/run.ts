import { patchPlan, type Payload } from "../plan/patch.js";
import { type Engine, findSharedEngine } from "./engine.js";
import { AbortError } from "./errors.js";
import { chooseExecStreams, execute } from "./exec.js";
import type { ExecOptions, ExecResult, RunOptions, SandboxOptions } from "./options.js";
import type { Parking } from "./parking.js";
import type { Launchable } from "./launch.js";
import { makePayload } from "./payload.js";
import type { Template } from "./template.js";

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
  const { walls, command, prewarm = engine.prewarm } = splitOptions(options);
  if (command.signal?.aborted) throw new AbortError(command.signal.reason);
  const template = await engine.templates.take(walls, "run");
  const what = makeLaunchable(engine.parking, template, makePayload(template.spec, file, args, command), prewarm);
  return await execute(engine.startZygote(), what, [file, ...args], command);
}

/** Makes a sandbox with these options that waits for its `run`. */
export async function prewarmWith(engine: Engine, options: RunOptions): Promise<void> {
  const { walls, command } = splitOptions(options);
  const template = await engine.templates.take(walls, "run");
  engine.parking.prepare(engine.startZygote(), template, chooseExecStreams(command));
}

/** What the sandbox is made of, which two runs can have in common, and what is the command's alone. */
function splitOptions(options: RunOptions): { walls: SandboxOptions; command: ExecOptions; prewarm: boolean | undefined } {
  const { input, encoding, maxBuffer, check, signal, timeoutMs, graceMs, stdout, stderr, prewarm, env, cwd, ...rest } = options;
  const [whole, changes] = Array.isArray(env) ? [{ env }, undefined] : [{}, env as ExecOptions["env"]];
  return {
    walls: { ...rest, ...whole, ...(cwd === undefined ? {} : { cwd }) },
    command: { input, encoding, maxBuffer, check, signal, timeoutMs, graceMs, stdout, stderr, env: changes },
    prewarm,
  };
}

function makeLaunchable(parking: Parking, template: Template, payload: Payload, prewarm: boolean): Launchable {
  const what: Launchable = {
    plan: template.plan,
    get bytes() {
      return patchPlan(template.bytes, payload);
    },
    begin: (zygote, streams) => {
      if (prewarm) what.gone = () => parking.prepareSoon(zygote, template, streams);
      return parking.begin(zygote, template, payload, streams, prewarm);
    },
  };
  return what;
}
