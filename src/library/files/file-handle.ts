import { FileStat } from "./file-stat.js";
import type { FileServer } from "./file-server.js";
import { ANYWHERE, DATA_MAX, FILE } from "./protocol.js";

/** An open file of a sandbox. It stays that file whatever becomes of its name. */
export class SandboxFile implements AsyncDisposable {
  #open = true;

  /** For `SandboxFiles.open`. */
  constructor(
    private readonly server: FileServer,
    private readonly handle: number,
    readonly path: string,
  ) {}

  /** At most `length` bytes, from `position` or where the file is; none at its end. */
  async read(length: number = DATA_MAX, position?: number): Promise<Uint8Array> {
    const { data } = await this.#ask({ op: FILE.READ, a: this.handle, b: offsetOf(position), first: Math.min(length, DATA_MAX) }, "read");
    return data;
  }

  /** All of the data, at `position` or where the file is. */
  async write(data: string | Uint8Array, position?: number): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + DATA_MAX);
      const { result } = await this.#ask({ op: FILE.WRITE, a: this.handle, b: offsetOf(position === undefined ? undefined : position + at), second: part }, "write");
      at += result;
    }
  }

  async stat(): Promise<FileStat> {
    return new FileStat((await this.#ask({ op: FILE.STAT_HANDLE, a: this.handle }, "fstat")).data);
  }

  async truncate(length = 0): Promise<void> {
    await this.#ask({ op: FILE.TRUNCATE, a: this.handle, b: BigInt(length) }, "ftruncate");
  }

  /** The next part of a folder, as the kernel gives it; empty at the end. */
  async list(): Promise<Buffer> {
    return (await this.#ask({ op: FILE.LIST, a: this.handle }, "scandir")).data;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    // whoever ended the sandbox has closed the file too
    if (!this.server.ended) await this.#ask({ op: FILE.CLOSE, a: this.handle }, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #ask(request: Parameters<FileServer["ask"]>[0], call: string): ReturnType<FileServer["ask"]> {
    return this.server.ask(request, call, this.path);
  }
}

function offsetOf(position: number | undefined): bigint {
  return position === undefined ? ANYWHERE : BigInt(position);
}
