import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";

/**
 * A program that stays and does one thing again and again: a line "N" asks for N timed runs, and N times in
 * microseconds come back. So that all are timed by the same code, and can take turns.
 */
export class Driver {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly answers: AsyncIterableIterator<string>;
  private readonly closed: Promise<void>;
  private errors = "";

  constructor(readonly words: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(words[0] as string, words.slice(1), { stdio: ["pipe", "pipe", "pipe"], env });
    this.child.on("error", (error) => (this.errors += error.message));
    this.child.stdin?.on("error", () => undefined); // its end is told by the missing answer
    this.child.stderr?.on("data", (data: Buffer) => (this.errors += data.toString()));
    this.closed = new Promise((resolve) => void this.child.once("close", () => resolve()));
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    this.answers = this.lines[Symbol.asyncIterator]();
  }

  /** Times of `runs` runs in microseconds. */
  async measure(runs: number): Promise<number[]> {
    this.child.stdin?.write(`${runs}\n`);
    const { value, done } = await this.answers.next();
    const times = done === true ? [] : String(value).split(" ").map(Number);
    if (times.length === runs && times.every((time) => time > 0)) return times;
    await this.close(); // what it said on standard error comes behind
    throw new Error(`${this.words.join(" ")}: ${this.errors.trim() || `answered ${String(value)}`}`);
  }

  async close(): Promise<void> {
    this.child.stdin?.end();
    await this.closed;
    this.lines.close();
  }
}
