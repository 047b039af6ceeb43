import { Readable, Writable } from "node:stream";
import { constants } from "node:os";
import { BrigError } from "../error/brig-error.js";
import type { Zygote, ZygoteRun } from "../launch/zygote.js";
import { type Exit, STREAM } from "../launch/zygote-frames.js";
import { chooseStreams, describeExit, feed } from "./exec.js";
import { launch, type Launchable } from "./launch.js";
import type { ProcessExit, SpawnOptions } from "./options.js";
import { InputStream, OutputStream, WINDOW } from "./process-streams.js";

/** A piece of output. */
export interface OutputChunk {
  stream: "stdout" | "stderr";
  data: Uint8Array;
}

export interface WebStreams {
  stdin: WritableStream<Uint8Array> | undefined;
  stdout: ReadableStream<Uint8Array> | undefined;
  stderr: ReadableStream<Uint8Array> | undefined;
}

/** A running process of a sandbox. Iterating over it yields its output as it comes, and throws when it cannot be started. */
export class SandboxProcess implements AsyncIterable<OutputChunk> {
  /** undefined where the stream is not a pipe. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly #run: ZygoteRun;
  readonly #explain: (exit: Exit) => ProcessExit;
  #pid: number | undefined;
  /** Signals for a program that is not known to run yet: output may be heard of first. */
  #early: number[] | undefined = [];
  #end: { exit: ProcessExit } | { error: Error } | undefined;
  #waiting: (() => void)[] = [];
  #webStreams: WebStreams | undefined;

  /** For `Sandbox.spawn`. */
  constructor(zygote: Zygote, what: Launchable, options: SpawnOptions, explain: (exit: Exit) => ProcessExit = describeExit) {
    this.#explain = explain;
    const findRun = (): ZygoteRun | undefined => this.#run;
    const { stdin = "pipe" } = options;
    const stdio = chooseStreams(options, typeof stdin === "object" ? "pipe" : stdin);
    const input = stdio[0] === STREAM.pipe ? new InputStream(findRun) : undefined;
    const outputs = [1, 2].map((stream) => (stdio[stream] === STREAM.pipe ? new OutputStream(stream as 1 | 2, findRun, () => linger()) : undefined));
    // output that nobody reads keeps no process alive whose writer has ended
    const linger = (): void => void (this.#end && this.#run?.reference(!outputs.some((output) => output?.stalled)));
    this.#run = launch(zygote, what, { stdio, credit: WINDOW }, options.signal, {
      created: (_id, pid) => void (this.#pid = pid),
      started: () => {
        for (const number of this.#early ?? []) this.#run.signal(number, true);
        this.#early = undefined;
      },
      output: (stream, data) => outputs[stream - 1]?.accept(data),
      ended: (stream) => (stream === 0 ? input?.close() : outputs[stream - 1]?.finish()),
      drained: () => input?.drain(),
      exited: (exit, error) => {
        this.#finish(exit, error);
        linger();
      },
      over: (exit, error) => {
        input?.close();
        for (const output of outputs) output?.finish();
        this.#finish(exit, error);
      },
    });
    [this.stdin, this.stdout, this.stderr] = [input, ...outputs];
    if (typeof stdin !== "object" || !input) return;
    this.stdin = undefined;
    feed(stdin.input, input).catch((error: Error) => {
      this.#run.kill();
      this.#fail(error);
    });
  }

  /** On the host: of the process that stands over it, once it is there. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Resolves when it has ended, though its output may still have to be read; rejects when it could not be started, was aborted, or its sandbox is gone. */
  get exit(): Promise<ProcessExit> {
    return this.#wait();
  }

  /** The same streams as web streams; whoever uses these leaves the others alone. */
  get webStreams(): WebStreams {
    return (this.#webStreams ??= {
      stdin: this.stdin && (Writable.toWeb(this.stdin) as WritableStream<Uint8Array>),
      stdout: this.stdout && (Readable.toWeb(this.stdout) as ReadableStream<Uint8Array>),
      stderr: this.stderr && (Readable.toWeb(this.stderr) as ReadableStream<Uint8Array>),
    });
  }

  /** To its process group; SIGKILL ends everything that it started. */
  kill(signal: NodeJS.Signals | number = "SIGTERM"): void {
    const number = typeof signal === "number" ? signal : constants.signals[signal];
    if (!Number.isInteger(number) || number < 1 || number > 64) throw new BrigError(`there is no signal ${signal}`, { code: "BRIG_BAD_VALUE", hint: "kill -l lists them" });
    if (number === constants.signals.SIGKILL) this.#run.kill();
    else if (this.#early) this.#early.push(number);
    else this.#run.signal(number, true);
  }

  /** Whether this process stays alive while it runs (it does). */
  ref(): this {
    this.#run.reference(true);
    return this;
  }

  unref(): this {
    this.#run.reference(false);
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk, void, void> {
    const queue: OutputChunk[] = [];
    let wake: (() => void) | undefined;
    let open = 0;
    const streams = [["stdout", this.stdout], ["stderr", this.stderr]] as const;
    for (const [name, stream] of streams) {
      if (!stream) continue;
      open++;
      stream.on("data", (data: Uint8Array) => {
        queue.push({ stream: name, data });
        stream.pause();
        wake?.();
      });
      stream.on("close", () => (open--, wake?.()));
    }
    try {
      while (open > 0 || queue.length > 0) {
        const chunk = queue.shift();
        if (chunk) yield chunk;
        else {
          for (const [, stream] of streams) stream?.resume();
          if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      await this.#wait();
    } finally {
      for (const [, stream] of streams) stream?.destroy();
    }
  }

  async #wait(): Promise<ProcessExit> {
    if (!this.#end) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const end = this.#end as { exit: ProcessExit } | { error: Error };
    if ("error" in end) throw end.error;
    return end.exit;
  }

  #finish(exit: Exit | undefined, error: Error | undefined): void {
    if (error || !exit) return this.#fail(error as Error);
    try {
      this.#settle({ exit: this.#explain(exit) });
    } catch (thrown) {
      this.#fail(thrown as Error);
    }
  }

  #fail(error: Error): void {
    this.#settle({ error });
  }

  #settle(end: { exit: ProcessExit } | { error: Error }): void {
    this.#end ??= end;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
