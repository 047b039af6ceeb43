import { constants } from "node:fs";
import { posix } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { AbortError } from "../errors.js";
import { copyIn, copyOut, type CopyOptions } from "./copy.js";
import { type Entry, readEntries } from "./entries.js";
import { SandboxFile } from "./file-handle.js";
import type { FileServer } from "./file-server.js";
import { FileStat } from "./file-stat.js";
import { FileSystemError } from "./file-system-error.js";
import { FILE, type Request } from "./protocol.js";

/** What every call may be given: `signal` is looked at between its steps. */
export interface FileOptions {
  signal?: AbortSignal | undefined;
}

export interface ReadFileOptions extends FileOptions {
  encoding?: "utf8" | "buffer" | undefined;
  /** More is EFBIG. Default 256 MiB. */
  maxBytes?: number | undefined;
}

export interface WriteFileOptions extends FileOptions {
  /** For a new file, less the umask. Default 0o666. */
  mode?: number | undefined;
  /** As fs.open's: "w" (default), "wx", "a", "ax", "r+". */
  flag?: OpenFlag | undefined;
}

export type OpenFlag = "r" | "r+" | "w" | "wx" | "w+" | "wx+" | "a" | "ax" | "a+";

const { O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY } = constants;
const FLAGS: Record<OpenFlag, number> = {
  r: O_RDONLY, "r+": O_RDWR, w: O_WRONLY | O_CREAT | O_TRUNC, wx: O_WRONLY | O_CREAT | O_EXCL, "w+": O_RDWR | O_CREAT | O_TRUNC,
  "wx+": O_RDWR | O_CREAT | O_EXCL, a: O_WRONLY | O_CREAT | O_APPEND, ax: O_WRONLY | O_CREAT | O_EXCL | O_APPEND, "a+": O_RDWR | O_CREAT | O_APPEND,
};
const MAX_BYTES = 256 << 20;

/**
 * A sandbox's files in the manner of node:fs/promises, with the rights of its payload. Everything is done by a process
 * inside, for which the sandbox's root is "/": no link, "..", or magic link of /proc leads out of it. Relative paths are
 * meant from the sandbox's working folder.
 */
export class SandboxFiles {
  /** For `Sandbox`. */
  constructor(
    private readonly findServer: () => FileServer,
    private readonly cwd: string,
  ) {}

