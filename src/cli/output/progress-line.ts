import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import { printError } from "./print.js";

const BAR = 24;
const PAUSE_MS = 100;

/** How far something is, for whoever waits: on a terminal one line that is written over, else a line for each stage. */
export class ProgressLine {
  private stage = "";
  private next = 0;
  private shown = false;
  private readonly onTerminal = isatty(2);

  constructor(private readonly name: string) {}

  /** @param done 0 to 1 */
  show(stage: string, done: number, item?: string): void {
    const isNew = stage !== this.stage;
    this.stage = stage;
    if (!this.onTerminal) return void (isNew && printError(`brig: ${this.name}: ${stage}`));
    if (!isNew && Date.now() < this.next) return;
    this.next = Date.now() + PAUSE_MS;
    this.shown = true;
    writeSync(2, `\r${this.render(done, item === undefined ? stage : `${stage}: ${item}`)}\u001b[K`);
  }

  /** Takes the line away again. */
  end(): void {
    if (this.shown) writeSync(2, "\r\u001b[K");
    this.shown = false;
  }

  private render(done: number, what: string): string {
    const filled = Math.round(done * BAR);
    const line = `${this.name} [${"#".repeat(filled)}${".".repeat(BAR - filled)}] ${String(Math.floor(done * 100)).padStart(3)}% ${what}`;
    return line.slice(0, (process.stderr.columns || 80) - 1);
  }
}
