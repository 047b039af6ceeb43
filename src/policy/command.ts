import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { isBeneath } from "../host/mountinfo.js";
import type { Draft } from "./draft.js";

/** The payload's words, and where its program is looked for inside. */
export function setCommand(draft: Draft): void {
  const [program] = draft.command;
  if (program === undefined) throw new BrigError("no command was given", { code: "BRIG_BAD_USAGE", hint: "brig run -- COMMAND" });
  if (program === "") throw new BrigError("the command's name is empty", { code: "BRIG_COMMAND_NOT_FOUND", exitCode: 127, hint: "a shell variable in its place may be unset" });
  draft.process.args = [...draft.command];
  if (program.includes("/")) return;
  const folders = readPath(draft.process.env ?? []);
  draft.extension.candidates = folders.map((folder) => join(folder, program));
  if (draft.options.root !== undefined || draft.options.bind?.length) return;
  // an exec that fails takes longer than a look whether there is still nothing
  const earlier = draft.extension.candidates.splice(0, findProgram(draft, program, folders));
  for (const path of earlier) draft.context.consulted?.files.add(path);
}

function readPath(env: readonly string[]): string[] {
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  return path.split(":").filter((folder) => folder.startsWith("/"));
}

/** In which of the folders it is. The launcher would only say "not found"; here it can be said why. */
function findProgram(draft: Draft, program: string, folders: string[]): number {
  const found = folders.findIndex((folder) => isProgram(join(folder, program)));
  if (found >= 0) return found;
  const hidden = (draft.context.env["PATH"] ?? "").split(":").find((folder) => folder.startsWith("/") && isProgram(join(folder, program)));
  const hint = hidden === undefined ? undefined : `it is in ${hidden}, which the payload cannot see: add --read ${suggestFolder(draft, hidden)}`;
  throw new BrigError(`cannot run ${JSON.stringify(program)}: there is no such program on the PATH that the payload sees`, {
    code: "BRIG_COMMAND_NOT_FOUND",
    exitCode: 127,
    hint: hint ?? "check its name, or name it by its path",
  });
}

/** A program's own files mostly lie beside its bin folder. */
function suggestFolder(draft: Draft, folder: string): string {
  const parent = folder.endsWith("/bin") ? folder.slice(0, -"/bin".length) : folder;
  const wide = isBeneath(draft.context.home, parent) || parent.endsWith("/.local");
  const shown = wide ? folder : parent;
  return isBeneath(shown, draft.context.home) && draft.context.home !== "/" ? `~${shown.slice(draft.context.home.length)}` : shown;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
