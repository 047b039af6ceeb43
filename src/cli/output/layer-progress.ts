import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { OnProgress, ProgressEvent } from "../../image/progress.js";
import { showDockerSize } from "./docker-words.js";
import { print } from "./print.js";

const BAR = 50;
const PAUSE_MS = 80;
/** Told again and again, and only to be seen on a terminal. */
const MOVING = ["Downloading", "Extracting", "Pushing", "Waiting", "Preparing"];

/**
 * Shows what `pull` and `push` tell as docker does: on a terminal each layer has a line that is written over, elsewhere
 * each change is a line.
 */
export function makeLayerProgress(quiet: boolean): { show: OnProgress; end: () => void } {
  if (quiet) return { show: () => undefined, end: () => undefined };
  if (!isatty(1)) return { show: printChange, end: () => undefined };
  const display = new Display();
  return { show: (event) => display.show(event), end: () => display.draw() };
}

function printChange(event: ProgressEvent): void {
  if (event.kind === "line") print(event.text);
  else if (!MOVING.includes(event.status) || event.status === "Preparing") print(`${event.id}: ${event.status}`);
}

class Display {
  readonly #layers = new Map<string, string>();
  #drawn = 0;
  #next = 0;

  show(event: ProgressEvent): void {
    if (event.kind === "line") {
      this.draw();
      this.#layers.clear();
      this.#drawn = 0;
      return print(event.text);
    }
    const isNew = !this.#layers.get(event.id)?.startsWith(event.status);
    this.#layers.set(event.id, renderStatus(event));
    if (isNew || Date.now() >= this.#next) this.draw();
  }

  draw(): void {
    this.#next = Date.now() + PAUSE_MS;
    const width = (process.stdout.columns || 80) - 1;
    const rows = Math.max(2, (process.stdout.rows || 24) - 1);
    const lines = [...this.#layers].map(([id, status]) => `${id}: ${status}`.slice(0, width)).slice(-rows);
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    writeSync(1, up + lines.map((line) => `\r${line}\u001b[K\n`).join(""));
    this.#drawn = lines.length;
  }
}

function renderStatus({ status, current, total }: Extract<ProgressEvent, { kind: "layer" }>): string {
  if (current === undefined || !total) return status;
  const filled = Math.min(BAR, Math.floor((current / total) * BAR));
  const bar = filled === BAR ? "=".repeat(BAR) : `${"=".repeat(filled)}>${" ".repeat(BAR - filled - 1)}`;
  return `${status} [${bar}] ${showDockerSize(current).padStart(7)}/${showDockerSize(total)}`;
}
