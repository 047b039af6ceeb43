import { Engine } from "./engine.js";
import type { ExecResult, RunOptions, SandboxOptions } from "./options.js";
import { runWith } from "./run.js";
import { Sandbox } from "./sandbox.js";

/**
 * A launcher of its own. `run` and `Sandbox` share one that starts with the first call; a program that wants another,
 * whose sandboxes all end when it is disposed of, makes one of these.
 */
export class Brig implements Disposable {
  readonly #engine = new Engine();

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
