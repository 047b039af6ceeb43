import { BrigError } from "../../error/brig-error.js";
import { isLinkTo, isProgram, listProgramFolders } from "../../host/programs.js";
import type { Draft } from "./draft.js";
import { readVariable } from "./environment.js";

/** The payload's words; its program is looked for on the caller's PATH, as it is on the host. */
export function applyProgram(draft: Draft, command: readonly string[]): void {
  const [program = ""] = command;
  draft.process.args = [...command];
  const candidates = program.includes("/") ? [program] : listFolders(draft).map((folder) => `${folder}/${program}`);
  const found = program === "" ? [] : candidates.filter((path) => isUsable(path, draft.context.launcher));
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
  return listProgramFolders(readVariable(draft, "PATH") || "/usr/local/bin:/usr/bin:/bin");
}

/** A link to brig in a program's place would begin anew inside. */
function isUsable(path: string, launcher: string | undefined): boolean {
  return isProgram(path) && (launcher === undefined || !isLinkTo(path, launcher));
}
