import { createInterface } from "node:readline/promises";
import { printError } from "../output/print.js";

/** Asks a person; without an answer it is no. */
export async function askYes(question: string): Promise<boolean> {
  printError(question.replace(/\s$/, ""));
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
