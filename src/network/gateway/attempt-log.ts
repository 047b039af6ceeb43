import { writeSync } from "node:fs";
import type { Program } from "./program.js";

/** One thing that a payload tried. */
export interface Attempt {
  verdict: "allowed" | "denied";
  kind: "dns" | "tcp" | "tls" | "http" | "udp";
  name?: string | undefined;
  address?: string | undefined;
  port?: number | undefined;
  /** Why it was denied. */
  reason?: string | undefined;
}

export interface AttemptLog {
  /** Settles when it is written, or after a moment in which it could not be found who tried. */
  note(attempt: Attempt, program: Promise<Program | undefined>): Promise<void>;
  /** Settles when nothing is waiting. */
  flush(): Promise<void>;
}

/** The log may lie in memory, and the payload decides how many lines it has. */
const LARGEST = 8 << 20;
const PATIENCE_MS = 500;

/** One line of JSON for each attempt, written to these descriptors. */
export function makeAttemptLog(descriptors: readonly number[]): AttemptLog {
  let written = 0;
  const waiting = new Set<Promise<void>>();
  const write = (line: string): void => {
    if (written > LARGEST) return;
    written += line.length;
    const text = written > LARGEST ? `${JSON.stringify({ time: new Date().toISOString(), verdict: "log full" })}\n` : line;
    for (const descriptor of descriptors) {
      try {
        writeSync(descriptor, text);
      } catch {
        // a full disk: what is refused stays refused
      }
    }
  };
  return {
    note(attempt, program) {
      const time = new Date().toISOString();
      const noted = within(PATIENCE_MS, program).then((found) => write(`${toAscii(JSON.stringify({ time, ...attempt, program: found }))}\n`));
      waiting.add(noted);
      return noted.finally(() => waiting.delete(noted));
    },
    async flush() {
      await Promise.all(waiting);
    },
  };
}

/** A payload chooses names, and somebody will read them on a terminal. */
function toAscii(json: string): string {
  return json.replaceAll(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
