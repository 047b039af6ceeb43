import { BrigError } from "../../error/brig-error.js";
import { nameErrno } from "../../error/errno.js";
import type { Zygote, ZygoteRun } from "../../launch/zygote.js";
import { STREAM } from "../../launch/zygote-frames.js";
import { launch, type Launchable } from "../launch.js";
import { InputStream, WINDOW } from "../process-streams.js";
import { FileSystemError } from "./file-system-error.js";
import { DATA_MAX, encodeRequest, REPLY_SIZE, type Request } from "./protocol.js";

interface Waiting {
  resolve: (reply: { result: number; data: Buffer }) => void;
  reject: (error: Error) => void;
  what: { call: string; path: string | undefined };
}

/**
 * The process inside a sandbox that opens, reads and writes for `Sandbox.fs` (launcher/files.c). It has the payload's
 * identity and could be one: nothing that it says is believed beyond the sizes that were asked for.
 */
export class FileServer {
  readonly #run: ZygoteRun;
  readonly #input: InputStream;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #pending: Buffer = Buffer.alloc(0);
  #owed = 0;
  #error: Error | undefined;

  constructor(zygote: Zygote, what: Launchable) {
    this.#input = new InputStream(() => this.#run);
    this.#input.on("error", () => undefined);
    this.#run = launch(zygote, what, { stdio: [STREAM.pipe, STREAM.pipe, STREAM.ignore], credit: WINDOW }, undefined, {
      output: (_stream, data) => this.#take(data),
      drained: () => this.#input.drain(),
      ended: (stream) => void (stream === 0 && this.#input.close()),
      over: (_exit, error) => this.#end(error ?? new BrigError("the sandbox's file server has ended", { code: "BRIG_SANDBOX_ENDED", hint: "the sandbox has ended, or something in it killed the server: try again" })),
    });
    this.#run.reference(false);
  }

  get ended(): boolean {
    return this.#error !== undefined;
  }

  /** One request. `call` and `path` are for the error. @throws FileSystemError, BrigError */
  async ask(request: Request, call: string, path: string | undefined): Promise<{ result: number; data: Buffer }> {
    if (this.#error) throw this.#error;
    const id = this.#next;
    this.#next = (this.#next % 0xfffffff0) + 1;
    if (this.#waiting.size === 0) this.#run.reference(true);
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, what: { call, path } });
      this.#input.write(encodeRequest(id, request));
    });
  }

  #take(data: Buffer): void {
    this.#owed += data.length;
    if (this.#owed >= WINDOW / 4) {
      this.#run.credit(1, this.#owed);
      this.#owed = 0;
    }
    let bytes = this.#pending.length > 0 ? Buffer.concat([this.#pending, data]) : data;
    while (bytes.length >= REPLY_SIZE && !this.#error) {
      const size = bytes.readUInt32LE(0);
      if (size > DATA_MAX) return this.#distrust();
      if (bytes.length < REPLY_SIZE + size) break;
      this.#answer(bytes.readUInt32LE(4), bytes.readInt32LE(8), bytes.subarray(REPLY_SIZE, REPLY_SIZE + size));
      bytes = bytes.subarray(REPLY_SIZE + size);
    }
    this.#pending = bytes;
  }

  #answer(id: number, result: number, data: Buffer): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return this.#distrust();
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#run.reference(false);
    const { call, path } = waiting.what;
    if (result < 0) waiting.reject(new FileSystemError(nameErrno(-result), -result, call, path));
    else waiting.resolve({ result, data: Buffer.from(data) });
  }

  /** Something inside has taken the server over. */
  #distrust(): void {
    this.#run.kill();
    this.#end(new BrigError("the sandbox's file server does not speak as it should", { code: "BRIG_FILE_SERVER", hint: "something inside may have taken it over: do not trust this sandbox's files" }));
  }

  #end(error: Error): void {
    this.#error ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#error);
    this.#waiting.clear();
    this.#run.reference(false);
  }
}
