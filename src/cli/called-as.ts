import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { findOther, isLinkTo, listProgramFolders } from "../host/programs.js";

/** Tools whose name a link to brig may have, and the words that stand for a login shell of that name (login(1): "-NAME"). */
const LINKED: Record<string, { command: string; login: string[] }> = {
  firejail: { command: "firejail", login: ["-l"] },
};

/** Who called, and from where. */
export interface Caller {
  /** The launcher's executable, links resolved; undefined where that cannot be told. */
  launcher: string | undefined;
  /** PATH. */
  path: string;
  /** The program is started in a sandbox of firejail's or brig's already. */
  isJailed: boolean;
}

/**
 * The words of a command that was called by a link's name, with the command of that name in front. The launcher keeps
 * its own first word, so that its name is found where the kernel has it: in its command line (proc(5)).
 */
export function readCalledWords(words: string[], env: NodeJS.ProcessEnv = process.env): string[] {
  const { BRIG_ENTRY_FD: entry, PATH: path = "", container } = env;
  if (entry === undefined) return words;
  return translateWords(readFirstWord(process.ppid), words, { launcher: readExecutable(process.ppid), path, isJailed: container === "firejail" });
}

/**
 * "/usr/local/bin/firejail", "-firejail" as a login shell is called, and any other program's name: a link /usr/local/bin/vlc
 * to brig is `brig firejail /usr/bin/vlc`, when there is a program of that name besides. In a sandbox it is the program.
 */
export function translateWords(called: string, words: string[], caller?: Caller): string[] {
  const name = called.slice(called.lastIndexOf("/") + 1);
  const isLogin = called.startsWith("-");
  const tool = name.replace(/^-/, "");
  if (Object.hasOwn(LINKED, tool)) {
    const { command, login } = LINKED[tool]!;
    return [command, ...(isLogin && words.length === 0 ? login : words)];
  }
  const program = tool === "brig" ? undefined : findProgram(called, name, caller);
  if (program === undefined) return words;
  return caller!.isJailed ? ["unshare", "--", program, ...words] : ["firejail", program, ...words];
}

/** The program that a link of its name hides. A copy of brig with another name is brig. */
function findProgram(called: string, name: string, caller: Caller | undefined): string | undefined {
  if (!caller?.launcher) return undefined;
  const folders = listProgramFolders(caller.path);
  const links = called.includes("/") ? [called] : folders.map((folder) => `${folder}/${name}`);
  const { launcher } = caller;
  return links.some((link) => isLinkTo(link, launcher)) ? findOther(name, folders, launcher) : undefined;
}

function readExecutable(pid: number): string | undefined {
  try {
    return realpathSync(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return undefined;
  }
}

function readFirstWord(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0", 1)[0] ?? "";
  } catch {
    return "";
  }
}
