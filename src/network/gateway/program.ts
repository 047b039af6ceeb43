import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** The program that holds a socket. */
export interface Program {
  /** On the host. */
  pid: number;
  name: string;
}

export type FindProgram = (inode: string) => Promise<Program | undefined>;

/** Lookups that wait; a payload that makes more attempts than this at once has some logged without its name. */
const LONGEST_QUEUE = 32;

/*
 * Who holds a socket can be told only with rights over that process, which the gateway gives up. So another, tiny
 * process keeps them: it reads numbers, and answers with the path of a descriptor.
 */
const SCRIPT = 'while read -r inode; do find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1; echo; done';

/** Starts the search; to be called before rights are given up. It ends with this process. */
export function makeProgramFinder(): FindProgram {
  const child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "pipe", "ignore"], env: { PATH: "/usr/bin:/bin" } });
  const waiting: ((program: Program | undefined) => void)[] = [];
  let alive = true;
  let found: Program | undefined;
  const end = (): void => {
    alive = false;
    for (const tell of waiting.splice(0)) tell(undefined);
  };
  child.on("error", end).on("exit", end);
  child.stdin.on("error", end);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line !== "") found = describe(line);
    else {
      waiting.shift()?.(found);
      found = undefined;
    }
  });
  return (inode) => {
    if (!alive || waiting.length >= LONGEST_QUEUE || !/^[1-9]\d*$/.test(inode)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${inode}\n`);
    });
  };
}

function describe(path: string): Program | undefined {
  const pid = /^\/proc\/(\d+)\/fd\//.exec(path)?.[1];
  if (pid === undefined) return undefined;
  try {
    return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd() };
  } catch {
    return { pid: Number(pid), name: "" };
  }
}
