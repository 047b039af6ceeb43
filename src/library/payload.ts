import { posix } from "node:path";
import { BrigError } from "../error/brig-error.js";
import type { Payload } from "../plan/patch.js";
import { parseDuration } from "../policy/parse/duration.js";
import type { Spec } from "../spec/oci.js";
import type { ProcessOptions } from "./options.js";

const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The words, environment and folder of one process, on top of the sandbox's. @throws BrigError BRIG_BAD_VALUE */
export function makePayload(spec: Spec, file: string, args: readonly string[], options: ProcessOptions): Payload {
  checkWords(file, args);
  const env = mergeEnvironment(spec.process?.env ?? [], options.env);
  return {
    candidates: listCandidates(file, env),
    argv: [file, ...args],
    env,
    cwd: options.cwd === undefined ? undefined : checkCwd(options.cwd),
    timeoutMs: options.timeoutMs === undefined ? undefined : parseDuration(options.timeoutMs, "timeoutMs"),
    graceMs: options.graceMs === undefined ? undefined : parseDuration(options.graceMs, "graceMs"),
  };
}

function checkWords(file: string, args: readonly string[]): void {
  const bad = [file, ...args].find((word) => typeof word !== "string");
  if (bad !== undefined) throw refuse(`an argument cannot be ${String(bad)}`, "the program and its arguments are strings");
  if (file === "") throw new BrigError("the program's name is empty", { code: "BRIG_NOT_FOUND", exitCode: 127 });
}

function checkCwd(cwd: string): string {
  if (posix.isAbsolute(cwd)) return cwd;
  throw refuse(`the working folder ${JSON.stringify(cwd)} is not absolute`, "name it from the sandbox's root");
}

function mergeEnvironment(base: readonly string[], changes: ProcessOptions["env"]): readonly string[] {
  if (!changes) return base;
  const env = new Map(base.map((entry) => [entry.slice(0, entry.indexOf("=")), entry]));
  for (const [name, value] of Object.entries(changes)) {
    if (name === "" || name.includes("=")) throw refuse(`${JSON.stringify(name)} is no variable's name`, 'it is not empty and has no "="');
    if (value === undefined) env.delete(name);
    else env.set(name, `${name}=${value}`);
  }
  return [...env.values()];
}

/** As execvp(3), in the payload's own PATH. */
function listCandidates(file: string, env: readonly string[]): string[] {
  if (file.includes("/")) return [file];
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) || STANDARD_PATH;
  return path.split(":").filter((folder) => folder.startsWith("/")).map((folder) => posix.join(folder, file));
}

function refuse(message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", hint });
}
