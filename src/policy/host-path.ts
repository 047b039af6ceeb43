import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import { type Draft, originOfOption } from "./draft.js";
import { refuseNul, refuseValue } from "./parse/bad-value.js";

/** A host path as someone wrote it, absolute: "~/x" is in the caller's home, "x" in the working folder. */
export function resolveHostPath(draft: Draft, path: string, where: string): string {
  refuseNul(path, where);
  if (path === "") refuseValue(path, where, "is no path", 'the working folder is "."');
  const { home, cwd } = draft.context;
  if (path === "~" || path.startsWith("~/")) return join(home, path.slice(1));
  return resolve(cwd, path);
}

/** The path without symbolic links. A path that does not exist is an error that names who asked for it. */
export function resolveReal(draft: Draft, path: string, pointer: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    throw refusePath(draft, path, pointer, error as NodeJS.ErrnoException);
  }
}

function refusePath(draft: Draft, path: string, pointer: string, cause: NodeJS.ErrnoException): BrigError {
  const why = { ENOENT: "it does not exist", EACCES: "this user may not go there", ELOOP: "its links go round in a loop", ENOTDIR: "a part of it is no folder" }[cause.code ?? ""];
  const shown = JSON.stringify(path);
  return new BrigError(`cannot show ${shown} to the payload: ${why ?? cause.message}`, {
    code: "BRIG_NO_SUCH_PATH",
    origin: describeOrigin(originOfOption(draft, pointer)),
    hint: cause.code === "ENOENT" ? "make it first, or leave it out" : "check the path with namei -l",
    cause,
  });
}
