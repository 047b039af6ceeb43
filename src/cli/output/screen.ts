import { isatty } from "node:tty";

/** Characters in a line of standard output: the terminal's, 100 where it is none (process.stdout is slow to open). */
export function measureScreen(): number {
  return isatty(1) ? process.stdout.columns || 100 : 100;
}