  readFile(path: string, options: "utf8" | (ReadFileOptions & { encoding: "utf8" })): Promise<string>;
  readFile(path: string, options?: "buffer" | (ReadFileOptions & { encoding?: "buffer" | undefined })): Promise<Uint8Array>;
  async readFile(path: string, options: "utf8" | "buffer" | ReadFileOptions = {}): Promise<string | Uint8Array> {
    const { encoding, maxBytes = MAX_BYTES, signal } = typeof options === "string" ? { encoding: options } : options as ReadFileOptions;
    const chunks: Uint8Array[] = [];
    await using file = await this.open(path, "r", { signal });
    for (let size = 0; ; ) {
      throwIfAborted(signal);
      const chunk = await file.read();
      if (chunk.length === 0) break;
      size += chunk.length;
      if (size > maxBytes) throw new FileSystemError("EFBIG", 27, "read", path);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    return encoding === "utf8" ? bytes.toString("utf8") : new Uint8Array(bytes);
  }

  async writeFile(path: string, data: string | Uint8Array | AsyncIterable<string | Uint8Array>, options: WriteFileOptions = {}): Promise<void> {
    const { flag = "w", signal } = options;
    await using file = await this.open(path, flag, options);
    if (typeof data === "string" || data instanceof Uint8Array) return await file.write(data);
    for await (const chunk of data) {
      throwIfAborted(signal);
      await file.write(chunk);
    }
  }

  async appendFile(path: string, data: string | Uint8Array, options: WriteFileOptions = {}): Promise<void> {
    await this.writeFile(path, data, { flag: "a", ...options });
  }

  async open(path: string, flag: OpenFlag = "r", options: WriteFileOptions = {}): Promise<SandboxFile> {
    const flags = FLAGS[flag];
    if (flags === undefined) throw new BrigError(`there is no flag ${JSON.stringify(flag)} for a file`, { code: "BRIG_BAD_VALUE", hint: Object.keys(FLAGS).join(", ") });
    return await this.#open(path, flags, options.mode ?? 0o666, options.signal);
  }

  /** @returns the first folder made with `recursive`, as fs.mkdir does */
  async mkdir(path: string, options: FileOptions & { recursive?: boolean; mode?: number } = {}): Promise<string | undefined> {
    const { recursive = false, mode = 0o777, signal } = options;
    if (!recursive) return void (await this.#ask({ op: FILE.MAKE_FOLDER, a: mode, first: path }, "mkdir", path, signal));
    let first: string | undefined;
    const parts = this.#resolve(path).split("/").filter((part) => part !== "" && part !== ".");
    for (let count = 1; count <= parts.length; count++) {
      const each = `/${parts.slice(0, count).join("/")}`;
      if (parts[count - 1] === ".." || !(await this.#makeFolder(each, mode, signal))) continue;
      first ??= each;
    }
    return first;
  }

  readdir(path: string, options: FileOptions & { withFileTypes: true }): Promise<Entry[]>;
  readdir(path: string, options?: FileOptions & { withFileTypes?: false | undefined }): Promise<string[]>;
  async readdir(path: string, options: FileOptions & { withFileTypes?: boolean | undefined } = {}): Promise<string[] | Entry[]> {
    const entries: Entry[] = [];
    await using folder = await this.#open(path, O_RDONLY | O_DIRECTORY, 0, options.signal, "scandir");
    for (let part = await folder.list(); part.length > 0; part = await folder.list()) entries.push(...readEntries(part));
    return options.withFileTypes ? entries : entries.map(({ name }) => name);
  }

  async stat(path: string, options: FileOptions = {}): Promise<FileStat> {
    return new FileStat((await this.#ask({ op: FILE.STAT, first: path }, "stat", path, options.signal)).data);
  }

  /** Of a link itself. */
  async lstat(path: string, options: FileOptions = {}): Promise<FileStat> {
    return new FileStat((await this.#ask({ op: FILE.STAT, a: 1, first: path }, "lstat", path, options.signal)).data);
  }

  async exists(path: string, options: FileOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      if (error instanceof FileSystemError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) return false;
      throw error;
    }
  }

  async rm(path: string, options: FileOptions & { recursive?: boolean; force?: boolean } = {}): Promise<void> {
    try {
      await this.#remove(path, options.recursive ?? false, options.signal);
    } catch (error) {
      if (!(options.force && error instanceof FileSystemError && error.code === "ENOENT")) throw error;
    }
  }

  async rename(from: string, to: string, options: FileOptions = {}): Promise<void> {
    await this.#ask({ op: FILE.RENAME, first: from, second: this.#resolve(to) }, "rename", from, options.signal);
  }

  /** A link at `path` that says `target`. */
  async symlink(target: string, path: string, options: FileOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    const request = { op: FILE.LINK, first: checkText(target), second: this.#resolve(path) };
    await this.findServer().ask(request, "symlink", path);
  }

  async readlink(path: string, options: FileOptions = {}): Promise<string> {
    return (await this.#ask({ op: FILE.READ_LINK, first: path }, "readlink", path, options.signal)).data.toString("utf8");
  }

  async chmod(path: string, mode: number, options: FileOptions = {}): Promise<void> {
    await this.#ask({ op: FILE.MODE, a: mode, first: path }, "chmod", path, options.signal);
  }

  async truncate(path: string, length = 0, options: FileOptions = {}): Promise<void> {
    await using file = await this.#open(path, O_WRONLY, 0, options.signal, "truncate");
    await file.truncate(length);
  }

  async utimes(path: string, atime: Date, mtime: Date, options: FileOptions = {}): Promise<void> {
    const times = Buffer.alloc(32);
    [atime, mtime].forEach((time, index) => {
      const ms = time.getTime();
      times.writeBigInt64LE(BigInt(Math.floor(ms / 1000)), 16 * index);
      times.writeBigInt64LE(BigInt((((ms % 1000) + 1000) % 1000) * 1_000_000), 16 * index + 8);
    });
    await this.#ask({ op: FILE.TIMES, first: path, second: times }, "utimes", path, options.signal);
  }

  /** Copies a file or folder of the host into the sandbox; links are copied as what they say. */
  async copyIn(hostPath: string, path: string, options: CopyOptions = {}): Promise<void> {
    await copyIn(this, hostPath, path, options);
  }

  /**
   * Copies a file or folder of the sandbox to a new place on the host. What it contains is not trusted: a link that
   * would lead out of the copy is refused, setuid bits are dropped.
   */
  async copyOut(path: string, hostPath: string, options: CopyOptions = {}): Promise<void> {
    await copyOut(this, path, hostPath, options);
  }

  async #open(path: string, flags: number, mode: number, signal: AbortSignal | undefined, call = "open"): Promise<SandboxFile> {
    throwIfAborted(signal);
    const server = this.findServer();
    const { result } = await server.ask({ op: FILE.OPEN, a: flags, b: BigInt(mode), first: this.#resolve(path) }, call, path);
    return new SandboxFile(server, result, path);
  }

  async #ask(request: Request & { first: string }, call: string, path: string, signal: AbortSignal | undefined): Promise<{ result: number; data: Buffer }> {
    throwIfAborted(signal);
    return await this.findServer().ask({ ...request, first: this.#resolve(request.first) }, call, path);
  }

  /** True when it was made, false when there is one. */
  async #makeFolder(path: string, mode: number, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#ask({ op: FILE.MAKE_FOLDER, a: mode, first: path }, "mkdir", path, signal);
      return true;
    } catch (error) {
      const isThere = error instanceof FileSystemError && ["EEXIST", "EBUSY", "EROFS", "EACCES"].includes(error.code);
      if (isThere && (await this.stat(path, { signal }).catch(() => undefined))?.isDirectory()) return false;
      throw error;
    }
  }

  async #remove(path: string, recursive: boolean, signal: AbortSignal | undefined): Promise<void> {
    const stat = await this.lstat(path, { signal });
    if (!stat.isDirectory()) return void (await this.#ask({ op: FILE.REMOVE, first: path }, "unlink", path, signal));
    if (recursive) for (const name of await this.readdir(path, { signal })) await this.#remove(posix.join(path, name), true, signal);
    await this.#ask({ op: FILE.REMOVE, a: 0x200 /* AT_REMOVEDIR */, first: path }, "rmdir", path, signal);
  }

  /** Not `posix.resolve`: the kernel says what ".." behind a link is. */
  #resolve(path: string): string {
    if (checkText(path) === "") throw new FileSystemError("ENOENT", 2, "open", path);
    return path.startsWith("/") ? path : `${this.cwd}/${path}`;
  }
}

function checkText(text: unknown): string {
  if (typeof text === "string" && !text.includes("\0")) return text;
  throw new BrigError(`${JSON.stringify(text)} is no path`, { code: "BRIG_BAD_VALUE", hint: "a path is a string without NUL" });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal.reason);
}
