import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import type { LauncherStreams } from "../launch/run-plan.js";

/** ftee.c: files of 500 KB, and five older ones. */
const MAX_BYTES = 500 * 1024;
const MAX_OLDER = 5;

/** FILE, and FILE.1 to FILE.5 before it. */
class Log {
  private descriptor: number;
  private size = 0;

  constructor(private readonly file: string) {
    this.descriptor = this.rotate();
  }

  write(bytes: Buffer): void {
    if (this.size + bytes.length > MAX_BYTES) {
      closeSync(this.descriptor);
      this.descriptor = this.rotate();
      this.size = 0;
    }
    for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
    this.size += bytes.length;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private rotate(): number {
    try {
      for (let age = MAX_OLDER; age > 0; age--) {
        const younger = age === 1 ? this.file : `${this.file}.${age - 1}`;
        if (existsSync(younger)) renameSync(younger, `${this.file}.${age}`);
      }
      // somebody else's link in the file's place would be written through
      return openSync(this.file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
    } catch (error) {
      throw new BrigError(`cannot write ${this.file}: ${(error as Error).message}`, { code: "BRIG_CANNOT_WRITE", exitCode: 1, hint: "--output=FILE takes a file in a folder that you may write to", cause: error });
    }
  }
}

/** Runs something whose standard output, or output and errors, come here and go on to this process's own and to a file. */
export async function runLogged({ file, errors }: { file: string; errors: boolean }, run: (streams: LauncherStreams) => Promise<number>): Promise<number> {
  // oxlint-disable-next-line no-control-regex
  if (!/^[^\u0000-\u001f\u007f]+$/.test(file) || file.split("/").includes("..")) throw new BrigError(`invalid output file ${file}`, { code: "BRIG_BAD_VALUE", exitCode: 1, hint: "--output=FILE takes a path without .." });
  const log = new Log(file);
  const pipe = openPipe();
  const reader = new Socket({ fd: pipe.read, readable: true, writable: false });
  reader.on("data", (bytes: Buffer) => {
    process.stdout.write(bytes);
    log.write(bytes);
  });
  const ended = once(reader, "close");
  try {
    return await run([0, pipe.write, errors ? pipe.write : 2]);
  } finally {
    closeSync(pipe.write);
    await ended;
    await new Promise((resolve) => process.stdout.write("", resolve));
    log.close();
  }
}

/** A pipe and not a socket, as Node's own are: programs open /dev/stdout anew. */
function openPipe(): { read: number; write: number } {
  const folder = mkdtempSync(join(tmpdir(), "brig-output-"));
  try {
    const path = join(folder, "pipe");
    if (spawnSync("mkfifo", ["-m", "600", path]).status !== 0) throw new BrigError("cannot make a pipe", { code: "BRIG_CANNOT_WRITE", exitCode: 1, hint: "apt-get install coreutils" });
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { read, write: openSync(path, constants.O_WRONLY) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
