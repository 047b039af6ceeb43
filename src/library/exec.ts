import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BrigError } from "../error/brig-error.js";
import type { Zygote, ZygoteRun } from "../launch/zygote.js";
import { type Exit, type RunStreams, STREAM } from "../launch/zygote-frames.js";
import { parseSize } from "../policy/parse/size.js";
import { ExecError } from "./errors.js";
import { launch, type Launchable } from "./launch.js";
import type { ExecOptions, ExecResult, Input, ProcessExit } from "./options.js";
import { InputStream, WINDOW } from "./process-streams.js";

const MAX_BUFFER = 16 << 20;

/** Bytes of both outputs as they come, up to a limit each. */
class Collector {
  readonly #chunks: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
  readonly #sizes = { 1: 0, 2: 0 };
  readonly #owed = { 1: 0, 2: 0 };
  truncated = false;

  constructor(
    private readonly limit: number,
    private readonly findRun: () => ZygoteRun | undefined,
  ) {}

  /** What is beyond the limit is taken too, and thrown away: the end comes behind it. */
  take(stream: 1 | 2, data: Buffer): void {
    const room = this.limit - this.#sizes[stream];
    const kept = data.length <= room ? data : data.subarray(0, room);
    this.#chunks[stream].push(kept);
    this.#sizes[stream] += kept.length;
    if (kept !== data && !this.truncated) this.findRun()?.kill();
    this.truncated ||= kept !== data;
    this.#pay(stream, data.length);
  }

  #pay(stream: 1 | 2, bytes: number): void {
    this.#owed[stream] += bytes;
    if (this.#owed[stream] < WINDOW / 2) return;
    this.findRun()?.credit(stream, this.#owed[stream]);
    this.#owed[stream] = 0;
  }

  join(stream: 1 | 2): Buffer {
    return this.#chunks[stream].length === 1 ? (this.#chunks[stream][0] as Buffer) : Buffer.concat(this.#chunks[stream]);
  }
}

/** Runs it to its end. `explain` has the last word on how it ended. */
export async function execute(
  zygote: Zygote,
  what: Launchable,
  command: readonly string[],
  options: ExecOptions,
  explain: (exit: Exit) => ProcessExit = describeExit,
): Promise<ExecResult<string | Uint8Array>> {
  let run: ZygoteRun | undefined;
  const findRun = (): ZygoteRun | undefined => run;
  const limit = options.maxBuffer === undefined ? MAX_BUFFER : parseSize(options.maxBuffer, "maxBuffer");
  const collector = new Collector(limit, findRun);
  const input = options.input === undefined ? undefined : new InputStream(findRun);
  const exit = await new Promise<Exit>((resolve, reject) => {
    const fail = (error: Error): void => {
      run?.kill();
      reject(error);
    };
    run = launch(zygote, what, chooseExecStreams(options), options.signal, {
      output: (stream, data) => collector.take(stream, data),
      drained: () => input?.drain(),
      ended: (stream) => void (stream === 0 && input?.close()),
      over: (record, error) => {
        input?.close();
        if (error || !record) reject(error);
        else resolve(record);
      },
    });
    if (input && options.input !== undefined) feed(options.input, input).catch(fail);
  });
  return finish(explain(exit), collector, command, options);
}

function finish(exit: ProcessExit, collector: Collector, command: readonly string[], options: ExecOptions): ExecResult<string | Uint8Array> {
  const read = (stream: 1 | 2): string | Uint8Array => (options.encoding === "buffer" ? new Uint8Array(collector.join(stream)) : collector.join(stream).toString("utf8"));
  const result = { ...exit, stdout: read(1), stderr: read(2), ...(collector.truncated ? { truncated: true as const } : {}) };
  if (options.check && (result.exitCode !== 0 || result.truncated)) throw new ExecError(command, result);
  return result;
}

export function describeExit({ exitCode, signal, wallMs, timedOut, oomKilled }: Exit): ProcessExit {
  return { exitCode, signal, durationMs: wallMs, timedOut, oomKilled };
}

export function chooseExecStreams(options: Pick<ExecOptions, "input" | "stdout" | "stderr">): RunStreams {
  return { stdio: chooseStreams(options, options.input === undefined ? "ignore" : "pipe"), credit: WINDOW };
}

/** Descriptors 0, 1, 2 as the zygote knows them. */
export function chooseStreams({ stdout = "pipe", stderr = "pipe" }: Pick<ExecOptions, "stdout" | "stderr">, stdin: "pipe" | "inherit" | "ignore"): [number, number, number] {
  const known = (value: string): boolean => value === "pipe" || value === "inherit" || value === "ignore";
  if (!known(stdin) || !known(stdout) || !(known(stderr) || stderr === "stdout"))
    throw new BrigError("a stream is none of pipe, inherit and ignore", { code: "BRIG_BAD_VALUE", hint: 'standard error may be "stdout" too' });
  return [STREAM[stdin], STREAM[stdout], stderr === "stdout" ? STREAM.same : STREAM[stderr]];
}

/** Writes all of it. A process that does not want it all is no error; a source that fails is. */
export async function feed(input: Input, to: InputStream): Promise<void> {
  to.on("error", () => undefined);
  if (typeof input === "string" || input instanceof Uint8Array) return void to.end(input);
  try {
    await pipeline(Readable.from(input as AsyncIterable<string | Uint8Array>, { objectMode: false }), to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EPIPE" && code !== "ERR_STREAM_PREMATURE_CLOSE" && code !== "ERR_STREAM_DESTROYED") throw error;
  }
}
