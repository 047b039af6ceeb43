// One visible step of a build: says what it does, and on a terminal for how long it has been at it.
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Ends the build with one clear line. */
export function fail(what, hint) {
  console.error(`brig: ${what}\n  hint: ${hint}`);
  process.exit(125);
}

/** Runs a program with its output on standard error; `hint` is for when the program itself is missing. */
export async function runStep(what, command, words, hint, env = process.env) {
  const finish = startProgress(what);
  const [status, error] = await new Promise((resolve) => {
    const child = spawn(command, words, { stdio: ["ignore", 2, 2], env });
    child.on("error", (failure) => resolve([127, failure]));
    child.on("close", (code, signal) => resolve([code ?? signal, undefined]));
  });
  finish();
  if (error?.code === "ENOENT") throw Object.assign(new Error(`${command} is missing`), { hint });
  if (status !== 0) throw new Error(`${what} failed (${command} ended with ${status})`);
}

/** Prints "brig: WHAT"; on a terminal the line counts the seconds. Returns what ends it. */
export function startProgress(what) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  if (!process.stderr.isTTY) {
    console.error(`brig: ${what}`);
    return () => undefined;
  }
  process.stderr.write(`brig: ${what}`);
  const timer = setInterval(() => process.stderr.write(`\r\u001b[Kbrig: ${what}, ${seconds()} s`), 1000);
  return () => {
    clearInterval(timer);
    process.stderr.write(`\r\u001b[Kbrig: ${what}${seconds() > 0 ? `, ${seconds()} s` : ""}\n`);
  };
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether one of the sources is newer than the target, or the target is missing. */
export function isNewer(sources, target) {
  const made = modified(target);
  return made === 0 || sources.some((source) => modified(source) > made);
}

/** Every file and folder below a folder: a folder counts too, since a removed file changes only that. */
export function listTree(folder) {
  return [folder, ...readdirSync(folder, { recursive: true }).map((name) => join(folder, name))];
}
