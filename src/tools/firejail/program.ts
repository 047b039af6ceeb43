import { accessSync, constants, statSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import type { Draft } from "./draft.js";
import { readVariable } from "./environment.js";

/** The payload's words; its program is looked for on the caller's PATH, as it is on the host. */
export function applyProgram(draft: Draft, command: readonly string[]): void {
  const [program = ""] = command;
  draft.process.args = [...command];
  const candidates = program.includes("/") ? [program] : listFolders(draft).map((folder) => `${folder}/${program}`);
  const found = program === "" ? [] : candidates.filter(isProgram);
  if (found.length === 0) throw new BrigError(`no suitable ${program} executable found`, { code: "BRIG_COMMAND_NOT_FOUND", exitCode: 1 });
  draft.extension.candidates = found;
  draft.extension.voice = {
    prefix: "Error: ",
    exitCode: 1,
    sayings: {},
    exec: { saying: `no suitable ${program} executable found`, notFound: 1, other: 1 },
  };
}

function listFolders(draft: Draft): string[] {
  const path = readVariable(draft, "PATH") || "/usr/local/bin:/usr/bin:/bin";
  return [...new Set(path.split(":").filter((folder) => folder.startsWith("/")))];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
