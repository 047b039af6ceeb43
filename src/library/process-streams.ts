import { Readable, Writable } from "node:stream";
import type { ZygoteRun } from "../launch/zygote.js";

/** Bytes of one output that may be on their way or unread here: a reader that is slow stops the writer. */
export const WINDOW = 256 * 1024;
const CREDIT_STEP = WINDOW / 4;

/** One output of a process. What is thrown away is still taken, so that the process does not hang. */
export class OutputStream extends Readable {
  #owed = 0;
  #waits = false;

  constructor(
    private readonly stream: 1 | 2,
    private readonly findRun: () => ZygoteRun | undefined,
    private readonly onTurn: () => void = () => undefined,
  ) {
    super({ highWaterMark: WINDOW });
  }

  /** Nobody reads what is there, and so nothing more comes. */
  get stalled(): boolean {
    return this.#waits;
  }

  accept(data: Buffer): void {
    this.#owed += data.length;
    this.#waits = !this.destroyed && !this.push(data);
    this.#pay();
    this.onTurn();
  }

  finish(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.#waits = false;
    this.#pay();
    this.onTurn();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    done(error);
  }

  #pay(): void {
    if (this.#waits || this.#owed < CREDIT_STEP) return;
    this.findRun()?.credit(this.stream, this.#owed);
    this.#owed = 0;
  }
}

/** A process's standard input. Writing to one that it has closed is EPIPE, as with a pipe. */
export class InputStream extends Writable {
  #rest: Uint8Array | undefined;
  #done: ((error?: Error | null) => void) | undefined;
  #closed = false;

  constructor(private readonly findRun: () => ZygoteRun | undefined) {
    super({ decodeStrings: true, highWaterMark: 64 * 1024 });
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#closed) return done(makeBrokenPipe());
    this.#rest = chunk;
    this.#done = done;
    this.drain();
  }

  /** Goes on as far as the launcher's credit allows. */
  drain(): void {
    const run = this.findRun();
    while (run && this.#rest && run.writable > 0) {
      const part = this.#rest.subarray(0, run.writable);
      run.write(part);
      this.#rest = part.length < this.#rest.length ? this.#rest.subarray(part.length) : undefined;
    }
    if (!this.#rest) this.#settle();
  }

  /** The process reads no more. */
  close(): void {
    this.#closed = true;
    if (this.#rest) this.#settle(makeBrokenPipe());
    else if (this.writableFinished || !this.writableEnded) this.destroy();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.findRun()?.endInput();
    done();
  }

  #settle(error?: Error): void {
    const done = this.#done;
    this.#done = this.#rest = undefined;
    done?.(error);
  }
}

function makeBrokenPipe(): Error {
  return Object.assign(new Error("write EPIPE: the process has closed its standard input"), { code: "EPIPE", errno: -32, syscall: "write" });
}
