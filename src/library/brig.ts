import { Engine } from "./engine.js";
import type { ExecResult, RunOptions, SandboxOptions } from "./options.js";
import { prewarmWith, runWith } from "./run.js";
import { Sandbox } from "./sandbox.js";

/**
 * A launcher of its own. `run` and `Sandbox` share one that starts with the first call; a program that wants another,
 * whose sandboxes all end when it is disposed of, makes one of these.
 */
export class Brig implements Disposable {
  readonly #engine: Engine;

  /** @param options prewarm: false: no sandbox is made before it is asked for */
  constructor(options: { prewarm?: boolean | undefined } = {}) {
    this.#engine = new Engine(options.prewarm);
  }

  /** The launcher's pid, once it has been started. */
  get pid(): number | undefined {
    return this.#engine.pid;
  }

  /** As the function `run`. */
  run(file: string, args: readonly string[] | undefined, options: RunOptions & { encoding: "buffer" }): Promise<ExecResult<Uint8Array>>;
  run(file: string, args?: readonly string[], options?: RunOptions & { encoding?: "utf8" | undefined }): Promise<ExecResult>;
  async run(file: string, args: readonly string[] = [], options: RunOptions = {}): Promise<ExecResult<string | Uint8Array>> {
    return await runWith(this.#engine, file, args, options);
  }

  /**
   * Makes the sandbox of the next `run` with these options now. It waits two seconds for it. Most runs do this for the
   * next one; a sandbox that has to be seen by other commands (`name`) or asks others for something is made at its run.
   */
  async prewarm(options: RunOptions = {}): Promise<void> {
    await prewarmWith(this.#engine, options);
  }

  /** As `Sandbox.create`. */
  async create(options: SandboxOptions & { signal?: AbortSignal | undefined } = {}): Promise<Sandbox> {
    return await Sandbox.create(options, this.#engine);
  }

  /** Ends the launcher with every sandbox that it runs. */
  close(): void {
    this.#engine.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
