import { readFileSync } from "node:fs";

/** Tools whose name a link to brig may have, and the words that stand for a login shell of that name (login(1): "-NAME"). */
const LINKED: Record<string, { command: string; login: string[] }> = {
  firejail: { command: "firejail", login: ["-l"] },
};

/**
 * The words of a command that was called by a link's name, with the command of that name in front. The launcher keeps
 * its own first word, so that its name is found where the kernel has it: in its command line (proc(5)).
 */
export function readCalledWords(words: string[], env: NodeJS.ProcessEnv = process.env): string[] {
  if (env["BRIG_ENTRY_FD"] === undefined) return words;
  return translateWords(readFirstWord(process.ppid), words);
}

/** "/usr/local/bin/firejail" and "-firejail", as a login shell is called. */
export function translateWords(called: string, words: string[]): string[] {
  const name = called.slice(called.lastIndexOf("/") + 1);
  const isLogin = called.startsWith("-");
  const tool = name.replace(/^-/, "");
  if (!Object.hasOwn(LINKED, tool)) return words;
  const { command, login } = LINKED[tool]!;
  return [command, ...(isLogin && words.length === 0 ? login : words)];
}

function readFirstWord(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0", 1)[0] ?? "";
  } catch {
    return "";
  }
}
